#include "tests/ha/arbiter/server_contract.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/ha/arbiter/arbiter_history.h"
#include "tests/support/becomes_true.h"

namespace pollux {

std::unique_ptr<Arbiter> ServerContract::client(int64_t timeout_ms) {
  ArbiterOptions options;
  options.domain_name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::replace(options.domain_name.begin(), options.domain_name.end(), '/', '.');
  options.timeout_ms = timeout_ms;
  return store().client(options);
}

namespace {

TEST_P(ServerContract, AKilledServerForgetsNoSuccess) {
  constexpr int kKills = 4;
  constexpr uint64_t kVersionsBetween = 15;
  ArbiterHistory history;
  std::atomic<bool> over = false;
  std::atomic<uint64_t> errors = 0;
  std::vector<std::thread> threads;
  for (uint64_t number = 1; number <= 2; ++number) {
    threads.emplace_back([&, number, arbiter = client(2000)] {
      ArbiterHistory::Client notes(history, number);
      while (!over) {
        if (!notes.step(*arbiter).ok()) ++errors;
      }
    });
  }
  for (int kill = 0; kill < kKills; ++kill) {
    uint64_t version = history.version();
    EXPECT_TRUE(becomes_true([&] { return history.version() >= version + kVersionsBetween; }));
    store().kill();
    uint64_t told = history.version();
    EXPECT_TRUE(store().start());
    auto read = client()->read();
    EXPECT_TRUE(read.ok()) << read.status();
    if (read.ok()) history.told(*read, told);
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(errors, 0U);
  auto read = client()->read();
  ASSERT_TRUE(read.ok()) << read.status();
  history.told(*read, history.version());
  EXPECT_EQ(history.complaints(), "");
}

TEST_P(ServerContract, AServerThatHangsMakesAnErrorInTimeAndLaterTheTruth) {
  auto connected = client(kShortMs);
  auto patient = client();
  auto answer = patient->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_TRUE(connected->read().ok());
  auto unconnected = client(kShortMs);

  store().pause();
  absl::Status asked =
      ends_in_time(kShortMs, [&] { return connected->compare_and_set(record_of(2, kPolydeuces)); });
  EXPECT_EQ(asked.code(), absl::StatusCode::kDeadlineExceeded) << asked;
  EXPECT_FALSE(ends_in_time(kShortMs, [&] { return connected->read(); }).ok());
  EXPECT_FALSE(ends_in_time(kShortMs, [&] { return unconnected->read(); }).ok());
  EXPECT_FALSE(
      ends_in_time(kShortMs, [&] { return unconnected->compare_and_set(record_of(2)); }).ok());
  store().resume();

  // What was asked for may have landed, or land later; never something else.
  auto read = patient->read();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == record_of(1) || *read == record_of(2, kPolydeuces)) << to_json(*read);
  auto next = patient->compare_and_set(record_of(read->version + 1));
  ASSERT_TRUE(next.ok()) << next.status();
  for (auto* arbiter : {connected.get(), unconnected.get(), patient.get()}) {
    auto after = arbiter->read();
    ASSERT_TRUE(after.ok()) << after.status();
    EXPECT_EQ(*after, *next);
  }
}

TEST_P(ServerContract, AServerThatIsAwayIsToldAndFoundWhenItIsBack) {
  auto arbiter = client(kShortMs);
  auto patient = client();
  store().kill();
  absl::Status away = ends_in_time(kShortMs, [&] { return arbiter->read(); });
  EXPECT_EQ(away.code(), absl::StatusCode::kUnavailable) << away;
  EXPECT_NE(std::string(away.message()).find(arbiter->describe()), std::string::npos) << away;
  EXPECT_FALSE(ends_in_time(kShortMs, [&] { return arbiter->compare_and_set(record_of(1)); }).ok());
  ASSERT_TRUE(store().start());
  auto answer = patient->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, record_of(1));
  EXPECT_TRUE(becomes_true([&] { return arbiter->read().ok(); }));
}

TEST_P(ServerContract, AfterTheServerWasStartedAnewTheNextCallFindsIt) {
  auto arbiter = client();
  ASSERT_TRUE(arbiter->compare_and_set(record_of(1)).ok());
  store().kill();
  ASSERT_TRUE(store().start());
  auto answer = arbiter->compare_and_set(record_of(2));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, record_of(2));
}

}  // namespace
}  // namespace pollux
