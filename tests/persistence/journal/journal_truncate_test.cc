// What truncate() takes off never comes back, and what it leaves lasts.
#include "persistence/segments/segment_scanner.h"
#include "tests/persistence/journal/journal_testing.h"

namespace pollux {
namespace {

constexpr uint64_t kOther = 500;  // salt of entries that come in the place of others

class JournalTruncateTest : public JournalTest {
 protected:
  JournalTruncateTest() { options_.segment_bytes = 1024; }

  /// The disk and the journal of a new machine.
  void begin() {
    journal_ = nullptr;
    disk_ = SimulatedFileSystem(++machines_);
    ASSERT_EQ(open(), absl::OkStatus());
  }
  void append_others(uint64_t last, uint64_t epoch) {
    for (uint64_t at = journal_->last().position.value + 1; at <= last; ++at) {
      ASSERT_EQ(journal_->append(some_entry(at, epoch, kOther)), absl::OkStatus()) << at;
    }
  }
  void commit_others(uint64_t last, uint64_t epoch = 2) {
    append_others(last, epoch);
    ASSERT_EQ(journal_->commit(), absl::OkStatus());
  }
  /// The reader goes on from `from`; up to `kept` as they were first, from there on the others.
  void expect_rest(JournalReader& reader, uint64_t from, uint64_t kept, uint64_t last,
                   uint64_t epoch = 2) {
    for (uint64_t at = from; at <= last; ++at) {
      auto entry = reader.next();
      ASSERT_TRUE(entry.ok() && *entry) << at << ' ' << entry.status();
      Entry wanted = at <= kept ? some_entry(at) : some_entry(at, epoch, kOther);
      ASSERT_EQ(bytes_of(**entry), bytes_of(wanted)) << at;
    }
    auto end = reader.next();
    EXPECT_TRUE(end.ok() && !*end) << end.status();
  }
  void expect_entries(uint64_t kept, uint64_t last, uint64_t epoch = 2) {
    EXPECT_EQ(journal_->last().position, Position{last});
    JournalReader reader(disk_, journal_->index(), journal_->first());
    expect_rest(reader, journal_->first().value, kept, last, epoch);
  }
  void read_until(JournalReader& reader, uint64_t last) {
    for (uint64_t at = 0; at < last;) {
      auto entry = reader.next();
      ASSERT_TRUE(entry.ok() && *entry) << entry.status();
      at = (*entry)->id.position.value;
    }
  }

  uint64_t machines_ = 1;
};

TEST_F(JournalTruncateTest, EveryPositionCanBecomeTheLastOne) {
  for (uint64_t last = 0; last <= 40; ++last) {
    begin();
    write_until(40);
    ASSERT_GT(segments().size(), 4u);
    ASSERT_EQ(journal_->truncate({last}), absl::OkStatus()) << last;
    EXPECT_EQ(journal_->last(), (EntryId{{last > 0 ? 1u : 0u}, {last}}));
    EXPECT_EQ(journal_->durable(), Position{last});
    EXPECT_EQ(*read_from(1), last);
    restart(Crash::kPower);
    ASSERT_EQ(open(), absl::OkStatus());
    EXPECT_EQ(journal_->report().written_again, last < 40 ? 0u : 1u) << "what was cut is proven";
    EXPECT_EQ(*read_from(1), last);
    commit_others(50);
    expect_entries(last, 50);
    restart(Crash::kPower);
    ASSERT_EQ(open(), absl::OkStatus());
    expect_entries(last, 50);
  }
}

TEST_F(JournalTruncateTest, GoesOnAtOnceWithOtherEntries) {
  for (uint64_t last = 0; last <= 40; ++last) {
    begin();
    write_until(40);
    ASSERT_EQ(journal_->truncate({last}), absl::OkStatus());
    commit_others(45);
    ASSERT_EQ(journal_->truncate({last}), absl::OkStatus()) << "and again";
    commit_others(60, 3);
    expect_entries(last, 60, 3);
    restart(Crash::kPower);
    ASSERT_EQ(open(), absl::OkStatus());
    expect_entries(last, 60, 3);
  }
}

TEST_F(JournalTruncateTest, ACrashAtAnyPointLeavesAFrontThatReachesFarEnough) {
  for (Crash crash : {Crash::kProcess, Crash::kPower}) {
    for (uint64_t last : {0, 1, 17, 30, 39}) {
      for (uint64_t operations = 0;; ++operations) {
        begin();
        write_until(40);
        disk_.crash_after(operations);
        absl::Status cut = journal_->truncate({last});
        if (!disk_.crashed()) {
          ASSERT_EQ(cut, absl::OkStatus());
          ASSERT_GT(operations, 3u);
          break;
        }
        restart(crash);
        ASSERT_EQ(open(), absl::OkStatus());
        uint64_t left = journal_->last().position.value;
        ASSERT_GE(left, last);
        ASSERT_EQ(*read_from(1), left);
        ASSERT_EQ(journal_->truncate({last}), absl::OkStatus());
        commit_others(50);
        restart(Crash::kPower);
        ASSERT_EQ(open(), absl::OkStatus());
        expect_entries(last, 50);
      }
    }
  }
}

TEST_F(JournalTruncateTest, WhatTheDiskNeverGotLastsBehindIt) {
  for (uint64_t last = 10; last < 15; ++last) {
    options_.segment_bytes = 1 << 20;
    begin();
    write_until(10);
    for (uint64_t at = 11; at <= 15; ++at) ASSERT_TRUE(journal_->append(some_entry(at)).ok());
    disk_.fail_sync_after(0);
    ASSERT_FALSE(journal_->commit().ok());
    // The start finds 11 to 15 in the page cache, and writes them once more behind themselves.
    restart(Crash::kProcess);
    ASSERT_EQ(open(), absl::OkStatus());
    ASSERT_EQ(journal_->report().written_again, 5u);
    ASSERT_EQ(journal_->truncate({last}), absl::OkStatus());
    restart(Crash::kPower);
    ASSERT_EQ(open(), absl::OkStatus());
    expect_entries(last, last);
    commit_others(20);
    restart(Crash::kPower);
    ASSERT_EQ(open(), absl::OkStatus());
    expect_entries(last, 20);
  }
}

TEST_F(JournalTruncateTest, TheNextEntryMayHaveALowerEpochThanWhatWasCut) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(10);
  commit_others(20, 7);
  ASSERT_EQ(journal_->truncate({15}), absl::OkStatus());
  EXPECT_EQ(journal_->last(), (EntryId{{7}, {15}}));
  EXPECT_FALSE(journal_->append(some_entry(16, 6)).ok());
  ASSERT_EQ(journal_->truncate({10}), absl::OkStatus());
  EXPECT_EQ(journal_->last(), (EntryId{{1}, {10}}));
  EXPECT_FALSE(journal_->append(some_entry(11, 0)).ok());
  commit_others(30, 3);
  restart(Crash::kPower);
  ASSERT_EQ(open(), absl::OkStatus());
  expect_entries(10, 30, 3);
}

TEST_F(JournalTruncateTest, WhatIsNotCommittedGoesToo) {
  for (uint64_t last = 8; last <= 15; ++last) {
    begin();
    write_until(10);
    for (uint64_t at = 11; at <= 15; ++at) ASSERT_TRUE(journal_->append(some_entry(at)).ok());
    ASSERT_EQ(journal_->truncate({last}), absl::OkStatus());
    EXPECT_EQ(journal_->last(), (EntryId{{1}, {last}}));
    EXPECT_EQ(*read_from(1), std::min<uint64_t>(last, 10)) << "it is not committed by that";
    commit_others(20);
    expect_entries(last, 20);
    restart(Crash::kPower);
    ASSERT_EQ(open(), absl::OkStatus());
    expect_entries(last, 20);
  }
}

TEST_F(JournalTruncateTest, BehindTheLastEntryNothingHappens) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(10);
  uint64_t syncs = disk_.syncs();
  ASSERT_EQ(journal_->truncate({10}), absl::OkStatus());
  ASSERT_EQ(journal_->truncate({99}), absl::OkStatus());
  EXPECT_EQ(disk_.syncs(), syncs);
  write_until(20);
  EXPECT_EQ(*read_from(1), 20u);
}

TEST_F(JournalTruncateTest, AllGoesAndWhatIsTrimmedDoesNotComeBack) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(10);
  for (uint64_t last = 15; last <= 40; last += 5) commit_others(last, 4);
  ASSERT_EQ(journal_->trim({30}), absl::OkStatus());
  uint64_t first = journal_->first().value;
  ASSERT_GT(first, 12u);
  EXPECT_EQ(journal_->truncate({first - 2}).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(journal_->last().position, Position{40});
  ASSERT_EQ(journal_->truncate({first - 1}), absl::OkStatus());
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(journal_->first(), Position{first});
    EXPECT_EQ(journal_->last(), (EntryId{{4}, {first - 1}}));
    EXPECT_EQ(segments().size(), 1u);
    EXPECT_EQ(*read_from(first), 0u);
    ASSERT_EQ(open(), absl::OkStatus());
  }
  commit_others(50, 4);
  expect_entries(10, 50, 4);
}

TEST_F(JournalTruncateTest, AReaderThatStandsBeforeItReadsWhatComesNow) {
  for (uint64_t segment_bytes : {1 << 10, 1 << 20}) {
    for (uint64_t read = 0; read <= 20; ++read) {
      options_.segment_bytes = segment_bytes;
      begin();
      write_until(40);
      JournalReader reader(disk_, journal_->index(), {1});
      JournalReader behind(disk_, journal_->index(), {31});
      read_until(reader, read);
      ASSERT_EQ(journal_->truncate({20}), absl::OkStatus());
      commit_others(35);
      expect_rest(reader, read + 1, 20, 35);
      expect_rest(behind, 31, 20, 35);
      commit_others(60);
      expect_rest(reader, 36, 20, 60);
      expect_rest(behind, 36, 20, 60);
    }
  }
}

// What stands before the record that it wants may be other schemas than it has seen.
TEST_F(JournalTruncateTest, AReaderThatIsStillOnItsWayBeginsAgain) {
  options_.segment_bytes = 1 << 20;
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(40);
  LogReader reader(disk_, journal_->index(), 35);
  for (uint64_t at = 1; at <= 30; ++at) ASSERT_EQ((*reader.next())->sequence, at);
  ASSERT_EQ(journal_->truncate({20}), absl::OkStatus());
  auto none = reader.next();
  EXPECT_TRUE(none.ok() && !*none) << "what it wants is not there yet";
  commit_others(40);
  for (uint64_t at = 1; at <= 40; ++at) {
    auto record = reader.next();
    ASSERT_TRUE(record.ok() && *record) << record.status();
    EXPECT_EQ((*record)->sequence, at);
    EXPECT_EQ((*record)->tag, at <= 20 ? 1u : 2u);
    EXPECT_EQ((*record)->new_segment, at == 1);
  }
}

TEST_F(JournalTruncateTest, AReaderThatHasReadWhatIsCutIsTold) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(40);
  JournalReader reader(disk_, journal_->index(), {1});
  JournalReader from_behind(disk_, journal_->index(), {21});
  read_until(reader, 21);
  read_until(from_behind, 21);
  ASSERT_EQ(journal_->truncate({20}), absl::OkStatus());
  commit_others(50);
  // Also when a later cut alone would not have concerned it.
  ASSERT_EQ(journal_->truncate({45}), absl::OkStatus());
  for (JournalReader* one : {&reader, &from_behind}) {
    absl::Status told = one->next().status();
    EXPECT_EQ(told.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(one->next().status(), told);
  }
}

TEST_F(JournalTruncateTest, OnAFullDiskNothingHasChanged) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(40);
  JournalReader reader(disk_, journal_->index(), {1});
  read_until(reader, 30);
  ASSERT_EQ(journal_->append(some_entry(41)), absl::OkStatus());
  for (uint64_t room : {0, 70, 200}) {
    uint64_t used = disk_.bytes_used();
    disk_.set_capacity(used + room);
    EXPECT_EQ(journal_->truncate({28}).code(), absl::StatusCode::kResourceExhausted) << room;
    EXPECT_EQ(disk_.bytes_used(), used) << "what was begun takes no room";
    EXPECT_EQ(journal_->last().position, Position{41});
    EXPECT_EQ(*read_from(1), 40u);
  }
  disk_.set_capacity(SimulatedFileSystem::kNever);
  ASSERT_EQ(journal_->commit(), absl::OkStatus());
  read_until(reader, 41);
  ASSERT_EQ(journal_->truncate({28}), absl::OkStatus());
  commit_others(50);
  expect_entries(28, 50);
}

TEST_F(JournalTruncateTest, WhatWaitsForRoomCanBeCut) {
  options_.segment_bytes = 1 << 20;
  for (uint64_t last : {7, 10, 15}) {
    begin();
    write_until(10);
    for (uint64_t at = 11; at <= 30; ++at) ASSERT_TRUE(journal_->append(some_entry(at)).ok());
    disk_.set_capacity(disk_.bytes_used() + 1500);
    ASSERT_EQ(journal_->commit().code(), absl::StatusCode::kResourceExhausted);
    disk_.set_capacity(SimulatedFileSystem::kNever);
    ASSERT_EQ(journal_->truncate({last}), absl::OkStatus());
    // What stays of the group still waits, and the next entry behind it.
    EXPECT_EQ(journal_->append(some_entry(last + 1, 2, kOther)).ok(), last <= 10);
    ASSERT_EQ(journal_->commit(), absl::OkStatus());
    commit_others(20);
    expect_entries(last, 20);
  }
}

TEST_F(JournalTruncateTest, ASyncThatFailsIsForEver) {
  for (uint64_t last : {12, 39}) {
    begin();
    write_until(40);
    disk_.fail_sync_after(0);
    EXPECT_EQ(journal_->truncate({last}).code(), absl::StatusCode::kInternal);
    EXPECT_FALSE(journal_->append(some_entry(41)).ok());
    EXPECT_FALSE(journal_->truncate({last}).ok());
    EXPECT_FALSE(journal_->restart_behind({{1}, {50}}).ok());
    restart(Crash::kPower);
    ASSERT_EQ(open(), absl::OkStatus());
    EXPECT_GE(journal_->last().position.value, last);
  }
}

TEST_F(JournalTruncateTest, WhatShouldStayAndHasRottenIsTold) {
  options_.segment_bytes = 1 << 20;
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(40);
  std::string path = segments().back();
  auto file = *disk_.open_read(path);
  SegmentScanner scanner(*file, journal_->id());
  while (*scanner.next() == ScanStep::kFrame && scanner.frame().sequence != 20) continue;
  uint64_t bit = (scanner.begin() + scanner.end()) / 2 * 8;
  disk_.flip_bit(path, bit);
  absl::Status told = journal_->truncate({30});
  EXPECT_EQ(told.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(told.message().find(path + ": record 20 "), std::string::npos) << told;
  disk_.flip_bit(path, bit);
  EXPECT_EQ(*read_from(1), 40u);
  write_until(45);
  EXPECT_EQ(*read_from(1), 45u);
}

TEST_F(JournalTruncateTest, WithoutSyncsOfCommitsWhatStaysLasts) {
  options_.sync_commits = false;
  options_.segment_bytes = 1 << 20;
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(40);
  ASSERT_EQ(journal_->append(some_entry(41)), absl::OkStatus());
  ASSERT_EQ(journal_->truncate({40}), absl::OkStatus());
  EXPECT_EQ(journal_->durable(), Position{40});
  write_until(60);
  ASSERT_EQ(journal_->truncate({50}), absl::OkStatus());
  EXPECT_EQ(journal_->durable(), Position{50});
  restart(Crash::kPower);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(*read_from(1), 50u);
}

}  // namespace
}  // namespace pollux
