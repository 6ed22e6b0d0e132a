// A journal on a simulated disk, and what its tests ask of it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "persistence/codec/entry_codec.h"
#include "persistence/journal/journal.h"
#include "persistence/journal/journal_reader.h"
#include "tests/persistence/sim/simulated_file_system.h"
#include "tests/persistence/sim/some_entries.h"

namespace pollux {

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    options_.directory = "data/journal";
    options_.segment_bytes = 4096;
    options_.bytes_max = 1 << 20;
    options_.bytes_reserved = 1 << 16;
    options_.new_id = [this] { return LogId{7, ++ids_}; };
  }

  absl::Status open() {
    journal_ = nullptr;
    auto journal = Journal::open(disk_, options_);
    if (journal.ok()) journal_ = *std::move(journal);
    return journal.status();
  }
  /// Appends and commits entries up to `last`, in groups.
  void write_until(uint64_t last, uint64_t group = 3) {
    for (uint64_t at = journal_->last().position.value + 1; at <= last; ++at) {
      ASSERT_EQ(journal_->append(some_entry(at)), absl::OkStatus());
      if (at % group != 0 && at != last) continue;
      ASSERT_EQ(journal_->commit(), absl::OkStatus());
    }
  }
  void restart(Crash crash) {
    disk_.restart(crash);
    journal_ = nullptr;
  }
  static std::string bytes_of(const Entry& entry) {
    SchemaSet known;
    std::string bytes;
    EXPECT_TRUE(encode_entry(entry, known, bytes).ok());
    return bytes;
  }
  /// Reads from `from` on; all must be as they were written. Returns how many, or the error.
  absl::StatusOr<uint64_t> read_from(uint64_t from) {
    JournalReader reader(disk_, journal_->index(), {from});
    uint64_t read = 0;
    while (true) {
      auto entry = reader.next();
      if (!entry.ok()) return entry.status();
      if (!*entry) return read;
      EXPECT_EQ(bytes_of(**entry), bytes_of(some_entry(from + read)));
      ++read;
    }
  }
  std::vector<std::string> segments() {
    std::vector<std::string> paths;
    auto entries = disk_.list(options_.directory);
    EXPECT_TRUE(entries.ok()) << entries.status();
    for (const DirectoryEntry& entry : *entries) {
      if (entry.name.ends_with(".journal")) {
        paths.push_back(options_.directory + "/" + entry.name);
      }
    }
    return paths;
  }

  SimulatedFileSystem disk_{1};
  JournalOptions options_;
  uint64_t ids_ = 0;
  std::unique_ptr<Journal> journal_;
};

}  // namespace pollux
