#include <gtest/gtest.h>

#include "server/node/result_log.h"
#include "tests/server/node/result_testing.h"

namespace pollux {
namespace {

using Rows = std::vector<std::string>;

TEST_F(DurableResultLogTest, WhatWasSeenIsThereAfterAKill) {
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(log_->begin(), 1u);
  add(*log_, slice_at(1, 2));
  add(*log_, slice_at(2, 1, "q"));
  log_->append(slice_at(3, 1));  // seen by nobody
  ASSERT_EQ(reopen(Crash::kProcess), absl::OkStatus());
  EXPECT_EQ(log_->end(), 4u);
  EXPECT_EQ(rows_from(*log_, 1), (Rows{"p 1.0", "p 1.1", "q 2.0"}));
  EXPECT_EQ(rows_from(*log_, 2), (Rows{"p 1.1", "q 2.0"}));
  EXPECT_EQ(log_->offset_behind("-1234/p/3.1.1"), 3u);
}

TEST_F(DurableResultLogTest, WhatWasSyncedIsThereAfterALossOfPower) {
  ASSERT_EQ(open(), absl::OkStatus());
  add_many(1, 50);
  ASSERT_EQ(log_->sync(), absl::OkStatus());
  add_many(51, 60);
  ASSERT_EQ(reopen(Crash::kPower), absl::OkStatus());
  EXPECT_GE(log_->end(), 101u);
  add_many(1, 60);  // as a replay does
  EXPECT_EQ(log_->end(), 121u);
  EXPECT_GE(log_->repeated_rows(), 100u);
  EXPECT_EQ(rows_from(*log_, 119), (Rows{"p 60.0", "p 60.1"}));
}

TEST_F(DurableResultLogTest, SyncAlsoBringsWhatWasOnlyAppended) {
  ASSERT_EQ(open(), absl::OkStatus());
  log_->append(slice_at(1, 2));
  ASSERT_EQ(log_->sync(), absl::OkStatus());
  ASSERT_EQ(reopen(Crash::kPower), absl::OkStatus());
  EXPECT_EQ(rows_from(*log_, 1), (Rows{"p 1.0", "p 1.1"}));
}

TEST_F(DurableResultLogTest, OlderRowsAreReadFromTheFile) {
  options_.memory_bytes_max = 2000;
  ASSERT_EQ(open(), absl::OkStatus());
  add_many(1, 300);
  EXPECT_EQ(rows_from(*log_, 1).size(), 600u);
  EXPECT_EQ(rows_from(*log_, 400).size(), 201u);
  EXPECT_EQ(log_->offset_behind("-1234/p/3.7.0"), 14u);
  EXPECT_EQ(log_->offset_behind("-1234/p/3.300.1"), 601u);
  EXPECT_FALSE(log_->offset_behind("-1234/p/3.301.0"));
  EXPECT_FALSE(log_->offset_behind("-1234/p/3.7.2"));
  EXPECT_FALSE(log_->offset_behind("-1234/q/3.7.0"));
}

TEST_F(DurableResultLogTest, ReplayedRowsAreKnownThoughTheirSegmentsWereTrimmed) {
  ASSERT_EQ(open(), absl::OkStatus());
  add(*log_, slice_at(1, 2, "seldom"));
  add_many(2, 5000);
  ASSERT_GT(log_->begin(), 3u);
  ASSERT_EQ(reopen(Crash::kPower), absl::OkStatus());
  uint64_t end = log_->end();
  add(*log_, slice_at(1, 2, "seldom"));
  EXPECT_EQ(log_->end(), end);
  add(*log_, slice_at(1, 3, "seldom"));
  EXPECT_EQ(log_->end(), end + 1);
}

TEST_F(DurableResultLogTest, WhatAllConfirmedStaysForSubscribersUpToALimit) {
  ASSERT_EQ(open(), absl::OkStatus());
  auto hold = log_->resume("sink", 1);
  add_many(1, 4000);
  EXPECT_EQ(log_->begin(), 1u) << "held";
  EXPECT_GT(log_->bytes(), options_.log_bytes_max);
  hold->confirm(log_->end());
  EXPECT_GT(log_->begin(), 1u);
  EXPECT_LE(log_->bytes(), options_.log_bytes_max);
  EXPECT_GT(log_->bytes(), options_.log_bytes_max / 2);
  ResultLog::Read read = log_->read(1, 10);
  EXPECT_TRUE(read.forgotten);
  EXPECT_EQ(read.next, log_->begin());
  EXPECT_EQ(rows_from(*log_, log_->begin()).size(), log_->end() - log_->begin());
  EXPECT_FALSE(log_->offset_behind("-1234/p/3.1.0"));
}

TEST_F(DurableResultLogTest, AReaderGoesOnWhereItStood) {
  ASSERT_EQ(open(), absl::OkStatus());
  auto hold = log_->resume("P/Out/http/1", 1);
  EXPECT_EQ(hold->from(), 1u);
  add_many(1, 10);
  hold->confirm(8);
  hold = nullptr;  // as when the process stops
  ASSERT_EQ(reopen(Crash::kProcess), absl::OkStatus());
  hold = log_->resume("P/Out/http/1", log_->end());
  EXPECT_EQ(hold->from(), 8u);
  EXPECT_EQ(log_->resume("another", log_->end())->from(), 21u);
}

TEST_F(DurableResultLogTest, APlaceIsKeptWhileItsReaderIsAway) {
  ASSERT_EQ(open(), absl::OkStatus());
  log_->resume("sink", 1).reset();
  ASSERT_EQ(reopen(Crash::kProcess), absl::OkStatus());
  add_many(1, 4000);
  EXPECT_EQ(log_->begin(), 1u);
  EXPECT_EQ(log_->resume("sink", log_->end())->from(), 1u);
}

TEST_F(DurableResultLogTest, AReaderThatIsForgottenBeginsAnew) {
  ASSERT_EQ(open(), absl::OkStatus());
  log_->resume("sink", 1)->forget();
  add_many(1, 4000);
  EXPECT_GT(log_->begin(), 1u);
  ASSERT_EQ(reopen(Crash::kPower), absl::OkStatus());
  EXPECT_EQ(log_->resume("sink", log_->end())->from(), log_->end());
}

TEST_F(DurableResultLogTest, ReadersThatDoNotComeBackCanBeForgotten) {
  ASSERT_EQ(open(), absl::OkStatus());
  log_->resume("stays", 1).reset();
  log_->resume("goes", 1).reset();
  ASSERT_EQ(reopen(Crash::kProcess), absl::OkStatus());
  auto stays = log_->resume("stays", 1);
  add_many(1, 4000);
  stays->confirm(log_->end());
  EXPECT_EQ(log_->begin(), 1u);
  log_->forget_unclaimed();
  EXPECT_GT(log_->begin(), 1u);
  stays.reset();
  ASSERT_EQ(reopen(Crash::kProcess), absl::OkStatus());
  EXPECT_EQ(log_->resume("goes", log_->end())->from(), log_->end());
}

TEST_F(DurableResultLogTest, IsFullWhereAReaderConfirmsNothing) {
  ASSERT_EQ(open(), absl::OkStatus());
  auto hold = log_->resume("sink", 1);
  uint64_t position = 0;
  while (!log_->full()) add(*log_, slice_at(++position, 2));
  EXPECT_GT(log_->bytes(), options_.outbox_bytes_max);
  bool room = false;
  log_->when_not_full([&] { room = true; });
  EXPECT_FALSE(room);
  hold->confirm(log_->end());
  EXPECT_TRUE(room);
  EXPECT_LE(log_->bytes(), options_.log_bytes_max);
}

TEST_F(DurableResultLogTest, AFullDiskRestsThePlansUntilThereIsRoom) {
  ASSERT_EQ(open(), absl::OkStatus());
  add_many(1, 10);
  disk_.set_capacity(disk_.bytes_used() + 300);
  uint64_t position = 10;
  while (!log_->full() && position < 100) add(*log_, slice_at(++position, 2));
  ASSERT_TRUE(log_->full());
  EXPECT_EQ(log_->end(), 2 * position - 1) << "the last one is seen by nobody";
  EXPECT_EQ(log_->sync().code(), absl::StatusCode::kResourceExhausted);
  bool room = false;
  log_->when_not_full([&] { room = true; });
  log_->retry();
  EXPECT_FALSE(room);
  disk_.heal();
  log_->retry();
  EXPECT_TRUE(room);
  EXPECT_EQ(log_->status(), absl::OkStatus());
  EXPECT_EQ(rows_from(*log_, 1).size(), 2 * position);
  ASSERT_EQ(reopen(Crash::kProcess), absl::OkStatus());
  EXPECT_EQ(rows_from(*log_, 1).size(), 2 * position);
  EXPECT_TRUE(errors_.empty());
}

TEST_F(DurableResultLogTest, ALogThatFillsTheDiskMakesRoomOnceItIsConfirmed) {
  options_.outbox_bytes_max = 1u << 30;
  disk_.set_capacity(900 << 10);
  ASSERT_EQ(open(), absl::OkStatus());
  auto hold = log_->resume("sink", 1);
  uint64_t position = 0;
  while (!log_->full()) add(*log_, slice_at(++position, 2));
  hold->confirm(log_->end());
  EXPECT_FALSE(log_->full());
  EXPECT_EQ(log_->end(), 2 * position + 1);
  EXPECT_EQ(log_->resume("another", 1)->from(), log_->begin());
  EXPECT_TRUE(errors_.empty());
}

TEST_F(DurableResultLogTest, AReaderThatCannotBeNotedRestsThePlans) {
  ASSERT_EQ(open(), absl::OkStatus());
  add_many(1, 10);
  disk_.set_capacity(disk_.bytes_used() + 10);
  auto hold = log_->resume("sink", 5);
  EXPECT_TRUE(log_->full());
  disk_.heal();
  log_->retry();
  EXPECT_FALSE(log_->full());
  hold = nullptr;
  ASSERT_EQ(reopen(Crash::kPower), absl::OkStatus());
  EXPECT_EQ(log_->resume("sink", 9)->from(), 5u);
}

TEST_F(DurableResultLogTest, ConfirmationsThatAFullDiskRefusesAreWrittenLater) {
  ASSERT_EQ(open(), absl::OkStatus());
  auto hold = log_->resume("sink", 1);
  add_many(1, 10);
  disk_.set_capacity(disk_.bytes_used() + 7);
  hold->confirm(8);
  EXPECT_EQ(hold->from(), 8u);
  disk_.heal();
  log_->retry();
  hold = nullptr;
  ASSERT_EQ(reopen(Crash::kProcess), absl::OkStatus());
  EXPECT_EQ(log_->resume("sink", 1)->from(), 8u);
}

TEST_F(DurableResultLogTest, AfterAFailedSyncNothingMoreIsSeen) {
  ASSERT_EQ(open(), absl::OkStatus());
  add_many(1, 3);
  disk_.fail_sync_after(0);
  EXPECT_EQ(log_->sync().code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(log_->full());
  add_many(4, 5);
  log_->retry();
  EXPECT_EQ(log_->end(), 7u);
  EXPECT_FALSE(log_->status().ok());
  EXPECT_EQ(log_->sync(), log_->status());
  EXPECT_EQ(errors_.size(), 1u);
  ASSERT_EQ(reopen(Crash::kPower), absl::OkStatus());
  add_many(1, 5);
  EXPECT_EQ(rows_from(*log_, 1).size(), 10u);
}

TEST_F(DurableResultLogTest, AReadOnlyDiskIsAnErrorForEver) {
  ASSERT_EQ(open(), absl::OkStatus());
  add_many(1, 3);
  disk_.set_read_only(true);
  add_many(4, 4);
  EXPECT_EQ(log_->status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(log_->end(), 7u);
  EXPECT_EQ(errors_.size(), 1u);
  EXPECT_EQ(rows_from(*log_, 1).size(), 6u) << "what was seen can still be read";
}

TEST_F(DurableResultLogTest, TornEndsAreCutAndTold) {
  ASSERT_EQ(open(), absl::OkStatus());
  add_many(1, 3);
  disk_.crash_after(0);
  add_many(4, 4);
  ASSERT_EQ(reopen(Crash::kProcess), absl::OkStatus());
  for (const std::string& note : log_->recovery_notes()) {
    EXPECT_NE(note.find("cut off"), std::string::npos) << note;
  }
  add_many(1, 5);
  EXPECT_EQ(rows_from(*log_, 1).size(), 10u);
}

TEST_F(DurableResultLogTest, RotHurtsWhoReadsIt) {
  options_.memory_bytes_max = 2000;
  ASSERT_EQ(open(), absl::OkStatus());
  auto hold = log_->resume("sink", 1);
  add_many(1, 1000);
  disk_.flip_bit(std::string(kDirectory) + "/00000000000000000001.outbox", 8 * 1000);
  ResultLog::Read read = log_->read(1, 1000);
  EXPECT_EQ(read.error.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(read.next, 1u);
  EXPECT_EQ(log_->status(), absl::OkStatus());
  EXPECT_FALSE(rows_from(*log_, 1990).empty());
  hold = nullptr;
  log_ = nullptr;
  EXPECT_EQ(reopen(Crash::kProcess).code(), absl::StatusCode::kDataLoss);
}

TEST_F(DurableResultLogTest, RotAmongWhatIsConfirmedIsToldAndPassedOver) {
  ASSERT_EQ(open(), absl::OkStatus());
  auto hold = log_->resume("sink", 1);
  add_many(1, 100);
  hold->confirm(101);
  hold = nullptr;
  ASSERT_EQ(log_->sync(), absl::OkStatus());
  add_many(101, 101);
  disk_.flip_bit(std::string(kDirectory) + "/00000000000000000001.outbox", 8 * 1000);
  ASSERT_EQ(reopen(Crash::kProcess), absl::OkStatus());
  EXPECT_FALSE(log_->recovery_notes().empty());
  EXPECT_EQ(log_->begin(), 101u);
  EXPECT_EQ(rows_from(*log_, 101).size(), 102u);
  EXPECT_EQ(log_->offset_behind("-1234/p/3.100.1"), 201u);
}

TEST_F(DurableResultLogTest, APlaceThatHasRottenBeginsWithTheFirstRow) {
  ASSERT_EQ(open(), absl::OkStatus());
  log_->resume("sink", 1)->confirm(1);
  add_many(1, 10);
  disk_.flip_bit(std::string(kDirectory) + "/confirmed.sink", 8 * 20);
  ASSERT_EQ(reopen(Crash::kProcess), absl::OkStatus());
  ASSERT_EQ(log_->recovery_notes().size(), 1u);
  EXPECT_NE(log_->recovery_notes()[0].find("reader sink"), std::string::npos);
  EXPECT_EQ(log_->resume("sink", 15)->from(), 1u);
}

TEST_F(DurableResultLogTest, ALogOfOtherAttributesIsRefused) {
  ASSERT_EQ(open(), absl::OkStatus());
  add_many(1, 1);
  log_ = nullptr;
  auto other =
      std::make_shared<const Schema>("Out", std::vector<Attribute>{{"n", AttributeType::kLong}});
  absl::Status refused = ResultLog::open(disk_, other, options_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("other attributes"), std::string::npos) << refused;
}

TEST_F(DurableResultLogTest, IsOpenOnlyOnce) {
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(ResultLog::open(disk_, result_schema(), options_).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(DurableResultLogTest, ACleanEndKeepsEverythingAndCallsNobody) {
  ASSERT_EQ(open(), absl::OkStatus());
  log_->append(slice_at(1, 2));
  ASSERT_EQ(log_->close(), absl::OkStatus());
  EXPECT_TRUE(log_->full());
  bool called = false;
  log_->when_not_full([&] { called = true; });
  log_->retry();
  EXPECT_FALSE(called);
  EXPECT_TRUE(errors_.empty());
  ASSERT_EQ(reopen(Crash::kPower), absl::OkStatus());
  EXPECT_TRUE(log_->recovery_notes().empty());
  EXPECT_EQ(rows_from(*log_, 1), (Rows{"p 1.0", "p 1.1"}));
}

}  // namespace
}  // namespace pollux
