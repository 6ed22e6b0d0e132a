// Where each epoch of a journal ends.
#include <map>
#include <random>

#include "tests/persistence/journal/journal_testing.h"

namespace pollux {
namespace {

using Ends = std::vector<EntryId>;

class EpochEndsTest : public JournalTest {
 protected:
  EpochEndsTest() { options_.segment_bytes = 1024; }

  void append(uint64_t count, uint64_t epoch) {
    for (; count > 0; --count) {
      uint64_t at = journal_->last().position.value + 1;
      ASSERT_EQ(journal_->append(some_entry(at, epoch)), absl::OkStatus());
    }
    ASSERT_EQ(journal_->commit(), absl::OkStatus());
  }
  static EntryId id(uint64_t epoch, uint64_t position) { return {{epoch}, {position}}; }
};

TEST_F(EpochEndsTest, ThereAreNoneBeforeTheFirstEntry) {
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(journal_->epoch_ends(), Ends());
  append(1, 1);
  EXPECT_EQ(journal_->epoch_ends(), Ends{id(1, 1)});
  ASSERT_EQ(journal_->truncate({0}), absl::OkStatus());
  EXPECT_EQ(journal_->epoch_ends(), Ends());
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(journal_->epoch_ends(), Ends());
}

TEST_F(EpochEndsTest, TheEntryBeforeTheFirstOneCounts) {
  options_.covered = {{3}, {500}};
  ASSERT_EQ(open(), absl::OkStatus());
  EXPECT_EQ(journal_->epoch_ends(), Ends{id(3, 500)});
  ASSERT_EQ(journal_->restart_behind({{2}, {40}}), absl::OkStatus());
  EXPECT_EQ(journal_->epoch_ends(), Ends{id(2, 40)});
  append(2, 2);
  append(3, 6);
  EXPECT_EQ(journal_->epoch_ends(), (Ends{id(2, 42), id(6, 45)}));
}

// An epoch counts when it is that of an entry from the one before the first one on.
TEST_F(EpochEndsTest, TheyAreKnownWhateverHappens) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    auto below = [&](uint64_t bound) { return random() % bound; };
    disk_ = SimulatedFileSystem(seed);
    journal_ = nullptr;
    ASSERT_EQ(open(), absl::OkStatus());
    std::map<uint64_t, uint64_t> epochs;  // by position
    for (int step = 0; step < 40; ++step) {
      uint64_t first = journal_->first().value;
      uint64_t last = journal_->last().position.value;
      switch (below(6)) {
        case 0:
        case 1:
        case 2: {
          uint64_t epoch = journal_->last().epoch.value + below(2) + (last == 0 ? 1 : 0);
          uint64_t count = 1 + below(12);
          for (uint64_t i = 1; i <= count; ++i) epochs[last + i] = epoch;
          append(count, epoch);
          break;
        }
        case 3:
          last = first - 1 + below(last - first + 2);
          ASSERT_EQ(journal_->truncate({last}), absl::OkStatus());
          epochs.erase(epochs.upper_bound(last), epochs.end());
          break;
        case 4:
          ASSERT_EQ(journal_->trim({below(last + 1)}), absl::OkStatus());
          break;
        case 5:
          restart(below(2) == 0 ? Crash::kPower : Crash::kProcess);
          ASSERT_EQ(open(), absl::OkStatus());
          break;
      }
      Ends wanted;
      for (auto [position, epoch] : epochs) {
        if (position + 1 < journal_->first().value) continue;
        if (wanted.empty() || wanted.back().epoch.value != epoch) wanted.emplace_back();
        wanted.back() = id(epoch, position);
      }
      ASSERT_EQ(journal_->epoch_ends(), wanted) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace pollux
