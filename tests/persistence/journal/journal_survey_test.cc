// A look from outside tells what stands there, and changes nothing.
#include "persistence/journal/journal_survey.h"

#include <numeric>

#include "tests/persistence/journal/journal_testing.h"

namespace pollux {
namespace {

class JournalSurveyTest : public JournalTest {
 protected:
  std::vector<JournalSegment> survey() {
    auto segments = survey_journal(disk_, options_.directory);
    EXPECT_TRUE(segments.ok()) << segments.status();
    return segments.value_or(std::vector<JournalSegment>{});
  }
  static uint64_t entries(const std::vector<JournalSegment>& segments) {
    return std::accumulate(
        segments.begin(), segments.end(), uint64_t{0},
        [](uint64_t sum, const JournalSegment& each) { return sum + each.entries; });
  }
  /// Reads from `from` on by an index made from outside.
  absl::StatusOr<std::vector<Entry>> read(uint64_t from) {
    auto index = index_journal(disk_, options_.directory, {from});
    if (!index.ok()) return index.status();
    JournalReader reader(disk_, *index, {from});
    std::vector<Entry> entries;
    while (true) {
      auto entry = reader.next();
      if (!entry.ok()) return entry.status();
      if (!*entry) return entries;
      entries.push_back(**std::move(entry));
    }
  }
};

TEST_F(JournalSurveyTest, TellsWhatStandsInEachSegmentOfAnOpenJournal) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(100);
  disk_.set_read_only(true);
  std::vector<JournalSegment> segments = survey();
  ASSERT_EQ(segments.size(), this->segments().size());
  EXPECT_EQ(entries(segments), 100u);
  uint64_t next = 1;
  for (const JournalSegment& segment : segments) {
    EXPECT_EQ(segment.status, absl::OkStatus());
    EXPECT_EQ(segment.first.value, next);
    EXPECT_EQ(segment.first_entry, (EntryId{{1}, {next}}));
    EXPECT_EQ(segment.first_time, some_entry(next).timestamp);
    next += segment.entries;
    EXPECT_EQ(segment.last_entry, (EntryId{{1}, {next - 1}}));
    EXPECT_EQ(segment.last_time, some_entry(next - 1).timestamp);
    EXPECT_EQ(segment.sealed, &segment != &segments.back());
    EXPECT_EQ(segment.bytes, disk_.content(segment.path)->size());
    EXPECT_TRUE(segment.rot.empty() && segment.torn_bytes == 0 && segment.unknown == 0);
    EXPECT_EQ(segment.journal, journal_->id());
  }
  EXPECT_EQ(read(1)->size(), 100u);
  EXPECT_EQ(read(73)->size(), 28u);
  EXPECT_EQ(read(101)->size(), 0u);
}

TEST_F(JournalSurveyTest, EntriesThatStandTwiceCountOnce) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(20, 1);
  for (int round = 0; round < 3; ++round) {
    restart(Crash::kProcess);
    ASSERT_EQ(open(), absl::OkStatus());
  }
  EXPECT_EQ(entries(survey()), 20u);
  EXPECT_EQ(read(1)->size(), 20u);
  ASSERT_EQ(journal_->close(), absl::OkStatus());
  EXPECT_TRUE(survey().back().sealed);
}

TEST_F(JournalSurveyTest, ATornTailIsToldAndLeftAsItIs) {
  options_.segment_bytes = 1 << 20;
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(30);
  std::string path = segments()[0];
  std::string torn = *disk_.content(path) + "PLXF and then nothing that is whole";
  disk_.put(path, torn);
  disk_.put(options_.directory + "/00000000000000000031.journal.new", "half made");
  disk_.put(options_.directory + "/notes.txt", "somebody else's");
  std::vector<JournalSegment> found = survey();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].torn_bytes, 35u);
  EXPECT_EQ(found[0].entries, 30u);
  EXPECT_EQ(read(1)->size(), 30u);
  EXPECT_EQ(*disk_.content(path), torn);
  EXPECT_TRUE(disk_.content(options_.directory + "/00000000000000000031.journal.new"));
}

TEST_F(JournalSurveyTest, RotIsToldWithFileAndPosition) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(100);
  disk_.flip_bit(segments()[1], (kSegmentHeaderBytes + kFrameHeaderBytes + 20) * 8);
  std::vector<JournalSegment> found = survey();
  ASSERT_EQ(found[1].rot.size(), 1u);
  EXPECT_EQ(found[1].rot[0].from, found[1].first.value);
  EXPECT_EQ(found[1].rot[0].to, found[1].first.value + 1);
  EXPECT_EQ(found[1].rot[0].offset, kSegmentHeaderBytes);
  EXPECT_EQ(entries(found), 99u);
  absl::Status told = read(1).status();
  EXPECT_EQ(told.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(told.message().find(found[1].path), std::string::npos) << told;
}

TEST_F(JournalSurveyTest, ABadHeaderHurtsOnlyWhoReadsItsSegment) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(100);
  disk_.flip_bit(segments()[0], 8 * 20);
  std::vector<JournalSegment> found = survey();
  EXPECT_EQ(found[0].status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(found[1].status, absl::OkStatus());
  EXPECT_EQ(read(1).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(read(found[1].first.value)->size(), 101 - found[1].first.value);
}

TEST_F(JournalSurveyTest, ASegmentThatIsMissingIsRot) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(150);
  std::vector<JournalSegment> before = survey();
  ASSERT_GT(before.size(), 2u);
  ASSERT_EQ(disk_.remove(before[1].path), absl::OkStatus());
  std::vector<JournalSegment> found = survey();
  ASSERT_EQ(found[0].rot.size(), 1u);
  EXPECT_EQ(found[0].rot[0].from, before[1].first.value);
  EXPECT_EQ(found[0].rot[0].to, before[2].first.value);
  EXPECT_EQ(read(1).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(JournalSurveyTest, WhereNoJournalIsThatIsSaid) {
  EXPECT_EQ(survey_journal(disk_, "nowhere").status().code(), absl::StatusCode::kNotFound);
  ASSERT_EQ(disk_.make_directories("empty"), absl::OkStatus());
  EXPECT_EQ(survey_journal(disk_, "empty").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(index_journal(disk_, "empty", {1}).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace pollux
