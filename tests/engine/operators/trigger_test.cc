#include "engine/operators/trigger.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/runtime/engine.h"

namespace pollux {
namespace {

struct Times : ResultSink {
  void on_result(const ResultBatch& results) override {
    for (uint32_t row = 0; row < results.batch->rows(); ++row) {
      seen.push_back(std::string(results.stream) + " " + to_text(results.batch->value(row, 0)));
    }
  }
  std::vector<std::string> seen;
};

class TriggerTest : public testing::Test {
 protected:
  ApplyOutcome deploy(const std::string& text, int64_t now_ms) {
    return engine_.apply({{{1}, {++position_}}, {now_ms}, DeployPayload{"plan", text}}, times_);
  }
  void tick(int64_t now_ms) {
    engine_.apply({{{1}, {++position_}}, {now_ms}, TickPayload{}}, times_);
  }
  std::vector<std::string> seen() { return std::exchange(times_.seen, {}); }

  Engine engine_;
  Times times_;
  uint64_t position_ = 0;
};

TEST_F(TriggerTest, AtTheStartIsWhenThePlanIsDeployed) {
  deploy("define trigger T at 'start'; from T select triggered_time as t insert into Out;", 5000);
  EXPECT_EQ(seen(), (std::vector<std::string>{"Out 5000"}));
  tick(90000);
  EXPECT_TRUE(seen().empty());
}

TEST_F(TriggerTest, EverySoOftenFromTheStartOn) {
  deploy("define trigger T at every 5 sec; from T select triggered_time as t insert into Out;",
         1000);
  EXPECT_TRUE(seen().empty());
  EXPECT_EQ(engine_.next_deadline()->ms, 6000);
  tick(6000);
  EXPECT_EQ(seen(), (std::vector<std::string>{"Out 6000"}));
  tick(10999);
  EXPECT_TRUE(seen().empty());
  tick(16000);  // one that was missed comes with the next
  EXPECT_EQ(seen(), (std::vector<std::string>{"Out 16000", "Out 16000"}));
}

TEST_F(TriggerTest, ByCronFromMomentToMoment) {
  deploy("define trigger T at '*/10 * * * * ?'; from T select triggered_time as t insert into Out;",
         1700000001000);
  EXPECT_EQ(engine_.next_deadline()->ms, 1700000010000);
  tick(1700000010000);
  EXPECT_EQ(seen(), (std::vector<std::string>{"Out 1700000010000"}));
  tick(1700000045000);  // what a leap passed over is not caught up with
  EXPECT_EQ(seen(), (std::vector<std::string>{"Out 1700000045000"}));
  EXPECT_EQ(engine_.next_deadline()->ms, 1700000050000);
}

TEST_F(TriggerTest, MistakesAreTold) {
  EXPECT_EQ(deploy("define trigger T at every 0 sec;", 0).status, ApplyStatus::kRejected);
  EXPECT_EQ(deploy("define stream T (a int); define trigger T at 'start';", 0).status,
            ApplyStatus::kRejected);
  EXPECT_EQ(deploy("define trigger T at '*/5 * * * *';", 0).status, ApplyStatus::kRejected);
  EXPECT_EQ(deploy("define stream T (triggered_time long); define trigger T at 'start';", 0).status,
            ApplyStatus::kApplied);
}

}  // namespace
}  // namespace pollux
