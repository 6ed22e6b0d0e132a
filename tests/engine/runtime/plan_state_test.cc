// A plan's state as bytes: what cannot be loaded changes nothing and is told.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/runtime/engine.h"

namespace pollux {
namespace {

constexpr const char* kPlan = R"(
  define stream S (user string, amount int);
  @PrimaryKey('user') define table T (user string, total long);
  define window W (user string, amount int) length(3);
  define trigger Tick at every 1 sec;
  @purge(enable='true', interval='5 sec', @retentionPeriod(sec='120 sec'))
  define aggregation A from S select user, sum(amount) as total, avg(amount) as mean,
    distinctCount(amount) as kinds, amount * 2 as last group by user aggregate every sec ... year;
  @info(name='sums')
  from S#window.time(1 min) select user, sum(amount) as total, min(amount) as low,
    distinctCount(amount) as kinds group by user insert into Sums;
  from Sums select user, total update or insert into T on T.user == user;
  from S insert into W;
  from every e1=S -> e2=S[user == e1.user]<1:3> -> e3=S[amount > e2[last].amount]
    select e1.user as user, e3.amount as amount insert into Rising;
  from S as a join W as b on a.user == b.user select a.user as user, b.amount as amount
    output last every 3 events insert into Joined;
  from S join A on A.user == S.user within '1970-**-** **:**:**' per 'min'
    select AGG_TIMESTAMP as at, total, mean, kinds, last insert into Minutes;
  partition with (user of S) begin
    from S#window.lengthBatch(2) select user, avg(amount) as mean insert into Means;
  end;
)";

class Results final : public ResultSink {
 public:
  void on_result(const ResultBatch& results) override {
    for (uint32_t row = 0; row < results.batch->rows(); ++row) {
      std::string line(results.stream);
      for (size_t c = 0; c < results.batch->schema().size(); ++c) {
        line += " " + to_text(results.batch->value(row, c));
      }
      lines.push_back(line);
    }
  }
  std::vector<std::string> lines;
};

class Node {
 public:
  Node() { EXPECT_EQ(apply(DeployPayload{"plan", kPlan}).status, ApplyStatus::kApplied); }

  void send(int first, int count) {
    for (int i = first; i < first + count; ++i) {
      auto batch = std::make_shared<EventBatch>(engine.input_schema("S"));
      std::string user = i % 3 == 0 ? "a user with a long name" : "short";
      batch->append_value(0, i % 7 == 6 ? Value{} : Value{user});
      batch->append_value(1, Value{int32_t{i * 37 % 11}});
      now_ms_ += 700;
      batch->end_row(now_ms_);
      EXPECT_EQ(apply(EventsPayload{batch}).status, ApplyStatus::kApplied);
    }
  }

  std::string state() const { return engine.save_state("plan"); }
  std::string restore(const std::string& state) { return engine.restore_state("plan", state); }

  Engine engine;
  Results results;

 private:
  ApplyOutcome apply(EntryPayload payload) {
    return engine.apply({{{1}, {++position_}}, {now_ms_}, std::move(payload)}, results);
  }

  uint64_t position_ = 0;
  int64_t now_ms_ = 1'000'000;
};

TEST(PlanState, APlanGoesOnFromARestoredState) {
  Node one, other;
  one.send(0, 40);
  other.send(0, 40);
  ASSERT_EQ(other.restore(one.state()), "");
  EXPECT_EQ(other.state(), one.state());
  one.results.lines.clear();
  other.results.lines.clear();
  one.send(40, 40);
  other.send(40, 40);
  EXPECT_FALSE(one.results.lines.empty());
  EXPECT_EQ(one.results.lines, other.results.lines);
  EXPECT_EQ(other.state(), one.state());
}

TEST(PlanState, AStateThatEndsEarlyIsRefusedAndChangesNothing) {
  Node node;
  node.send(0, 10);
  std::string state = node.state();
  for (size_t size = 0; size < state.size(); ++size) {
    EXPECT_NE(node.restore(state.substr(0, size)), "") << size << " bytes of " << state.size();
  }
  EXPECT_NE(node.restore(state + "x"), "");
  EXPECT_EQ(node.state(), state);
}

TEST(PlanState, AStateOfAnotherPlanIsRefused) {
  Engine engine;
  Results results;
  DeployPayload payload{"plan", "define stream S (a int); from S#window.length(5) insert into O;"};
  engine.apply({{{1}, {1}}, {0}, payload}, results);
  Node node;
  EXPECT_NE(node.restore(engine.save_state("plan")), "");
  EXPECT_NE(engine.restore_state("plan", node.state()), "");
  EXPECT_NE(engine.restore_state("nobody", node.state()), "");
}

TEST(PlanState, CountsBeyondTheBytesAreRefusedWithoutMemory) {
  Node node;
  node.send(0, 10);
  std::string state = node.state();
  size_t refused = 0;
  for (size_t at = 0; at + 4 <= state.size(); ++at) {
    std::string hostile = state;
    hostile.replace(at, 4, "\xff\xff\xff\x7f");
    refused += node.restore(hostile).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, state.size() / 10);  // the rest are values that nobody can judge
  EXPECT_EQ(node.restore(state), "");
}

}  // namespace
}  // namespace pollux
