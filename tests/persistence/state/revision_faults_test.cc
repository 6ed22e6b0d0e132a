// What a crash, a full disk and a failed sync leave of the revisions of a plan.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/persistence/state/revision_testing.h"

namespace pollux {
namespace {

constexpr size_t kStateBytes = kBlockBytes + 1000;

/// The newest valid revision is that of a position whose persist() was through, or of the one
/// after.
void expect_goes_on(FileSystem& files, uint64_t through, uint64_t seed) {
  auto store = RevisionStore::open(files, login_alerts());
  ASSERT_TRUE(store.ok()) << store.status();
  auto newest = (*store)->newest_valid();
  ASSERT_TRUE(newest.ok()) << newest.status();
  ASSERT_TRUE(newest->revision.has_value() || through == 0) << "seed " << seed;
  uint64_t position = newest->revision ? newest->revision->info.header.at.position.value : 0;
  EXPECT_TRUE(position == through || position == through + 1) << "seed " << seed;
  if (newest->revision) {
    EXPECT_TRUE(newest->revision->state() == some_state(position, kStateBytes)) << "seed " << seed;
  }
  EXPECT_TRUE(newest->passed_over.empty()) << newest->passed_over[0] << ", seed " << seed;
  for (const std::string& name : names_in(files, (*store)->directory())) {
    EXPECT_FALSE(name.ends_with(".tmp")) << name;
  }
}

/// Persists until the machine ends; the last position that was through.
uint64_t persist_until_the_end(SimulatedFileSystem& files, uint64_t first, uint64_t last) {
  auto store = RevisionStore::open(files, login_alerts());
  if (!store.ok()) return first - 1;
  for (uint64_t position = first; position <= last; ++position) {
    if (!persist(**store, position, some_state(position, kStateBytes)).ok()) return position - 1;
  }
  return last;
}

class RevisionCrash : public ::testing::TestWithParam<Crash> {};

TEST_P(RevisionCrash, BetweenAnyTwoOperationsOnTheDiskAValidRevisionIsLeft) {
  for (uint64_t before = 0; before < 4; ++before) {
    for (uint64_t operations = 0;; ++operations) {
      uint64_t seed = before * 1000 + operations;
      SimulatedFileSystem files(seed);
      ASSERT_EQ(persist_until_the_end(files, 1, before), before);
      files.crash_after(operations);
      uint64_t through = persist_until_the_end(files, before + 1, before + 2);
      bool crashed = files.crashed();
      files.restart(GetParam());
      expect_goes_on(files, through, seed);
      ASSERT_EQ(persist_until_the_end(files, before + 3, before + 4), before + 4);
      EXPECT_EQ(names_in(files, "states/-1234/LoginAlerts").size(), 2U) << "seed " << seed;
      if (!crashed) break;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ends, RevisionCrash, ::testing::Values(Crash::kProcess, Crash::kPower),
                         [](const auto& info) {
                           return info.param == Crash::kProcess ? "Process" : "Power";
                         });

TEST(RevisionFaults, AFullDiskIsToldAndLeavesTheRevisionsThatAreThere) {
  SimulatedFileSystem files(1);
  ASSERT_EQ(persist_until_the_end(files, 1, 3), 3U);
  uint64_t used = files.bytes_used();
  auto store = open_store(files);
  uint64_t room = 0;
  for (absl::Status persisted = absl::UnknownError(""); !persisted.ok(); room += 5'000) {
    files.set_capacity(used + room);
    persisted = persist(*store, 4, some_state(4, kStateBytes));
    if (persisted.ok()) break;
    EXPECT_EQ(persisted.code(), absl::StatusCode::kResourceExhausted) << persisted;
    EXPECT_EQ(files.bytes_used(), used) << "nothing is left of what did not fit";
    expect_goes_on(files, 3, room);
  }
  EXPECT_GT(room, 0U);
  expect_goes_on(files, 4, room);
}

TEST(RevisionFaults, AfterAFailedSyncTheRevisionDoesNotStandUnderItsName) {
  SimulatedFileSystem files(1);
  ASSERT_EQ(persist_until_the_end(files, 1, 3), 3U);
  auto store = open_store(files);
  files.fail_sync_after(0);
  EXPECT_FALSE(persist(*store, 4, some_state(4, kStateBytes)).ok());
  expect_goes_on(files, 3, 0);
  files.restart(Crash::kPower);
  expect_goes_on(files, 3, 0);
  EXPECT_EQ(persist_until_the_end(files, 4, 4), 4U);
}

// Whoever goes on from it may drop entries because of it.
TEST(RevisionFaults, WhatAKilledProcessNamedLastsOnceAStartHasSeenIt) {
  uint64_t last_seen = 0;
  for (uint64_t operations = 0; last_seen < 2; ++operations) {
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      SimulatedFileSystem files(seed);
      ASSERT_EQ(persist_until_the_end(files, 1, 1), 1U);
      auto store = open_store(files);
      files.crash_after(operations);
      persist(*store, 2, some_state(2, kStateBytes)).IgnoreError();
      ASSERT_TRUE(files.crashed());
      uint64_t seen = 0;
      for (Crash crash : {Crash::kProcess, Crash::kPower}) {
        files.restart(crash);
        auto newest = open_store(files)->newest_valid();
        ASSERT_TRUE(newest.ok() && newest->revision);
        uint64_t position = newest->revision->info.header.at.position.value;
        EXPECT_GE(position, seen) << operations << ' ' << seed;
        seen = position;
      }
      last_seen = std::max(last_seen, seen);
    }
  }
}

TEST(RevisionFaults, AfterAnErrorAWriterRefusesEverything) {
  SimulatedFileSystem files(1);
  auto store = open_store(files);
  auto writer = store->begin(some_header(1));
  ASSERT_TRUE(writer.ok());
  files.set_capacity(files.bytes_used());
  absl::Status full = (*writer)->append(some_state(1, kStateBytes));
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  files.set_capacity(SimulatedFileSystem::kNever);
  EXPECT_EQ((*writer)->append("more"), full);
  EXPECT_EQ((*writer)->finish().status(), full);
  writer->reset();
  EXPECT_TRUE(names_in(files, store->directory()).empty());
}

TEST(RevisionFaults, AReadOnlyDiskIsToldAndCanBeReadFrom) {
  SimulatedFileSystem files(1);
  ASSERT_EQ(persist_until_the_end(files, 1, 2), 2U);
  auto store = open_store(files);
  files.set_read_only(true);
  EXPECT_EQ(persist(*store, 3, "state").code(), absl::StatusCode::kPermissionDenied);
  auto newest = store->newest_valid();
  ASSERT_TRUE(newest.ok() && newest->revision);
  EXPECT_EQ(newest->revision->info.header.at.position.value, 2U);
}

}  // namespace
}  // namespace pollux
