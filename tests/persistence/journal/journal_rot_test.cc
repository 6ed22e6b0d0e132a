// Bytes that turn over on the disk: what is not needed does no harm, the rest is told.
#include "persistence/codec/crc32c.h"
#include "persistence/segments/segment_scanner.h"
#include "tests/persistence/journal/journal_testing.h"

namespace pollux {
namespace {

class JournalRotTest : public JournalTest {
 protected:
  /// Turns a bit over in the middle of the entry at `position`.
  void rot(uint64_t position) {
    auto found = *journal_->index()->find(position);
    auto file = *disk_.open_read(found.place.path);
    SegmentScanner scanner(*file, journal_->id());
    while (*scanner.next() == ScanStep::kFrame) {
      if (scanner.frame().kind != FrameKind::kRecord) continue;
      if (scanner.frame().sequence == position) break;
    }
    disk_.flip_bit(found.place.path, (scanner.begin() + scanner.end()) / 2 * 8);
    path_ = found.place.path;
  }

  std::string path_;
};

TEST_F(JournalRotTest, InTheLastSegmentIsRefusedWithFileAndPosition) {
  options_.segment_bytes = 1 << 20;
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(100);
  rot(50);
  restart(Crash::kPower);
  absl::Status refused = open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(refused.message().find(path_), std::string::npos) << refused;
  EXPECT_NE(refused.message().find("records 50 to 50"), std::string::npos) << refused;
}

TEST_F(JournalRotTest, OfWhatIsCoveredIsToldAndPassedOver) {
  options_.segment_bytes = 1 << 20;
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(100);
  rot(50);
  restart(Crash::kPower);
  options_.covered = {{1}, {50}};
  ASSERT_EQ(open(), absl::OkStatus());
  ASSERT_EQ(journal_->report().rot.size(), 1u);
  EXPECT_EQ(journal_->report().rot[0].rot.from, 50u);
  EXPECT_EQ(journal_->report().rot[0].path, path_);
  EXPECT_EQ(*read_from(51), 50u);
  EXPECT_EQ(read_from(1).status().code(), absl::StatusCode::kDataLoss);
  write_until(120);
  EXPECT_EQ(*read_from(51), 70u);
}

TEST_F(JournalRotTest, InAnEarlierSegmentIsToldToWhoReadsIt) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(200);
  rot(20);
  restart(Crash::kPower);
  ASSERT_EQ(open(), absl::OkStatus());
  absl::Status told = read_from(1).status();
  EXPECT_EQ(told.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(told.message().find(path_ + ": record 20 "), std::string::npos) << told;
  EXPECT_EQ(*read_from(21), 180u);
}

TEST_F(JournalRotTest, OfTheLastEntryIsSeenBehindACleanEnd) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(10);
  ASSERT_EQ(journal_->close(), absl::OkStatus());
  rot(10);
  EXPECT_EQ(open().code(), absl::StatusCode::kDataLoss);
}

TEST_F(JournalRotTest, OfAHeaderIsRefused) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(200);
  std::string path = segments()[1];
  disk_.flip_bit(path, 8 * 20);
  restart(Crash::kPower);
  absl::Status refused = open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(refused.message().find(path), std::string::npos) << refused;
}

TEST_F(JournalRotTest, ASegmentThatIsGoneIsMissed) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(200);
  ASSERT_EQ(disk_.remove(segments()[1]), absl::OkStatus());
  EXPECT_EQ(open().code(), absl::StatusCode::kDataLoss);
}

TEST_F(JournalRotTest, AJournalThatEndsBeforeTheStateBeginsAnewBehindIt) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(20);
  LogId id = journal_->id();
  restart(Crash::kPower);
  options_.covered = {{3}, {500}};
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_TRUE(journal_->report().made_new);
  EXPECT_NE(journal_->id(), id);
  EXPECT_EQ(journal_->first(), Position{501});
  EXPECT_EQ(journal_->last(), options_.covered);
  EXPECT_EQ(journal_->append(some_entry(501, 3)), absl::OkStatus());
}

TEST_F(JournalRotTest, AJournalThatEndsBetweenTwoStatesIsRefused) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(20);
  restart(Crash::kPower);
  options_.covered = {{1}, {10}};
  options_.reached = {{1}, {30}};
  absl::Status refused = open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(refused.message().find("ends at 20"), std::string::npos) << refused;
  options_.reached = {{1}, {20}};
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(*read_from(11), 10u);
}

TEST_F(JournalRotTest, ANewerVersionIsRefusedAndLeft) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(20);
  std::string path = segments()[0];
  std::string bytes = *disk_.content(path);
  std::string newer = bytes;
  newer[4] = static_cast<char>(kSegmentVersion + 1);
  uint32_t crc = crc32c(std::string_view(newer).substr(0, 60));
  for (int i = 0; i < 4; ++i) newer[60 + i] = static_cast<char>(crc >> (8 * i));
  disk_.put(path, newer);
  absl::Status refused = open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("newer version"), std::string::npos) << refused;
  EXPECT_EQ(disk_.content(path), newer);
}

TEST_F(JournalRotTest, AnyBitOfAnyFileIsNoticedOrDoesNoHarm) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(60);
  ASSERT_EQ(journal_->close(), absl::OkStatus());
  restart(Crash::kPower);
  for (const std::string& path : segments()) {
    std::string good = *disk_.content(path);
    for (uint64_t bit = 0; bit < good.size() * 8; bit += 29) {
      disk_.flip_bit(path, bit);
      absl::Status opened = open();
      if (opened.ok()) {
        auto read = read_from(1);
        if (read.ok()) {
          EXPECT_EQ(*read, 60u) << path << " bit " << bit;
        } else {
          EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss);
        }
      } else {
        EXPECT_EQ(opened.code(), absl::StatusCode::kDataLoss) << opened;
      }
      journal_ = nullptr;
      disk_.put(path, good);
    }
  }
}

}  // namespace
}  // namespace pollux
