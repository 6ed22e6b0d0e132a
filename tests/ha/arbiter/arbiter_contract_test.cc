#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "tests/ha/arbiter/arbiter_contract.h"
#include "tests/ha/arbiter/arbiter_history.h"
#include "tests/ha/arbiter/arbiter_testing.h"

namespace pollux {

ArbiterOptions ArbiterContract::options(const std::string& domain_suffix) const {
  ArbiterOptions options;
  options.domain_name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::replace(options.domain_name.begin(), options.domain_name.end(), '/', '.');
  options.domain_name += domain_suffix;
  options.timeout_ms = 20'000;  // machines are slow at times; who tests timeouts sets another
  return options;
}

std::unique_ptr<Arbiter> ArbiterContract::client(const std::string& domain_suffix) {
  return GetParam().store().client(options(domain_suffix));
}

namespace {

#define ASSERT_RECORD(answer, expected)           \
  do {                                            \
    absl::StatusOr<ArbiterRecord> got = (answer); \
    ASSERT_TRUE(got.ok()) << got.status();        \
    ASSERT_EQ(to_json(*got), to_json(expected));  \
  } while (false)

TEST_P(ArbiterContract, NoneThereReadsAsVersionZero) {
  absl::StatusOr<ArbiterRecord> read = client()->read();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_FALSE(read->exists());
}

TEST_P(ArbiterContract, TheFirstToCreateWinsAndTheSecondSeesIt) {
  auto first = client();
  auto second = client();
  ASSERT_RECORD(first->compare_and_set(record_of(1, kCastor)), record_of(1, kCastor));
  ASSERT_RECORD(second->compare_and_set(record_of(1, kPolydeuces)), record_of(1, kCastor));
  ASSERT_RECORD(second->read(), record_of(1, kCastor));
  ASSERT_RECORD(client()->read(), record_of(1, kCastor));
}

TEST_P(ArbiterContract, EverythingInARecordComesBack) {
  auto arbiter = client();
  ArbiterRecord record = record_of(1);
  record.domain = DomainId{UINT64_MAX, 1};
  record.epoch.value = UINT64_MAX;
  record.in_sync = kPolydeuces;
  record.forced_from = EntryId{Epoch{UINT64_MAX - 1}, Position{UINT64_MAX}};
  ASSERT_RECORD(arbiter->compare_and_set(record), record);
  ASSERT_RECORD(client()->read(), record);
  ASSERT_RECORD(arbiter->compare_and_set(record_of(2)), record_of(2));
  ASSERT_RECORD(client()->read(), record_of(2));
}

TEST_P(ArbiterContract, OnAnotherVersionNothingChanges) {
  auto arbiter = client();
  absl::StatusOr<ArbiterRecord> none = arbiter->compare_and_set(record_of(2));
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_FALSE(none->exists());
  for (uint64_t version = 1; version <= 4; ++version) {
    ASSERT_RECORD(arbiter->compare_and_set(record_of(version)), record_of(version));
  }
  for (uint64_t version : {1, 2, 3, 4, 6, 7, 100}) {
    ASSERT_RECORD(client()->compare_and_set(record_of(version, kPolydeuces)), record_of(4));
  }
  ASSERT_RECORD(arbiter->compare_and_set(record_of(5)), record_of(5));
}

TEST_P(ArbiterContract, OnlyTheVersionCounts) {
  // Another domain's id, a lower epoch: whether they may be is the nodes' to judge.
  auto arbiter = client();
  ArbiterRecord other = record_of(2, kPolydeuces);
  other.domain = DomainId{1, 2};
  other.epoch = Epoch{1};
  ArbiterRecord first = record_of(1);
  first.epoch = Epoch{9};
  ASSERT_RECORD(arbiter->compare_and_set(first), first);
  ASSERT_RECORD(arbiter->compare_and_set(other), other);
}

TEST_P(ArbiterContract, DomainsDoNotSeeEachOther) {
  // What some stores take for equal, or for a pattern, unless they are told.
  const std::vector<std::string> suffixes = {".Pair",   ".pair",   ".pair.", ".pai_",
                                             ".pair-1", ".pair.1", ""};
  for (size_t i = 0; i < suffixes.size(); ++i) {
    absl::StatusOr<ArbiterRecord> read = client(suffixes[i])->read();
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_FALSE(read->exists()) << suffixes[i];
    ArbiterRecord own = record_of(1, JournalId{7, i + 1});
    ASSERT_RECORD(client(suffixes[i])->compare_and_set(own), own);
  }
  for (size_t i = 0; i < suffixes.size(); ++i) {
    ASSERT_RECORD(client(suffixes[i])->read(), record_of(1, JournalId{7, i + 1}));
  }
}

TEST_P(ArbiterContract, WhatNobodyMayWriteIsRefused) {
  auto arbiter = client();
  for (ArbiterRecord wrong : {ArbiterRecord(), record_of(1, JournalId())}) {
    EXPECT_EQ(arbiter->compare_and_set(wrong).status().code(), absl::StatusCode::kInvalidArgument);
  }
  absl::StatusOr<ArbiterRecord> read = arbiter->read();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_FALSE(read->exists());
}

TEST_P(ArbiterContract, SaysWhereItIs) {
  std::string text = client()->describe();
  EXPECT_NE(text.find(options().domain_name), std::string::npos) << text;
}

TEST_P(ArbiterContract, OfClientsThatRaceOneWinsEachVersion) {
  constexpr uint64_t kVersions = 300;
  constexpr int kClients = 3;
  ArbiterHistory history;
  std::vector<std::thread> threads;
  for (uint64_t number = 1; number <= kClients; ++number) {
    threads.emplace_back([&, number, arbiter = client()] {
      ArbiterHistory::Client notes(history, number);
      while (history.version() < kVersions) {
        absl::Status step = notes.step(*arbiter);
        ASSERT_TRUE(step.ok()) << step;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(history.complaints(), "");
  EXPECT_GE(history.versions_seen(), kVersions / 2);
  ASSERT_RECORD(client()->read(), history.newest());
}

}  // namespace
}  // namespace pollux
