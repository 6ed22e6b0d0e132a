#include "persistence/journal/journal.h"

#include "tests/persistence/journal/journal_testing.h"

namespace pollux {
namespace {

TEST_F(JournalTest, IsEmptyWhenItIsNew) {
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_TRUE(journal_->report().made_new);
  EXPECT_EQ(journal_->first(), Position{1});
  EXPECT_EQ(journal_->last(), (EntryId{{0}, {0}}));
  EXPECT_EQ(*read_from(1), 0u);
}

TEST_F(JournalTest, GivesBackWhatWasCommittedOverManySegments) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(200);
  EXPECT_GT(segments().size(), 3u);
  EXPECT_EQ(*read_from(1), 200u);
  EXPECT_EQ(*read_from(77), 124u);
  EXPECT_EQ(*read_from(201), 0u);
  EXPECT_EQ(journal_->durable(), Position{200});
}

TEST_F(JournalTest, ShowsNothingBeforeItsCommit) {
  ASSERT_EQ(open(), absl::OkStatus());
  ASSERT_EQ(journal_->append(some_entry(1)), absl::OkStatus());
  EXPECT_EQ(*read_from(1), 0u);
  ASSERT_EQ(journal_->commit(), absl::OkStatus());
  EXPECT_EQ(*read_from(1), 1u);
}

TEST_F(JournalTest, AGroupIsSyncedOnce) {
  ASSERT_EQ(open(), absl::OkStatus());
  uint64_t before = disk_.syncs();
  for (uint64_t at = 1; at <= 10; ++at) ASSERT_TRUE(journal_->append(some_entry(at)).ok());
  ASSERT_EQ(journal_->commit(), absl::OkStatus());
  EXPECT_EQ(disk_.syncs(), before + 1);
}

TEST_F(JournalTest, AReaderFollowsTheWriterThroughSegments) {
  ASSERT_EQ(open(), absl::OkStatus());
  JournalReader reader(disk_, journal_->index(), {1});
  for (uint64_t at = 1; at <= 200; ++at) {
    auto none = reader.next();
    ASSERT_TRUE(none.ok()) << none.status();
    EXPECT_FALSE(none->has_value());
    write_until(at);
    auto entry = reader.next();
    ASSERT_TRUE(entry.ok() && *entry) << entry.status();
    EXPECT_EQ((*entry)->id.position.value, at);
  }
}

TEST_F(JournalTest, RefusesWhatDoesNotFollow) {
  ASSERT_EQ(open(), absl::OkStatus());
  ASSERT_EQ(journal_->append(some_entry(1, 5)), absl::OkStatus());
  EXPECT_EQ(journal_->append(some_entry(3, 5)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(journal_->append(some_entry(1, 5)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(journal_->append(some_entry(2, 4)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(journal_->append(some_entry(2, 6)), absl::OkStatus());
  EXPECT_EQ(journal_->last(), (EntryId{{6}, {2}}));
}

TEST_F(JournalTest, GoesOnAfterACleanEndWithoutWritingAgain) {
  ASSERT_EQ(open(), absl::OkStatus());
  LogId id = journal_->id();
  write_until(20);
  ASSERT_EQ(journal_->close(), absl::OkStatus());
  restart(Crash::kPower);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(journal_->id(), id);
  EXPECT_EQ(journal_->report().written_again, 0u);
  EXPECT_EQ(journal_->report().torn_bytes, 0u);
  EXPECT_EQ(journal_->last(), (EntryId{{1}, {20}}));
  write_until(30);
  EXPECT_EQ(*read_from(1), 30u);
}

TEST_F(JournalTest, WhatCannotBeProvenIsWrittenAgainOnce) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(10, 5);
  restart(Crash::kProcess);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(journal_->report().written_again, 5u);
  EXPECT_EQ(*read_from(1), 10u);
  restart(Crash::kProcess);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(journal_->report().written_again, 0u);
  write_until(12);
  EXPECT_EQ(*read_from(1), 12u);
}

TEST_F(JournalTest, BytesOfAFailedSyncCountOnlyOnceTheyAreOnTheDisk) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(10);
  ASSERT_EQ(journal_->append(some_entry(11)), absl::OkStatus());
  disk_.fail_sync_after(0);
  EXPECT_EQ(journal_->commit().code(), absl::StatusCode::kInternal);
  // For ever.
  EXPECT_FALSE(journal_->commit().ok());
  EXPECT_FALSE(journal_->append(some_entry(12)).ok());
  EXPECT_FALSE(journal_->trim({5}).ok());
  EXPECT_FALSE(journal_->close().ok());
  // The process goes, but what the disk never got can still be read: it is entry 11.
  restart(Crash::kProcess);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(*read_from(1), 11u);
  restart(Crash::kPower);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(*read_from(1), 11u);
}

TEST_F(JournalTest, ATornTailIsCutAndTold) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(10);
  std::string last = segments().back();
  std::string good = *disk_.content(last);
  restart(Crash::kProcess);
  disk_.put(last, good + good.substr(good.size() - 100, 60));
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(journal_->report().torn_bytes, 60u);
  EXPECT_EQ(journal_->report().torn_file, last);
  EXPECT_EQ(*read_from(1), 10u);
}

TEST_F(JournalTest, IsTrimmedByWholeSegments) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(200);
  uint64_t before = journal_->bytes();
  ASSERT_EQ(journal_->trim({100}), absl::OkStatus());
  uint64_t first = journal_->first().value;
  EXPECT_GT(first, 50u);
  EXPECT_LE(first, 100u);
  EXPECT_LT(journal_->bytes(), before);
  EXPECT_EQ(*read_from(first), 201 - first);
  EXPECT_EQ(read_from(first - 1).status().code(), absl::StatusCode::kOutOfRange);
  ASSERT_EQ(journal_->trim({1000}), absl::OkStatus());
  EXPECT_EQ(segments().size(), 1u);
  restart(Crash::kPower);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(journal_->last().position.value, 200u);
}

TEST_F(JournalTest, KnowsItsLastEntryThoughAllAreTrimmed) {
  ASSERT_EQ(open(), absl::OkStatus());
  for (uint64_t at = 1; journal_->index()->places().size() < 2; ++at) {
    ASSERT_EQ(journal_->append(some_entry(at, 9)), absl::OkStatus());
    ASSERT_EQ(journal_->commit(), absl::OkStatus());
  }
  EntryId last = journal_->last();
  ASSERT_EQ(journal_->trim(last.position), absl::OkStatus());
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(journal_->last(), last);
}

TEST_F(JournalTest, ALimitKeepsAReserve) {
  options_.bytes_max = 20'000;
  options_.bytes_reserved = 4'000;
  ASSERT_EQ(open(), absl::OkStatus());
  uint64_t at = 1;
  absl::Status refused;
  for (; (refused = journal_->append(some_entry(at))).ok(); ++at) {
    ASSERT_EQ(journal_->commit(), absl::OkStatus());
  }
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GE(journal_->bytes(), 16'000u);
  ASSERT_EQ(journal_->append(some_entry(at), JournalSpace::kReserve), absl::OkStatus());
  ASSERT_EQ(journal_->commit(), absl::OkStatus());
  ASSERT_EQ(journal_->trim({at}), absl::OkStatus());
  EXPECT_EQ(journal_->append(some_entry(at + 1)), absl::OkStatus());
}

TEST_F(JournalTest, AFullDiskRefusesAndKeepsWhatWasGathered) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(10);
  ASSERT_EQ(journal_->append(some_entry(11)), absl::OkStatus());
  disk_.set_capacity(disk_.bytes_used() + 20);
  EXPECT_EQ(journal_->commit().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(journal_->append(some_entry(12)).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(*read_from(1), 10u);
  disk_.set_capacity(SimulatedFileSystem::kNever);
  ASSERT_EQ(journal_->commit(), absl::OkStatus());
  EXPECT_EQ(*read_from(1), 11u);
  write_until(40);
  EXPECT_EQ(*read_from(1), 40u);
}

TEST_F(JournalTest, ASegmentThatFindsNoRoomIsTriedAgain) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(1);
  while (journal_->index()->places().back().bytes < options_.segment_bytes) {
    write_until(journal_->last().position.value + 1);
  }
  uint64_t last = journal_->last().position.value;
  for (uint64_t room : {uint64_t{10}, uint64_t{60}, uint64_t{100}}) {
    disk_.set_capacity(disk_.bytes_used() + room);
    absl::Status refused = journal_->append(some_entry(last + 1));
    EXPECT_EQ(*read_from(1), last);
    if (refused.ok()) break;
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  }
  disk_.set_capacity(SimulatedFileSystem::kNever);
  write_until(last + 20);
  EXPECT_EQ(*read_from(1), last + 20);
}

TEST_F(JournalTest, IsOpenOnlyOnce) {
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(Journal::open(disk_, options_).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(JournalTest, AReadOnlyDiskIsRefused) {
  disk_.set_read_only(true);
  EXPECT_EQ(open().code(), absl::StatusCode::kPermissionDenied);
  disk_.set_read_only(false);
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(10);
  restart(Crash::kPower);
  disk_.set_read_only(true);
  EXPECT_EQ(open().code(), absl::StatusCode::kPermissionDenied);
  disk_.set_read_only(false);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(*read_from(1), 10u);
}

TEST_F(JournalTest, LeavesForeignFilesAlone) {
  disk_.put("data/journal/notes.txt", "mine");
  disk_.put("data/journal/123.journal", "mine too");
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(200);
  ASSERT_EQ(journal_->trim({200}), absl::OkStatus());
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(disk_.content("data/journal/notes.txt"), "mine");
  EXPECT_EQ(disk_.content("data/journal/123.journal"), "mine too");
}

TEST_F(JournalTest, WithoutSyncsOfCommitsASyncIsOnOrder) {
  options_.sync_commits = false;
  options_.segment_bytes = 1 << 20;
  ASSERT_EQ(open(), absl::OkStatus());
  uint64_t before = disk_.syncs();
  write_until(50);
  EXPECT_EQ(disk_.syncs(), before);
  EXPECT_EQ(*read_from(1), 50u);
  EXPECT_EQ(journal_->durable(), Position{0});
  ASSERT_EQ(journal_->sync(), absl::OkStatus());
  EXPECT_EQ(disk_.syncs(), before + 1);
  EXPECT_EQ(journal_->durable(), Position{50});
}

}  // namespace
}  // namespace pollux
