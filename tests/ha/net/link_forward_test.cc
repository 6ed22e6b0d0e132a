// Forwarded batches over a link: each is answered once, whatever happens.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ha/net/peer_link.h"
#include "tests/ha/net/link_node.h"
#include "tests/ha/net/raw_peer.h"
#include "tests/ha/wire/random_messages.h"

namespace pollux {
namespace {

/// What became of forwards; those that are answered later hold on to it. Thread: any.
class Answers {
 public:
  std::function<void(ForwardedAnswer)> taker() {
    return [kept = kept_](ForwardedAnswer answer) {
      std::lock_guard lock(kept->mutex);
      kept->answers.push_back(std::move(answer));
      kept->changed.notify_all();
    };
  }
  void wait_for(size_t count) {
    std::unique_lock lock(kept_->mutex);
    ASSERT_TRUE(
        kept_->changed.wait_for(lock, kPatience, [&] { return kept_->answers.size() >= count; }));
  }
  std::vector<ForwardedAnswer> all() {
    std::lock_guard lock(kept_->mutex);
    return kept_->answers;
  }
  size_t count_of(absl::StatusCode code) {
    size_t count = 0;
    for (const ForwardedAnswer& one : all()) count += one.status.code() == code ? 1U : 0U;
    return count;
  }

 private:
  struct Kept {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<ForwardedAnswer> answers;
  };

  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};

ForwardedBatch some_batch(uint64_t seed = 1) { return RandomMessages(seed).forward(); }

/// The forward connection comes up by itself, soon before or behind the others.
void wait_for_way(LinkNode& node) {
  auto until = LinkNode::Clock::now() + kPatience;
  while (true) {
    Answers answers;
    node.link().forward(some_batch(), answers.taker());
    answers.wait_for(1);
    if (answers.all()[0].status.ok()) return;
    ASSERT_LT(LinkNode::Clock::now(), until);
  }
}

struct ForwardingPair : LinkPair {
  void begin_and_wait() {
    b.when_forwarded = [](const ForwardedBatch&, const ForwardAnswerer& answer) { answer({}); };
    begin_and_connect();
    wait_for_way(a);
  }
};

TEST(LinkForward, BatchesAreAnsweredBothWays) {
  ForwardingPair pair;
  pair.begin_and_wait();
  ForwardedBatch batch = some_batch(9);
  Answers answers;
  auto until = LinkNode::Clock::now() + kPatience;
  std::vector<std::pair<ForwardedBatch, ForwardAnswerer>> came;
  while (came.empty()) {
    ASSERT_LT(LinkNode::Clock::now(), until);
    pair.b.link().forward(batch, answers.taker());
    if (answers.all().empty()) pair.a.wait_forwards(1);
    came = pair.a.take_forwards();
  }
  EXPECT_EQ(came[0].first.events.producer, batch.events.producer);
  EXPECT_EQ(came[0].first.events.number, batch.events.number);
  EXPECT_EQ(came[0].first.wait, batch.wait);
  size_t before = answers.all().size();
  ForwardedAnswer given;
  given.status = absl::FailedPreconditionError("a number is missing");
  given.expected_number = 7;
  given.id = {{1}, {2}};
  came[0].second(given);
  answers.wait_for(before + 1);
  ForwardedAnswer heard = answers.all().back();
  EXPECT_EQ(heard.status, given.status);
  EXPECT_EQ(heard.expected_number, 7U);
  EXPECT_EQ(heard.id, given.id);
}

TEST(LinkForward, WithoutAWayItIsAnsweredAtOnce) {
  LinkNode a("a");
  a.begin();
  Answers answers;
  a.link().forward(some_batch(), answers.taker());
  ASSERT_EQ(answers.all().size(), 1U);
  EXPECT_TRUE(absl::IsUnavailable(answers.all()[0].status));
}

TEST(LinkForward, OneBeyondTheCreditIsRefusedAtOnce) {
  ForwardingPair pair;
  pair.a.options.forwards_max = 3;
  pair.begin_and_wait();
  pair.b.change([&] { pair.b.when_forwarded = nullptr; });
  Answers answers;
  for (int i = 0; i < 5; ++i) pair.a.link().forward(some_batch(), answers.taker());
  EXPECT_EQ(answers.count_of(absl::StatusCode::kResourceExhausted), 2U);
  pair.b.wait_forwards(3);
  for (auto& [batch, answer] : pair.b.take_forwards()) answer({});
  answers.wait_for(5);
  EXPECT_EQ(answers.count_of(absl::StatusCode::kOk), 3U);
  pair.a.link().forward(some_batch(), answers.taker());
  pair.b.wait_forwards(1);
}

TEST(LinkForward, CreditIsCountedInBytesToo) {
  ForwardingPair pair;
  pair.a.options.forward_bytes_max = 1;
  pair.begin_and_wait();
  pair.b.change([&] { pair.b.when_forwarded = nullptr; });
  Answers answers;
  for (int i = 0; i < 2; ++i) pair.a.link().forward(some_batch(), answers.taker());
  EXPECT_EQ(answers.count_of(absl::StatusCode::kResourceExhausted), 1U) << "one goes alone";
}

TEST(LinkForward, WhoTakesLessThanIsSentRefusesTheRest) {
  ForwardingPair pair;
  pair.b.options.forwards_max = 2;
  pair.begin_and_wait();
  pair.b.change([&] { pair.b.when_forwarded = nullptr; });
  Answers answers;
  for (int i = 0; i < 5; ++i) pair.a.link().forward(some_batch(), answers.taker());
  answers.wait_for(3);
  EXPECT_EQ(answers.count_of(absl::StatusCode::kResourceExhausted), 3U);
  EXPECT_EQ(pair.b.counters().forwards_beyond_credit, 3U);
}

TEST(LinkForward, WhatIsNotAnsweredBeforeTheEndIsUnavailable) {
  ForwardingPair pair;
  pair.begin_and_wait();
  pair.b.change([&] { pair.b.when_forwarded = nullptr; });
  Answers answers;
  for (int i = 0; i < 10; ++i) pair.a.link().forward(some_batch(), answers.taker());
  pair.b.wait_forwards(10);
  auto taken = pair.b.take_forwards();
  pair.b.end();
  answers.wait_for(10);
  EXPECT_EQ(answers.count_of(absl::StatusCode::kUnavailable), 10U);
  for (auto& [batch, answer] : taken) answer({});  // too late, and harmless
}

TEST(LinkForward, EveryOneIsAnsweredOnceWhenItsOwnLinkEnds) {
  ForwardingPair pair;
  pair.begin_and_wait();
  pair.b.change([&] { pair.b.when_forwarded = nullptr; });
  Answers answers;
  for (int i = 0; i < 10; ++i) pair.a.link().forward(some_batch(), answers.taker());
  pair.a.end();
  EXPECT_EQ(answers.all().size(), 10U);
}

TEST(LinkForward, AConnectionThatStandsAtTheOtherEndOnlyIsNotTheLast) {
  ForwardingPair pair;
  pair.b.when_forwarded = [](const ForwardedBatch&, const ForwardAnswerer& answer) { answer({}); };
  pair.a.begin();
  pair.b.begin();
  // What b takes for a connection of a's: so it seems when an end is late in being noticed.
  std::optional<RawPeer> former(pair.b.link().event_sync_port());
  former->say(bytes_of(HandshakeOffer{ConnectionKind::kForward, pair.a.link().card()}));
  pair.a.wait_connected();
  pair.b.wait_connected();
  wait_for_count(pair.b.counters().refused[static_cast<size_t>(Refusal::kDuplicate)], 1);
  former.reset();
  wait_for_way(pair.a);
}

TEST(LinkForward, ManyThreadsForwardWhileNodesComeAndGo) {
  ForwardingPair pair;
  pair.begin_and_wait();
  pair.b.keep_ports();
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> asked = 0;
  std::atomic<uint64_t> answered = 0;
  std::atomic<uint64_t> good = 0;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      ForwardedBatch batch = some_batch(t);
      while (!stop) {
        ++asked;
        pair.a.link().forward(batch, [&](const ForwardedAnswer& answer) {
          if (answer.status.ok()) ++good;
          ++answered;
        });
        std::this_thread::yield();
      }
    });
  }
  for (int times = 2; times < 5; ++times) {
    uint64_t before = good;
    pair.b.end();
    pair.b.begin();
    pair.a.wait_connected(times);
    auto until = LinkNode::Clock::now() + kPatience;
    while (good < before + 50) ASSERT_LT(LinkNode::Clock::now(), until);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  pair.a.end();
  EXPECT_EQ(asked, answered);
}

}  // namespace
}  // namespace pollux
