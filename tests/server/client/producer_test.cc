// The producer against gRPC servers in this process; two that share an intake are twins.
#include "server/client/producer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include "tests/server/client/cut_proxy.h"
#include "tests/server/grpc/grpc_testing.h"
#include "tests/server/grpc/memory_intake.h"

namespace pollux {
namespace {

using std::chrono::milliseconds;

/// Port 1 is reserved: nobody listens there.
constexpr const char* kNobody = "127.0.0.1:1";

class ProducerTest : public testing::Test {
 protected:
  ProducerTest() { options_ = {.stream = "LoginStream", .producer = "p"}; }

  void start(std::vector<std::string> targets) {
    options_.targets = std::move(targets);
    auto producer = Producer::start(options_, callbacks());
    ASSERT_TRUE(producer.ok()) << producer.status();
    producer_ = *std::move(producer);
  }
  ProducerCallbacks callbacks() {
    return {.on_acked =
                [this](const ProducerCallbacks::Acked& acked) {
                  std::lock_guard lock(mutex_);
                  acked_.push_back(acked);
                  if (on_acked_) on_acked_(acked_.size());
                },
            .on_refused =
                [this](const ProducerCallbacks::Refused& refused) {
                  std::lock_guard lock(mutex_);
                  refused_.push_back(refused);
                },
            .on_trouble =
                [this](const std::string& text) {
                  std::lock_guard lock(mutex_);
                  troubles_.push_back(text);
                }};
  }
  void send(uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; ++i) {
      absl::Status sent = producer_->send(logins(1, i));
      ASSERT_TRUE(sent.ok()) << sent;
    }
  }
  void flush() {
    absl::Status flushed = producer_->flush();
    ASSERT_TRUE(flushed.ok()) << flushed;
  }
  /// Rows 0, 1, 2, ... of this producer, each once and in order.
  void expect_rows(uint32_t count, const std::string& producer = "p") {
    uint32_t next = 0;
    for (const MemoryIntake::Entry& entry : intake_.entries()) {
      if (entry.producer != producer) continue;
      ASSERT_EQ(entry.batch->timestamps()[0], logins(1, next)->timestamps()[0]) << next;
      ++next;
    }
    EXPECT_EQ(next, count);
  }
  size_t acked() const {
    std::lock_guard lock(mutex_);
    return acked_.size();
  }
  size_t troubles() const {
    std::lock_guard lock(mutex_);
    return troubles_.size();
  }

  MemoryIntake intake_{login_stream()};
  LogsByName logs_;
  std::unique_ptr<GrpcServer> server_ = started(intake_, logs_);
  std::unique_ptr<GrpcServer> twin_ = started(intake_, logs_);

  ProducerOptions options_;
  mutable std::mutex mutex_;
  std::vector<ProducerCallbacks::Acked> acked_;
  std::vector<ProducerCallbacks::Refused> refused_;
  std::vector<std::string> troubles_;
  std::function<void(size_t)> on_acked_;  // with how many there are
  std::unique_ptr<Producer> producer_;    // last: it calls back
};

// ---- faults ----

TEST_F(ProducerTest, OneOfTwoTargetsMayBeDownFromTheStart) {
  start({kNobody, target_of(*server_)});
  send(0, 100);
  flush();
  expect_rows(100);
  EXPECT_EQ(producer_->counters().failovers, 0u) << "there was none to turn from";
}

TEST_F(ProducerTest, ConnectionsThatAreCutLoseNothingAndDoubleNothing) {
  CutProxy proxy(server_->port());
  on_acked_ = [&](size_t count) {
    if (count % 50 == 0) proxy.cut();
  };
  start({proxy.target()});
  send(0, 500);
  flush();
  expect_rows(500);
  EXPECT_EQ(acked(), 500u);
  EXPECT_GE(producer_->counters().reconnects, 3u);
}

TEST_F(ProducerTest, WhenOneOfTwoDiesTheOtherGetsWhatIsUnanswered) {
  start({target_of(*server_), target_of(*twin_)});
  std::thread sends([&] { send(0, 400); });
  EXPECT_TRUE(eventually([&] { return acked() >= 100; }));
  server_.reset();
  sends.join();
  flush();
  expect_rows(400);
  EXPECT_EQ(producer_->counters().failovers, 1u);
  ASSERT_FALSE(troubles_.empty());
  EXPECT_NE(troubles_[0].find("connecting again to " + target_of(*twin_)), std::string::npos)
      << troubles_[0];
}

TEST_F(ProducerTest, AServerOfWhichNothingIsHeardIsTurnedFrom) {
  CutProxy proxy(server_->port());
  options_.ping_interval = milliseconds(1'000);
  start({proxy.target(), target_of(*twin_)});
  send(0, 20);
  flush();
  proxy.freeze(true);
  send(20, 100);
  flush();
  expect_rows(100);
  EXPECT_EQ(producer_->counters().failovers, 1u);
}

TEST_F(ProducerTest, AServerThatIsBusyIsAskedWhetherItLivesAndNotTurnedFrom) {
  CutProxy proxy(server_->port());
  options_.ping_interval = milliseconds(1'000);
  start({proxy.target(), target_of(*twin_)});
  intake_.hold();
  send(0, 1);
  EXPECT_TRUE(eventually([&] { return intake_.queued() == 1; }));
  // More pings than gRPC forgives a client that may not send any.
  const uint64_t reads = proxy.reads();
  EXPECT_TRUE(eventually([&] { return proxy.reads() >= reads + 5; }));
  intake_.let_go();
  flush();
  expect_rows(1);
  EXPECT_EQ(producer_->counters().reconnects, 0u);
}

TEST_F(ProducerTest, WhenBothAreDownForTooLongItIsOverAndSaysSo) {
  options_.retry_for = milliseconds(300);
  start({kNobody, "127.0.0.1:2"});
  send(0, 2);
  absl::Status over = producer_->flush();
  EXPECT_EQ(over.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(over.message().find("for 300 ms by 127.0.0.1:1 or 127.0.0.1:2: cannot connect to"),
            std::string::npos)
      << over;
  EXPECT_EQ(producer_->send(logins(1)), over);
  EXPECT_EQ(producer_->close(), over);
}

TEST_F(ProducerTest, AServerThatLacksWhatTheOtherAcknowledgedIsDataLoss) {
  MemoryIntake empty(login_stream());
  twin_ = started(empty, logs_);
  start({target_of(*server_), target_of(*twin_)});
  send(0, 5);
  flush();
  server_.reset();
  send(5, 6);
  absl::Status over = producer_->flush();
  EXPECT_EQ(over.code(), absl::StatusCode::kDataLoss) << over;
  EXPECT_NE(over.message().find("has forgotten batches 1 to 5"), std::string::npos) << over;
  EXPECT_EQ(producer_->send(logins(1)), over);
  EXPECT_TRUE(empty.entries().empty());
  producer_.reset();
  twin_.reset();
}

TEST_F(ProducerTest, SoIsOneThatLacksWhatAnEarlierProgramHadAcknowledged) {
  options_.first_number = 6;
  start({target_of(*server_)});
  send(0, 1);
  absl::Status over = producer_->flush();
  EXPECT_EQ(over.code(), absl::StatusCode::kDataLoss) << over;
  EXPECT_TRUE(intake_.entries().empty());
}

// ---- back-pressure ----

TEST_F(ProducerTest, AFullBufferHoldsTheCallerUpUntilThereIsRoom) {
  options_.batches_in_flight_max = 2;
  options_.buffered_batches_max = 4;
  intake_.hold();
  start({target_of(*server_)});
  send(0, 4);
  EXPECT_TRUE(eventually([&] { return intake_.queued() == 2; }));
  auto fifth = std::async(std::launch::async, [&] { return producer_->send(logins(1, 4)); });
  EXPECT_EQ(fifth.wait_for(milliseconds(50)), std::future_status::timeout);
  EXPECT_EQ(producer_->counters().sent, 4u);
  EXPECT_EQ(intake_.queued(), 2u) << "no more than the window";
  intake_.let_go();
  EXPECT_TRUE(fifth.get().ok());
  flush();
  expect_rows(5);
}

TEST_F(ProducerTest, BytesAreBoundedTooButOneBatchIsAlwaysTaken) {
  options_.buffered_bytes_max = 1;
  intake_.hold();
  start({target_of(*server_)});
  send(0, 1);
  auto second = std::async(std::launch::async, [&] { return producer_->send(logins(1, 1)); });
  EXPECT_EQ(second.wait_for(milliseconds(50)), std::future_status::timeout);
  intake_.let_go();
  EXPECT_TRUE(second.get().ok());
  flush();
  expect_rows(2);
}

TEST_F(ProducerTest, ACallerThatIsHeldUpIsReleasedWhenItIsOver) {
  options_.buffered_batches_max = 1;
  options_.retry_for = milliseconds(100);
  start({kNobody});
  send(0, 1);
  EXPECT_EQ(producer_->send(logins(1)).code(), absl::StatusCode::kUnavailable);
}

// ---- answers ----

TEST_F(ProducerTest, EachBatchIsAcknowledgedOnceAndInOrder) {
  start({target_of(*server_)});
  send(0, 100);
  ASSERT_TRUE(producer_->close().ok());
  ASSERT_EQ(acked_.size(), 100u);
  for (size_t i = 0; i < acked_.size(); ++i) {
    EXPECT_EQ(acked_[i].number, i + 1);
    EXPECT_EQ(acked_[i].id, intake_.entries()[i].id);
    EXPECT_FALSE(acked_[i].duplicate);
  }
  EXPECT_EQ(producer_->send(logins(1)).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ProducerTest, TheSameBatchesUnderTheSameNameAreDuplicates) {
  for (int run = 0; run < 2; ++run) {
    start({target_of(*server_)});
    send(0, 10);
    flush();
  }
  expect_rows(10);
  EXPECT_EQ(producer_->counters().acked, 10u);
  EXPECT_EQ(producer_->counters().duplicates, 10u);
}

std::shared_ptr<EventBatch> with_bad_row() {
  auto batch = std::make_shared<EventBatch>(login_stream());
  batch->append_string(0, "\xff is no UTF-8");
  batch->append_string(1, "10.0.0.1");
  batch->append_value(2, true);
  batch->append_string(3, "here");
  batch->append_value(4, int64_t{1});
  batch->append_value(5, 0.5);
  batch->end_row(1'700'000'000'000);
  return batch;
}

TEST_F(ProducerTest, ABatchWithBadRowsStopsWhatIsBehindIt) {
  start({target_of(*server_)});
  send(0, 3);
  ASSERT_TRUE(producer_->send(with_bad_row()).ok());
  absl::Status over = producer_->flush();
  EXPECT_EQ(over.code(), absl::StatusCode::kInvalidArgument) << over;
  EXPECT_EQ(producer_->send(logins(1, 3)), over);
  expect_rows(3);
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].number, 4u);
  ASSERT_EQ(refused_[0].details.size(), 1u);
  EXPECT_NE(refused_[0].details[0].find("row 0 of batch 4: username"), std::string::npos)
      << refused_[0].details[0];
}

TEST_F(ProducerTest, OrIsPassedOverAndTheRestTakesItsNumber) {
  options_.go_on_after_refusal = true;
  intake_.hold();
  start({target_of(*server_)});
  send(0, 3);
  ASSERT_TRUE(producer_->send(with_bad_row()).ok());
  ASSERT_TRUE(producer_->send(with_bad_row()).ok());
  send(3, 20);
  intake_.let_go();
  flush();
  expect_rows(20);
  EXPECT_EQ(producer_->counters().refused, 2u);
  EXPECT_EQ(refused_.size(), 2u);
  ASSERT_EQ(acked_.size(), 20u);
  EXPECT_EQ(acked_.back().number, 20u);
}

TEST_F(ProducerTest, TwoProducersOfDifferentNamesDoNotMeet) {
  CutProxy proxy(server_->port());
  std::atomic<int> acks = 0;
  auto run = [&](const std::string& name) {
    auto producer = Producer::start(
        {.targets = {proxy.target(), target_of(*twin_)}, .stream = "LoginStream", .producer = name},
        {.on_acked = [&](const ProducerCallbacks::Acked&) {
          if (++acks % 100 == 0) proxy.cut();
        }});
    ASSERT_TRUE(producer.ok());
    for (uint32_t i = 0; i < 300; ++i) ASSERT_TRUE((*producer)->send(logins(1, i)).ok());
    absl::Status closed = (*producer)->close();
    EXPECT_TRUE(closed.ok()) << closed;
    EXPECT_EQ((*producer)->counters().acked, 300u);
  };
  std::thread other(run, "other");
  run("one");
  other.join();
  expect_rows(300, "one");
  expect_rows(300, "other");
}

TEST_F(ProducerTest, WrongOptionsAreToldAllAtOnce) {
  auto producer = Producer::start({.targets = {"a:1", "b:1", "c:1"}, .first_number = 0});
  EXPECT_EQ(producer.status().message(),
            "targets: one or two are needed; stream: empty; producer: empty; first_number: at "
            "least 1");
}

// ---- with channels that say what they are told to ----

/// Answers each batch at once.
class ScriptedChannel final : public BatchChannel {
 public:
  using Script = std::function<BatchReply(uint64_t number)>;
  ScriptedChannel(Script script, Callbacks callbacks)
      : script_(std::move(script)), callbacks_(std::move(callbacks)) {}
  absl::Status send(const EventBatch& /*batch*/, uint64_t number) override {
    BatchReply reply = script_(number);
    reply.number = number;
    callbacks_.on_reply(std::move(reply));
    return absl::OkStatus();
  }
  void cancel() override {}

 private:
  Script script_;
  Callbacks callbacks_;
};

TEST_F(ProducerTest, WhatIsRefusedForNowIsSentAgainWhenTheServerSays) {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> tries;
  options_.targets = {"scripted"};
  auto producer = Producer::start(
      options_, callbacks(), [&](const std::string& /*target*/, BatchChannel::Callbacks on) {
        return std::make_unique<ScriptedChannel>(
            [&](uint64_t /*number*/) -> BatchReply {
              tries.push_back(Clock::now());
              if (tries.size() == 1) {
                return {.status = absl::ResourceExhaustedError("full"), .retry_after_ms = 150};
              }
              if (tries.size() == 2) return {.status = absl::AbortedError("changed")};
              return {};
            },
            std::move(on));
      });
  ASSERT_TRUE(producer.ok());
  ASSERT_TRUE((*producer)->send(logins(7)).ok());
  ASSERT_TRUE((*producer)->close().ok());
  ASSERT_EQ(tries.size(), 3u);
  EXPECT_GE(tries[1] - tries[0], milliseconds(150));
  EXPECT_EQ((*producer)->counters().put_off, 7u);
  EXPECT_EQ((*producer)->counters().acked, 7u);
  EXPECT_EQ((*producer)->counters().reconnects, 0u);
}

TEST_F(ProducerTest, ANodeThatDoesNotTakeABatchIsTurnedFromAtOnceAndThenLessAndLess) {
  std::vector<std::string> asked;
  options_.targets = {"passive", "active"};
  auto producer = Producer::start(
      options_, callbacks(), [&](const std::string& target, BatchChannel::Callbacks on) {
        asked.push_back(target);
        const bool takes = asked.size() >= 4;
        return std::make_unique<ScriptedChannel>(
            [takes](uint64_t) -> BatchReply {
              if (takes) return {};
              return {.status = absl::UnavailableError("the outcome is unknown")};
            },
            std::move(on));
      });
  ASSERT_TRUE(producer.ok());
  ASSERT_TRUE((*producer)->send(logins(1)).ok());
  ASSERT_TRUE((*producer)->close().ok());
  EXPECT_EQ(asked, (std::vector<std::string>{"passive", "active", "passive", "active"}));
  EXPECT_EQ((*producer)->counters().failovers, 3u);
}

}  // namespace
}  // namespace pollux
