// What a plan holds is bounded, freed by time, and counted.
#include <gtest/gtest.h>

#include <string>

#include "engine/runtime/engine.h"

namespace pollux {
namespace {

class NoResults final : public ResultSink {
 public:
  void on_result(const ResultBatch& results) override { rows += results.batch->rows(); }
  uint64_t rows = 0;
};

class Node {
 public:
  explicit Node(const std::string& text) {
    ApplyOutcome outcome = apply(DeployPayload{"plan", text});
    EXPECT_EQ(outcome.status, ApplyStatus::kApplied) << to_text(outcome.diagnostics, "plan");
  }

  /// An event of (k string, a int) that comes `late_ms` after its time.
  void send(const Value& key, int32_t a, int64_t late_ms = 0) {
    auto batch = std::make_shared<EventBatch>(engine.input_schema("S"));
    batch->append_value(0, key);
    batch->append_value(1, Value{a});
    batch->end_row(now_ms_ - late_ms);
    EXPECT_EQ(apply(EventsPayload{batch}).status, ApplyStatus::kApplied);
  }
  void pass(int64_t ms) {
    now_ms_ += ms;
    apply(TickPayload{});
  }
  PlanDescription state() const { return *engine.describe("plan"); }

  Engine engine;
  NoResults results;

 private:
  ApplyOutcome apply(EntryPayload payload) {
    return engine.apply({{{1}, {++position_}}, {now_ms_}, std::move(payload)}, results);
  }
  uint64_t position_ = 0;
  int64_t now_ms_ = 1'000'000;
};

const std::string kStream = "define stream S (k string, a int); ";

TEST(PlanLimits, PartialMatchesGoByTimeWithoutAnotherEvent) {
  Node node(kStream +
            "from every e1=S[a == 1] -> e2=S[a == 2 and k == e1.k] within 5 sec "
            "select e1.k as k insert into Out;");
  for (int i = 0; i < 100; ++i) node.send(std::to_string(i), 1);
  EXPECT_GE(node.state().counts.partial_matches, 100U);
  node.pass(9'000);
  EXPECT_GE(node.state().counts.partial_matches, 100U);  // late events may still come
  node.pass(6'000);
  EXPECT_EQ(node.state().counts.partial_matches, 0U);
  EXPECT_EQ(node.state().counts.partial_matches_aged, 100U);
  node.pass(600'000);
  EXPECT_FALSE(node.engine.next_deadline());  // at rest it asks for no time
}

TEST(PlanLimits, SequencesGoByTimeToo) {
  Node node(kStream +
            "partition with (k of S) begin from every e1=S[a == 1], e2=S[a == 2] "
            "within 5 sec select e1.k as k insert into Out; end;");
  for (int i = 0; i < 100; ++i) node.send("a key that takes some bytes " + std::to_string(i), 1);
  EXPECT_EQ(node.state().counts.partial_matches, 100U);
  node.pass(15'000);
  EXPECT_EQ(node.state().counts.partial_matches, 0U);
  EXPECT_EQ(node.state().counts.partial_matches_aged, 100U);
  node.send("fresh", 1);
  node.send("fresh", 2);
  EXPECT_EQ(node.results.rows, 1U);
}

TEST(PlanLimits, EventsOfThePastDoNotAge) {
  Node node(kStream +
            "from every e1=S[a == 1] -> e2=S[a == 2] within 5 sec "
            "select e1.k as k insert into Out;");
  node.send("then", 1, 500'000);
  node.pass(20'000);
  node.send("then", 2, 518'000);  // two seconds behind it by their own time
  EXPECT_EQ(node.results.rows, 1U);
  EXPECT_EQ(node.state().counts.partial_matches_aged, 0U);
}

TEST(PlanLimits, TheLatenessOfAPlanKeepsPartialMatchesForLonger) {
  Node node("@app:limits(lateness='1 min') " + kStream +
            "from every e1=S[a == 1] -> e2=S[a == 2] within 5 sec select e1.k as k insert into "
            "Out;");
  node.send("k", 1);
  node.pass(60'000);
  EXPECT_EQ(node.state().counts.partial_matches, 1U);
  node.send("k", 2, 56'000);
  EXPECT_EQ(node.results.rows, 1U);
}

TEST(PlanLimits, TooManyPartialMatchesLoseTheOldest) {
  Node node("@app:limits(partial.matches='32') " + kStream +
            "from every e1=S[a == 1] -> e2=S[a == 2 and k == e1.k] select e1.k as k insert into "
            "Out;");
  for (int i = 0; i < 100; ++i) {
    node.send(std::to_string(i), 1);
    node.pass(1);
  }
  node.pass(10'000);
  EXPECT_EQ(node.state().counts.partial_matches, 30U);
  EXPECT_EQ(node.state().counts.partial_matches_evicted, 70U);
  node.send("69", 2);
  EXPECT_EQ(node.results.rows, 0U);
  node.send("70", 2);
  EXPECT_EQ(node.results.rows, 1U);
}

TEST(PlanLimits, TooManyGroupsLoseThoseThatWereIdleLongest) {
  Node node("@app:limits(groups='32') " + kStream +
            "from S select k, count() as n group by k insert into Out;");
  node.send("kept", 0);
  for (int i = 0; i < 50; ++i) node.send(std::to_string(i), 0);
  node.pass(10'000);
  EXPECT_EQ(node.state().counts.groups, 30U);
  EXPECT_EQ(node.state().counts.groups_evicted, 21U);
  for (int i = 30; i < 50; ++i) node.send(std::to_string(i), 0);  // these are used again
  for (int i = 50; i < 70; ++i) node.send(std::to_string(i), 0);
  node.pass(10'000);
  EXPECT_EQ(node.state().counts.groups, 30U);
  EXPECT_EQ(node.state().counts.groups_evicted, 41U);
}

TEST(PlanLimits, GroupsBehindAWindowAreNotForTheLimit) {
  Node node("@app:limits(groups='3') " + kStream +
            "from S#window.length(50) select k, count() as n group by k insert into Out;");
  for (int i = 0; i < 50; ++i) node.send(std::to_string(i), 0);
  node.pass(60'000);
  EXPECT_EQ(node.state().counts.groups, 50U);
  EXPECT_EQ(node.state().counts.groups_evicted, 0U);
}

TEST(PlanLimits, TooManyPartitionInstancesLoseThoseThatWereIdleLongest) {
  Node node("@app:limits(partition.instances='16') " + kStream +
            "partition with (k of S) begin from S select k, a, count() as n group by a "
            "output last every 3 events insert into Out; end;");
  for (int i = 0; i < 40; ++i) {
    node.send(std::to_string(i), i);
    node.pass(10);
  }
  node.send("0", 0);  // the oldest is not the idlest
  node.pass(10'000);
  EXPECT_EQ(node.state().partition_instances, 15U);
  EXPECT_EQ(node.state().counts.instances_evicted, 25U);
  EXPECT_EQ(node.state().counts.groups, 15U);
  node.send("0", 0);
  EXPECT_EQ(node.results.rows, 1U);
}

TEST(PlanLimits, RowsThatGoNowhereAreCounted) {
  Node node(kStream + R"(
    @PrimaryKey('k') define table T (k string, a int);
    from S insert into T;
    partition with (k of S) begin from S select a insert into Out; end;
    partition with (a > 10 as 'high' or a > 100 as 'higher' of S) begin
      from S select a insert into High;
    end;)");
  node.send("one", 1);
  node.send(Value{}, 200);
  node.send("one", 50);
  PlanCounts counts = node.state().counts;
  EXPECT_EQ(counts.rows_without_key, 2U);
  EXPECT_EQ(counts.rows_refused, 1U);
}

TEST(PlanLimits, LateRowsOfAPlaybackAreCounted) {
  Node node("@app:playback " + kStream + "from S select a insert into Out;");
  node.send("k", 1);
  node.pass(100);
  node.send("k", 1);
  node.send("k", 1, 50);
  EXPECT_EQ(node.state().counts.rows_late, 1U);
}

TEST(PlanLimits, ABadLimitIsTold) {
  for (const char* bad :
       {"groups='0'", "groups='many'", "group='5'", "groups='99999999999999'", "lateness='soon'"}) {
    Diagnostics wrong = Engine::validate("@app:limits(" + std::string(bad) + ") " + kStream +
                                         "from S select a insert into Out;");
    ASSERT_EQ(wrong.size(), 1U) << bad;
    EXPECT_GT(wrong[0].location.column, 1U);
  }
}

}  // namespace
}  // namespace pollux
