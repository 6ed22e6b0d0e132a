// Readers on threads of their own, on a real disk, while the journal is written and trimmed.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "persistence/codec/entry_codec.h"
#include "persistence/files/posix_file_system.h"
#include "persistence/journal/journal.h"
#include "persistence/journal/journal_reader.h"
#include "tests/persistence/sim/some_entries.h"

namespace pollux {
namespace {

class JournalThreadsTest : public ::testing::Test {
 protected:
  JournalThreadsTest() {
    std::string name = ::testing::TempDir() + "pollux_journal_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    options_.directory = name + "/journal";
    options_.segment_bytes = 8192;
    root_ = name;
  }
  ~JournalThreadsTest() override { std::filesystem::remove_all(root_); }

  std::string root_;
  PosixFileSystem files_;
  JournalOptions options_;
};

constexpr uint64_t kEntries = 2000;

TEST_F(JournalThreadsTest, AReaderSeesEveryEntryThatIsCommittedMeanwhile) {
  auto journal = Journal::open(files_, options_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  std::atomic<uint64_t> committed = 0;
  std::atomic<uint64_t> read = 0;
  std::thread reading([&, index = (*journal)->index()] {
    JournalReader reader(files_, index, {1});
    while (read < kEntries) {
      uint64_t before = committed;
      auto entry = reader.next();
      ASSERT_TRUE(entry.ok()) << entry.status();
      if (!*entry) {
        ASSERT_LE(before, read) << "what was committed must be there";
        committed.wait(before);
        continue;
      }
      ASSERT_EQ((*entry)->id.position.value, read + 1);
      ++read;
    }
  });
  for (uint64_t at = 1; at <= kEntries; ++at) {
    ASSERT_EQ((*journal)->append(some_entry(at)), absl::OkStatus());
    if (at % 20 != 0) continue;
    ASSERT_EQ((*journal)->commit(), absl::OkStatus());
    committed = at;
    committed.notify_all();
    ASSERT_EQ((*journal)->trim({read.load()}), absl::OkStatus());
  }
  reading.join();
  EXPECT_EQ(read, kEntries);
}

// It has read ahead what is cut, or is about to.
TEST_F(JournalThreadsTest, AReaderOfWhatIsAgreedOnNeverSeesWhatIsCut) {
  auto opened = Journal::open(files_, options_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  Journal& journal = **opened;
  std::vector<std::atomic<uint64_t>> salts(kEntries + 1);
  std::atomic<uint64_t> agreed = 0;
  std::atomic<uint64_t> read = 0;
  std::thread reading([&, index = journal.index()] {
    JournalReader reader(files_, index, {1});
    for (uint64_t at = 1; at <= kEntries; ++at) {
      for (uint64_t seen = agreed; seen < at; seen = agreed) agreed.wait(seen);
      auto entry = reader.next();
      ASSERT_TRUE(entry.ok() && *entry) << at << ' ' << entry.status();
      SchemaSet known, others;
      std::string bytes, wanted;
      ASSERT_TRUE(encode_entry(**entry, known, bytes).ok());
      Epoch epoch = (*entry)->id.epoch;
      ASSERT_TRUE(encode_entry(some_entry(at, epoch.value, salts[at]), others, wanted).ok());
      ASSERT_EQ(bytes, wanted) << at;
      read = at;
    }
  });
  uint64_t epoch = 1;
  auto append_until = [&](uint64_t last) {
    while (journal.last().position.value < last) {
      uint64_t at = journal.last().position.value + 1;
      salts[at] = epoch;
      ASSERT_EQ(journal.append(some_entry(at, epoch, epoch)), absl::OkStatus());
    }
    ASSERT_EQ(journal.commit(), absl::OkStatus());
  };
  while (agreed < kEntries) {
    uint64_t last = journal.last().position.value;
    append_until(std::min(kEntries, last + 1 + epoch % 40));
    uint64_t cut = std::min(kEntries, agreed + epoch % 7);
    ASSERT_EQ(journal.truncate({cut}), absl::OkStatus());
    ++epoch;
    append_until(std::min(kEntries, cut + 15));
    agreed = std::min(kEntries, cut + 10);
    agreed.notify_all();
  }
  reading.join();
  EXPECT_EQ(read, kEntries);
}

TEST_F(JournalThreadsTest, AReaderThatIsTooSlowIsTold) {
  auto journal = Journal::open(files_, options_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  JournalReader reader(files_, (*journal)->index(), {1});
  for (uint64_t at = 1; at <= 500; ++at) {
    ASSERT_EQ((*journal)->append(some_entry(at)), absl::OkStatus());
    if (at % 10 != 0) continue;
    ASSERT_EQ((*journal)->commit(), absl::OkStatus());
    if (at > 10) continue;
    ASSERT_TRUE(reader.next().ok());
  }
  ASSERT_EQ((*journal)->trim({500}), absl::OkStatus());
  absl::Status told;
  while (told.ok()) told = reader.next().status();
  EXPECT_EQ(told.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(reader.next().status(), told) << "it comes again";
}

}  // namespace
}  // namespace pollux
