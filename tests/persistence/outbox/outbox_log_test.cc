#include "persistence/outbox/outbox_log.h"

#include <gtest/gtest.h>

#include "tests/persistence/sim/simulated_file_system.h"
#include "tests/persistence/sim/some_results.h"

namespace pollux {
namespace {

class OutboxLogTest : public ::testing::Test {
 protected:
  OutboxLogTest() {
    options_.directory = "data/outboxes/Alerts";
    options_.segment_bytes = 4096;
    options_.new_id = [] { return LogId{1, 2}; };
  }
  absl::Status open() {
    outbox_ = nullptr;
    auto outbox = OutboxLog::open(disk_, options_);
    if (outbox.ok()) outbox_ = *std::move(outbox);
    return outbox.status();
  }
  void append_until(uint64_t position) {
    for (; position_ < position; ++position_) {
      ASSERT_EQ(outbox_->append(SomeResults(position_ + 1).results()), absl::OkStatus());
      if (position_ % 10 != 0) continue;
      ASSERT_EQ(outbox_->flush(), absl::OkStatus());
    }
    ASSERT_EQ(outbox_->flush(), absl::OkStatus());
  }
  /// The positions of the causes of the slices from `offset` on.
  absl::StatusOr<std::vector<uint64_t>> read_from(uint64_t offset) {
    OutboxReader reader(disk_, outbox_->index(), offset);
    std::vector<uint64_t> causes;
    while (true) {
      auto slice = reader.next();
      if (!slice.ok()) return slice.status();
      if (!*slice) return causes;
      SomeResults wanted((*slice)->cause.position.value);
      EXPECT_EQ((*slice)->plan, "plan");
      EXPECT_EQ((*slice)->ordinals, wanted.ordinals);
      EXPECT_EQ((*slice)->batch->timestamps(), wanted.batch->timestamps());
      EXPECT_EQ((*slice)->batch->rows(), wanted.rows());
      causes.push_back((*slice)->cause.position.value);
    }
  }

  SimulatedFileSystem disk_{1};
  OutboxOptions options_;
  std::unique_ptr<OutboxLog> outbox_;
  uint64_t position_ = 0;
};

TEST_F(OutboxLogTest, CountsRowsAndGivesBackSlices) {
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(outbox_->next(), 1u);
  append_until(3);  // of 2, 3 and 1 rows
  EXPECT_EQ(outbox_->next(), 7u);
  EXPECT_EQ(*read_from(1), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(*read_from(3), (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(*read_from(5), (std::vector<uint64_t>{2, 3})) << "the slice that holds the row";
  EXPECT_EQ(*read_from(6), (std::vector<uint64_t>{3}));
  EXPECT_EQ(*read_from(7), (std::vector<uint64_t>{}));
}

TEST_F(OutboxLogTest, IsThereAfterAKillAndAfterASync) {
  ASSERT_EQ(open(), absl::OkStatus());
  append_until(200);
  disk_.restart(Crash::kProcess);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(read_from(1)->size(), 200u);
  append_until(300);
  ASSERT_EQ(outbox_->sync(), absl::OkStatus());
  uint64_t synced = outbox_->next();
  EXPECT_EQ(outbox_->durable(), synced);
  append_until(310);
  disk_.restart(Crash::kPower);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_GE(outbox_->next(), synced);
  EXPECT_GE(read_from(1)->size(), 300u);
}

TEST_F(OutboxLogTest, IsTrimmedByWholeSegments) {
  ASSERT_EQ(open(), absl::OkStatus());
  append_until(300);
  uint64_t confirmed = outbox_->next() / 2;
  ASSERT_EQ(outbox_->trim(confirmed), absl::OkStatus());
  EXPECT_GT(outbox_->first(), 1u);
  EXPECT_LE(outbox_->first(), confirmed);
  EXPECT_EQ(read_from(1).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(read_from(confirmed).ok());
}

TEST_F(OutboxLogTest, RefusesAtItsLimit) {
  options_.bytes_max = 5'000;
  ASSERT_EQ(open(), absl::OkStatus());
  absl::Status refused;
  for (uint64_t at = 1; refused.ok() && at < 1000; ++at) {
    refused = outbox_->append(SomeResults(at).results());
  }
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(OutboxLogTest, OneThatIsGoneGoesOnBehindWhatIsConfirmed) {
  options_.confirmed_below = 100;
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(outbox_->next(), 100u);
  append_until(3);
  EXPECT_EQ(*read_from(100), (std::vector<uint64_t>{1, 2, 3}));
}

TEST_F(OutboxLogTest, RotIsToldWithFileAndOffset) {
  ASSERT_EQ(open(), absl::OkStatus());
  append_until(300);
  std::string path = outbox_->index()->places()[1].path;
  disk_.flip_bit(path, 8 * 1000);
  absl::Status told = read_from(1).status();
  EXPECT_EQ(told.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(told.message().find(path), std::string::npos) << told;
}

TEST_F(OutboxLogTest, AJournalIsNoOutbox) {
  SegmentHeader header{LogKind::kJournal, {1, 2}, 1, 0};
  disk_.put("data/outboxes/Alerts/00000000000000000001.outbox", encode_segment_header(header));
  EXPECT_EQ(open().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace pollux
