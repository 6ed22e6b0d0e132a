// A journal that is dropped goes on behind another position, as another journal.
#include <set>

#include "tests/persistence/journal/journal_testing.h"

namespace pollux {
namespace {

class JournalRestartTest : public JournalTest {
 protected:
  JournalRestartTest() { options_.segment_bytes = 1024; }

  void expect_new(EntryId at) {
    EXPECT_EQ(journal_->first().value, at.position.value + 1);
    EXPECT_EQ(journal_->last(), at);
    EXPECT_EQ(journal_->durable(), at.position);
    EXPECT_EQ(segments().size(), 1u);
  }
};

TEST_F(JournalRestartTest, BehindAnyPositionItIsEmptyAndHasANewId) {
  for (uint64_t at : {0, 1, 20, 40, 41, 500}) {
    disk_ = SimulatedFileSystem(at + 1);
    ASSERT_EQ(open(), absl::OkStatus());
    write_until(40);
    ASSERT_EQ(journal_->append(some_entry(41)), absl::OkStatus());
    LogId before = journal_->id();
    EntryId behind{{at > 0 ? 9u : 0u}, {at}};
    ASSERT_EQ(journal_->restart_behind(behind), absl::OkStatus());
    expect_new(behind);
    LogId id = journal_->id();
    EXPECT_NE(id, before);
    EXPECT_EQ(id, journal_->index()->id());
    EXPECT_EQ(*read_from(at + 1), 0u);
    restart(Crash::kPower);
    ASSERT_EQ(open(), absl::OkStatus());
    expect_new(behind);
    EXPECT_EQ(journal_->id(), id);
    ASSERT_EQ(journal_->append(some_entry(at + 1, 9)), absl::OkStatus());
    ASSERT_EQ(journal_->commit(), absl::OkStatus());
    restart(Crash::kPower);
    ASSERT_EQ(open(), absl::OkStatus());
    EXPECT_EQ(journal_->last(), (EntryId{{9}, {at + 1}}));
  }
}

TEST_F(JournalRestartTest, ItIsWrittenAtOnce) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(40);
  ASSERT_EQ(journal_->restart_behind({{1}, {100}}), absl::OkStatus());
  write_until(140);
  EXPECT_EQ(*read_from(101), 40u);
  restart(Crash::kPower);
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(*read_from(101), 40u);
}

TEST_F(JournalRestartTest, ACrashLeavesAFrontOfTheOldOneOrNothingOrTheNewOne) {
  std::set<std::string> seen;
  for (Crash crash : {Crash::kProcess, Crash::kPower}) {
    for (uint64_t operations = 0;; ++operations) {
      disk_ = SimulatedFileSystem(operations + 1);
      ASSERT_EQ(open(), absl::OkStatus());
      write_until(40);
      LogId old = journal_->id();
      disk_.crash_after(operations);
      absl::Status dropped = journal_->restart_behind({{3}, {25}});
      if (!disk_.crashed()) {
        ASSERT_EQ(dropped, absl::OkStatus());
        break;
      }
      restart(crash);
      ASSERT_EQ(open(), absl::OkStatus());
      if (journal_->report().made_new) {
        seen.insert("nothing");
        EXPECT_EQ(journal_->last(), EntryId());
      } else if (journal_->id() == old) {
        seen.insert("a front");
        ASSERT_EQ(journal_->first(), Position{1});
        EXPECT_EQ(*read_from(1), journal_->last().position.value);
      } else {
        seen.insert("the new one");
        expect_new({{3}, {25}});
      }
    }
  }
  EXPECT_EQ(seen, (std::set<std::string>{"nothing", "a front", "the new one"}));
}

TEST_F(JournalRestartTest, ReadersOfTheOldOneAreTold) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(40);
  JournalReader begun(disk_, journal_->index(), {1});
  JournalReader fresh(disk_, journal_->index(), {1});
  JournalReader waiting(disk_, journal_->index(), {41});
  ASSERT_TRUE(begun.next().ok());
  ASSERT_TRUE(waiting.next().ok());
  ASSERT_EQ(journal_->restart_behind({{1}, {40}}), absl::OkStatus());
  write_until(60);
  for (JournalReader* one : {&begun, &fresh, &waiting}) {
    absl::Status told = one->next().status();
    EXPECT_EQ(told.code(), absl::StatusCode::kOutOfRange);
    EXPECT_EQ(one->next().status(), told);
  }
  EXPECT_EQ(*read_from(41), 20u);
}

TEST_F(JournalRestartTest, OnAFullDiskNothingHasChanged) {
  ASSERT_EQ(open(), absl::OkStatus());
  write_until(40);
  LogId id = journal_->id();
  JournalReader reader(disk_, journal_->index(), {1});
  ASSERT_EQ(journal_->append(some_entry(41)), absl::OkStatus());
  disk_.set_capacity(disk_.bytes_used() + 10);
  uint64_t used = disk_.bytes_used();
  EXPECT_EQ(journal_->restart_behind({{1}, {100}}).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(disk_.bytes_used(), used);
  disk_.set_capacity(SimulatedFileSystem::kNever);
  EXPECT_EQ(journal_->id(), id);
  ASSERT_EQ(journal_->commit(), absl::OkStatus());
  EXPECT_EQ(*read_from(1), 41u);
  EXPECT_TRUE(reader.next().ok());
  ASSERT_EQ(journal_->restart_behind({{1}, {100}}), absl::OkStatus());
  expect_new({{1}, {100}});
}

}  // namespace
}  // namespace pollux
