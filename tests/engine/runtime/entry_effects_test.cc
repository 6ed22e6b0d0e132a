// What an entry does besides its results: writes to tables, identifiers, log lines, idle clocks.
#include <set>
#include <string>
#include <vector>

#include "tests/engine/runtime/query_testing.h"

namespace pollux::test {
namespace {

struct Lines final : ResultSink, PlanLog {
  void on_result(const ResultBatch& results) override {
    for (uint32_t row = 0; row < results.batch->rows(); ++row) {
      lines.push_back(to_text(results.batch->value(row, 0)));
    }
  }
  void on_log(std::string_view plan, LogPriority priority, std::string_view text) override {
    lines.push_back(std::string(plan) + "/" + std::to_string(static_cast<int>(priority)) + "/" +
                    std::string(text));
  }
  std::vector<std::string> lines;
};

/// A node that applies entries one after the other.
class Node {
 public:
  explicit Node(const std::string& plan, PlanLog* log = nullptr) : engine_(options(log)) {
    EXPECT_EQ(apply(0, DeployPayload{"p", plan}).status, ApplyStatus::kApplied);
  }
  ApplyOutcome apply(int64_t time, EntryPayload payload) {
    return engine_.apply({{{7}, {++position_}}, {time}, std::move(payload)}, results);
  }
  void send(const std::vector<Row>& rows, int64_t time) {
    std::vector<int64_t> times(rows.size(), time);
    auto batch = batch_of(engine_.input_schema("S"), rows, times);
    EXPECT_EQ(apply(time, EventsPayload{batch}).status, ApplyStatus::kApplied);
  }
  std::string rows(const std::string& query) const {
    return text_of(*engine_.query("p", query).rows);
  }
  Engine& engine() { return engine_; }

  Lines results;

 private:
  static EngineOptions options(PlanLog* log) {
    EngineOptions options;
    options.log = log;
    return options;
  }

  Engine engine_;
  uint64_t position_ = 0;
};

const char* const kTable =
    "define stream S (k string); @PrimaryKey('k') define table T (k string, n int); ";

TEST(TableWrites, AnEntryChangesATableAndAQueryDoesNot) {
  Node node(kTable);
  EXPECT_EQ(node.apply(1, WritePayload{"p", "select 'a' as k, 1 as n insert into T"}).status,
            ApplyStatus::kApplied);
  EXPECT_EQ(node.rows("from T select k, n"), "a,1");
  QueryAnswer asked = node.engine().query("p", "delete T on T.k == 'a'");
  EXPECT_EQ(asked.status.code, QueryCode::kInvalid);
  EXPECT_EQ(node.rows("from T select k, n"), "a,1");
}

TEST(TableWrites, WhatIsWrongIsToldAndNothingHasChanged) {
  Node node(kTable);
  for (const char* text : {"from T select k", "delete U on U.k == 'a'",
                           "update T set T.z = 1 on "
                           "T.k == 'a'",
                           "select 1 as n insert into T", "delete T on T.k", "("}) {
    ApplyOutcome outcome = node.apply(1, WritePayload{"p", text});
    EXPECT_EQ(outcome.status, ApplyStatus::kRejected) << text;
    ASSERT_FALSE(outcome.diagnostics.empty()) << text;
    EXPECT_FALSE(outcome.diagnostics[0].message.empty()) << text;
  }
  EXPECT_EQ(node.apply(1, WritePayload{"q", "delete T on T.k == 'a'"}).status,
            ApplyStatus::kRejected);
  node.send({{std::string("a")}}, 2);
  EXPECT_EQ(node.rows("from T select k"), "");
}

TEST(EpochBegins, OneIsAppliedAndChangesNothingInAPlan) {
  Node node(kTable);
  node.apply(1, WritePayload{"p", "select 'a' as k, 1 as n insert into T"});
  std::string before = node.engine().save_state("p");
  EXPECT_EQ(node.apply(1, EpochBeginPayload{"north"}).status, ApplyStatus::kApplied);
  EXPECT_TRUE(node.results.lines.empty());
  EXPECT_EQ(node.engine().save_state("p"), before);
}

TEST(Uuids, BothNodesMakeTheSameAndNoneTwice) {
  const std::string plan =
      "define stream S (k string); from S select UUID() as u insert into A; "
      "from S select UUID() as u insert into B;";
  Node one(plan), other(plan);
  for (int64_t t = 1; t < 5; ++t) {
    one.send({{Value{}}, {Value{}}, {Value{}}}, t);
    other.send({{Value{}}, {Value{}}, {Value{}}}, t);
  }
  EXPECT_EQ(one.results.lines, other.results.lines);
  std::set<std::string> distinct(one.results.lines.begin(), one.results.lines.end());
  EXPECT_EQ(distinct.size(), 24U);
  for (const std::string& uuid : distinct) {
    ASSERT_EQ(uuid.size(), 36U);
    EXPECT_EQ(uuid[14], '4');
    EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos) << uuid;
  }
}

TEST(PlanLogs, LogWritesEventsAndMessages) {
  Lines log;
  Node node(
      "define stream S (k string); from S#log()#log('m', false)#log('error', k)#log('OFF', 'x')"
      "#window.length(1)#log(false) select k insert into Out;",
      &log);
  node.send({{std::string("a")}}, 5);
  std::vector<std::string> expected = {"p/2/S {k: a} at 5", "p/2/m", "p/4/a, S {k: a} at 5",
                                       "p/2/Event Arrived"};
  EXPECT_EQ(log.lines, expected);
  log.lines.clear();
  node.send({{std::string(10000, 'x')}}, 6);
  for (const std::string& line : log.lines) EXPECT_LT(line.size(), 5000U);
}

TEST(Playback, ItWaitsForIdleTimeOfTheEntriesClock) {
  Node node(
      "@app:playback(idle.time='100 millisecond', increment='1 sec') define stream S (k string); "
      "from S#window.time(1 sec) select k insert expired events into Out;");
  EXPECT_FALSE(node.engine().next_deadline());
  auto batch = batch_of(node.engine().input_schema("S"), {{std::string("a")}}, {50});
  node.apply(5000, EventsPayload{batch});
  ASSERT_TRUE(node.engine().next_deadline());
  EXPECT_EQ(node.engine().next_deadline()->ms, 5100);
  node.apply(5099, TickPayload{});
  EXPECT_TRUE(node.results.lines.empty());
  node.apply(5100, TickPayload{});
  EXPECT_EQ(node.results.lines, std::vector<std::string>{"a"});
  EXPECT_EQ(node.engine().next_deadline()->ms, 5200);
  node.apply(int64_t{1} << 60, TickPayload{});  // a leap of the clock ends at once
  EXPECT_GT(node.engine().next_deadline()->ms, int64_t{1} << 60);
}

}  // namespace
}  // namespace pollux::test
