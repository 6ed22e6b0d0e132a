#include <gtest/gtest.h>

#include <atomic>

#include "tests/server/grpc/grpc_testing.h"
#include "tests/server/grpc/memory_intake.h"

namespace pollux {
namespace {

constexpr size_t kLogBytes = size_t{64} << 20;

/// Results as they come, with their ids.
class Taken {
 public:
  SubscribeClient::OnResults taker() {
    return [this](const ReceivedResults& results) {
      std::lock_guard lock(mutex_);
      for (uint32_t row = 0; row < results.batch->rows(); ++row) ids_.push_back(results.id(row));
      batches_.push_back(results.batch);
    };
  }
  std::vector<std::string> ids() const {
    std::lock_guard lock(mutex_);
    return ids_;
  }
  std::vector<EventBatchPtr> batches() const {
    std::lock_guard lock(mutex_);
    return batches_;
  }
  bool come_to(size_t rows) const {
    return eventually([&] { return ids().size() >= rows; });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> ids_;
  std::vector<EventBatchPtr> batches_;
};

class GrpcSubscribe : public testing::Test {
 protected:
  void start(const GrpcLimits& limits = {}, size_t log_bytes = kLogBytes) {
    log_ = std::make_shared<ResultLog>(login_stream(), log_bytes);
    logs_.add(log_);
    server_ = started(intake_, logs_, limits);
  }

  /// What the entry at `position` caused: rows with ordinals 0, 2, 4, ...
  void append(uint64_t position, uint32_t rows) {
    ResultSlice slice;
    slice.plan = plan_;
    slice.cause = {Epoch{2}, Position{position}};
    slice.batch = logins(rows, static_cast<uint32_t>(position));
    for (uint32_t row = 0; row < rows; ++row) slice.ordinals.push_back(row * 2);
    log_->append(std::move(slice));
    log_->flush();
  }

  absl::StatusOr<std::unique_ptr<SubscribeClient>> subscribe(
      Taken& taken, const std::string& after_id = {}, const std::string& stream = "LoginStream") {
    return SubscribeClient::open(
        {.target = target_of(*server_), .stream = stream, .after_id = after_id}, taken.taker());
  }

  std::shared_ptr<const std::string> plan_ = std::make_shared<const std::string>("Alerts");
  MemoryIntake intake_{login_stream()};
  std::shared_ptr<ResultLog> log_;
  LogsByName logs_;
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(GrpcSubscribe, EndsWithTheLogWhenAllIsSent) {
  start();
  auto writer = log_->write();
  Taken taken;
  auto client = subscribe(taken);
  ASSERT_TRUE(client.ok()) << client.status();
  append(1, 5);
  writer.reset();
  EXPECT_EQ((*client)->wait().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(taken.ids().size(), 5u);
}

TEST_F(GrpcSubscribe, ResultsComeInOrderWithTheirIdsFromTheSubscriptionOn) {
  start();
  append(1, 3);
  Taken taken;
  auto client = subscribe(taken);
  ASSERT_TRUE(client.ok()) << client.status();
  append(2, 2);
  append(3, 1);
  ASSERT_TRUE(taken.come_to(3));
  EXPECT_EQ(taken.ids(), (std::vector<std::string>{"-1234/Alerts/2.2.0", "-1234/Alerts/2.2.2",
                                                   "-1234/Alerts/2.3.0"}));
  EXPECT_EQ(taken.batches()[0]->value(1, 0), logins(2, 2)->value(1, 0));
  EXPECT_EQ(taken.batches()[0]->timestamps(), logins(2, 2)->timestamps());
  EXPECT_TRUE(taken.batches()[0]->schema().same_attributes(*login_stream()));
  (*client)->cancel();
  EXPECT_EQ((*client)->wait().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(eventually([&] { return server_->counters().streams_open == 0; }));
  append(4, 1);  // nobody listens any more
}

TEST_F(GrpcSubscribe, ASubscriptionGoesOnBehindAnIdEvenInTheMiddleOfAnEntry) {
  start();
  for (uint64_t position = 1; position <= 3; ++position) append(position, 3);
  Taken taken;
  auto client = subscribe(taken, "-1234/Alerts/2.2.2");
  ASSERT_TRUE(client.ok()) << client.status();
  ASSERT_TRUE(taken.come_to(4));
  append(4, 1);
  ASSERT_TRUE(taken.come_to(5));
  EXPECT_EQ(taken.ids(), (std::vector<std::string>{"-1234/Alerts/2.2.4", "-1234/Alerts/2.3.0",
                                                   "-1234/Alerts/2.3.2", "-1234/Alerts/2.3.4",
                                                   "-1234/Alerts/2.4.0"}));
}

TEST_F(GrpcSubscribe, LargeResultsAreCutIntoMessages) {
  start({.results_rows_max = 10});
  append(1, 1);
  Taken taken;
  auto client = subscribe(taken, "-1234/Alerts/2.1.0");
  ASSERT_TRUE(client.ok()) << client.status();
  append(2, 95);
  ASSERT_TRUE(taken.come_to(95));
  EXPECT_EQ(taken.batches().size(), 10u);
  EXPECT_EQ(taken.ids().back(), "-1234/Alerts/2.2.188");
  EXPECT_TRUE(eventually([&] { return server_->counters().results_sent == 95; }));
}

TEST_F(GrpcSubscribe, RefusalsSayWhatIsWrong) {
  start();
  append(7, 1);
  Taken taken;
  auto unknown = subscribe(taken, {}, "Nobody");
  ASSERT_EQ(unknown.status().code(), absl::StatusCode::kNotFound) << unknown.status();
  EXPECT_EQ(unknown.status().message(), "stream: no plan has results for a stream \"Nobody\"");
  for (const char* no_id : {"7", "-1234/Alerts/2.7", "-1234/Alerts/2..0", "-1234/2.7.0",
                            "-1234/Alerts/2.7.0.1", "-1234/Alerts/2.7.x"}) {
    auto refused = subscribe(taken, no_id);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << no_id;
  }
}

TEST_F(GrpcSubscribe, AnIdThatIsForgottenIsOutOfRangeAndTheOldestIsNamed) {
  start({}, 1);
  for (uint64_t position = 1; position <= 5; ++position) append(position, 50);
  ResultLog::Read oldest = log_->read(log_->begin(), 1);
  std::string expected = oldest.slices.empty()
                             ? "the log holds none now"
                             : "the oldest is " + result_id(*oldest.slices.front(), 0);
  Taken taken;
  auto client = subscribe(taken, "-1234/Alerts/2.1.0");
  ASSERT_EQ(client.status().code(), absl::StatusCode::kOutOfRange) << client.status();
  EXPECT_EQ(client.status().message(),
            "after_id: \"-1234/Alerts/2.1.0\" is not among the results held; " + expected);
}

TEST_F(GrpcSubscribe, AnIdThatIsNotMadeYetIsToBeTriedAgain) {
  start({});
  append(1, 1);
  logs_.to_come = "-1234/Alerts/2.2.0";
  Taken taken;
  EXPECT_EQ(subscribe(taken, logs_.to_come).status().code(), absl::StatusCode::kUnavailable);
  append(2, 1);
  EXPECT_TRUE(subscribe(taken, logs_.to_come).ok());
}

TEST_F(GrpcSubscribe, ASubscriberThatIsTooSlowIsEndedAndToldWhatIsLeft) {
  start({.results_rows_max = 100}, size_t{1} << 20);
  append(1, 1);
  std::mutex gate;  // held: the subscriber takes nothing
  std::unique_lock closed(gate);
  std::atomic<uint64_t> rows = 0;
  auto client = SubscribeClient::open({.target = target_of(*server_), .stream = "LoginStream"},
                                      [&](const ReceivedResults& results) {
                                        std::lock_guard wait(gate);
                                        rows += results.batch->rows();
                                      });
  ASSERT_TRUE(client.ok()) << client.status();
  append(2, 1000);
  ASSERT_TRUE(eventually([&] { return server_->counters().results_sent > 0; }));
  // More than the connection's buffers and the log can hold together.
  for (uint64_t position = 3; position < 2000; ++position) append(position, 1000);
  closed.unlock();
  absl::Status ended = (*client)->wait();
  EXPECT_EQ(ended.code(), absl::StatusCode::kOutOfRange) << ended;
  EXPECT_EQ(ended.message().substr(0, 43), "too slow: the results behind -1234/Alerts/2") << ended;
  EXPECT_NE(std::string(ended.message()).find("the oldest is -1234/Alerts/2."), std::string::npos);
  EXPECT_EQ(server_->counters().subscribers_too_slow, 1u);
  EXPECT_LT(rows, 1'999'000u);
}

TEST_F(GrpcSubscribe, ASubscriberThatDisappearsIsForgotten) {
  start();
  Taken taken;
  for (int i = 0; i < 20; ++i) {
    auto client = subscribe(taken);
    ASSERT_TRUE(client.ok()) << client.status();
    append(static_cast<uint64_t>(i) + 1, 10);
  }
  EXPECT_TRUE(eventually([&] { return server_->counters().streams_open == 0; }));
  append(100, 1);
}

TEST_F(GrpcSubscribe, AServerThatStopsEndsSubscriptionsWithUnavailable) {
  start();
  Taken taken;
  auto client = subscribe(taken);
  ASSERT_TRUE(client.ok()) << client.status();
  server_->stop(kPatience);
  EXPECT_EQ((*client)->wait().code(), absl::StatusCode::kUnavailable);
  server_.reset();
  append(1, 1);
}

TEST_F(GrpcSubscribe, AHundredSubscribersSeeTheSame) {
  start();
  constexpr size_t kSubscribers = 100;
  std::vector<Taken> taken(kSubscribers);
  std::vector<std::unique_ptr<SubscribeClient>> clients;
  for (Taken& by : taken) {
    auto client = subscribe(by);
    ASSERT_TRUE(client.ok()) << client.status();
    clients.push_back(*std::move(client));
  }
  for (uint64_t position = 1; position <= 50; ++position) append(position, 4);
  for (Taken& by : taken) ASSERT_TRUE(by.come_to(200));
  for (Taken& by : taken) EXPECT_EQ(by.ids(), taken[0].ids());
}

}  // namespace
}  // namespace pollux
