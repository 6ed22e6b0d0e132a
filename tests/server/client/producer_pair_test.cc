// The producer and a pair: what both nodes acknowledge counts once, whichever of them is asked.
#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "server/client/producer.h"
#include "tests/server/pair/pair_testing.h"

namespace pollux {
namespace {

constexpr const char* kCounts =
    "@app:name('Counts') define stream Logins (user string, n int);"
    "from Logins select n, count() as times insert into Counted;";

class ProducerPairTest : public PairProcessTest {
 protected:
  Member& start_pair_with_plan() {
    Member& active = start_pair();
    for (Member* member : {&a(), &b()}) {
      ports_[member->name] = logged_number("listening for gRPC", "port=", member->log);
    }
    deploy(active, kCounts);
    EXPECT_TRUE(becomes_true([&] {
      auto plan = call("GET", other(active).url + "/v1/plans/Counts");
      return plan.ok() && plan->status == 200;
    }));
    return active;
  }
  std::string target(const Member& member) {
    return "127.0.0.1:" + std::to_string(ports_[member.name]);
  }
  /// On the port of gRPC that producers know.
  void start_again(Member& member) {
    start_member(member, "POLLUX__GRPC__PORT=" + std::to_string(ports_[member.name]));
  }

  void start_producer(const std::vector<std::string>& targets) {
    auto started = Producer::start({.targets = targets, .stream = "Logins", .producer = "p"},
                                   {.on_acked = [this](auto&) { ++acked_; }});
    ASSERT_TRUE(started.ok()) << started.status();
    producer_ = *std::move(started);
  }
  void send_batches(int count) {
    static const SchemaPtr schema = std::make_shared<const Schema>(
        "Logins",
        std::vector<Attribute>{{"user", AttributeType::kString}, {"n", AttributeType::kInt}});
    for (int i = 0; i < count; ++i) {
      auto batch = std::make_shared<EventBatch>(schema);
      batch->append_string(0, "ann");
      batch->append_value(1, ++sent_);
      batch->end_row(1'700'000'000'000 + sent_);
      absl::Status taken = producer_->send(std::move(batch));
      ASSERT_TRUE(taken.ok()) << taken;
    }
  }
  bool becomes_acked(int count) {
    return becomes_true([&] { return acked_ >= count; });
  }
  void close() {
    absl::Status closed = producer_->close();
    EXPECT_TRUE(closed.ok()) << closed;
    EXPECT_EQ(acked_, sent_);
  }
  /// Each batch was counted once, in order.
  void expect_counted(const Member& active) {
    const std::vector<std::string> lines = lines_of(results(active, "Counted", sent_));
    ASSERT_EQ(lines.size(), static_cast<size_t>(sent_));
    for (int i = 0; i < sent_; ++i) {
      ASSERT_EQ(number_in(lines[i], "n"), i + 1) << lines[i];
      ASSERT_EQ(number_in(lines[i], "times"), i + 1) << lines[i];
    }
  }

  std::map<std::string, int> ports_;
  int sent_ = 0;
  std::atomic<int> acked_ = 0;
  std::unique_ptr<Producer> producer_;
};

TEST_F(ProducerPairTest, ThePassiveTakesBatchesForTheActive) {
  Member& active = start_pair_with_plan();
  start_producer({target(other(active))});
  send_batches(100);
  close();
  EXPECT_EQ(producer_->counters().reconnects, 0u);
  expect_counted(active);
}

TEST_F(ProducerPairTest, ThroughAFailoverAndASwitchoverEachBatchCountsOnce) {
  Member& first = start_pair_with_plan();
  Member& second = other(first);
  start_producer({target(first), target(second)});
  send_batches(200);
  ASSERT_TRUE(becomes_acked(50));
  kill_member(first);
  send_batches(200);
  ASSERT_TRUE(becomes_acked(250));
  start_again(first);
  ASSERT_EQ(&wait_for_pair(), &second);
  send_batches(200);
  auto ordered = call("POST", second.url + "/v1/cluster/switchover");
  ASSERT_TRUE(ordered.ok());
  ASSERT_EQ(ordered->status, 200) << ordered->body;
  send_batches(200);
  close();
  EXPECT_GE(producer_->counters().failovers, 1u);
  ASSERT_TRUE(becomes_true([&] { return is_ready(first); }));
  expect_counted(first);
}

}  // namespace
}  // namespace pollux
