// What earlier versions wrote can be read for ever: files of version 1 stand in fixtures/v1.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "persistence/journal/journal.h"
#include "persistence/journal/journal_reader.h"
#include "persistence/outbox/outbox_log.h"
#include "tests/persistence/sim/model.h"
#include "tests/persistence/sim/simulated_file_system.h"

namespace pollux {
namespace {

constexpr uint64_t kEntries = 30;
constexpr char kName[] = "/00000000000000000001";

std::string fixture(const std::string& name) {
  std::ifstream file(std::string(POLLUX_FIXTURES) + "/v1" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

JournalOptions journal_options() {
  JournalOptions options;
  options.directory = "journal";
  options.new_id = [] { return LogId{0x0102030405060708, 0x1112131415161718}; };
  return options;
}

OutboxOptions outbox_options() {
  OutboxOptions options;
  options.directory = "outbox";
  options.new_id = [] { return LogId{0x2122232425262728, 0x3132333435363738}; };
  return options;
}

TEST(JournalFixture, AJournalOfVersion1IsRead) {
  SimulatedFileSystem disk(1);
  disk.put("journal" + std::string(kName) + ".journal", fixture(std::string(kName) + ".journal"));
  auto journal = Journal::open(disk, journal_options());
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ((*journal)->last(), (EntryId{{2}, {kEntries}}));
  JournalReader reader(disk, (*journal)->index(), {1});
  for (uint64_t at = 1; at <= kEntries; ++at) {
    auto entry = reader.next();
    ASSERT_TRUE(entry.ok() && *entry) << entry.status();
    EXPECT_EQ(fingerprint(**entry), fingerprint(some_entry(at, 2, 5)));
  }
}

TEST(JournalFixture, AnOutboxOfVersion1IsRead) {
  SimulatedFileSystem disk(1);
  disk.put("outbox" + std::string(kName) + ".outbox", fixture(std::string(kName) + ".outbox"));
  auto outbox = OutboxLog::open(disk, outbox_options());
  ASSERT_TRUE(outbox.ok()) << outbox.status();
  OutboxReader reader(disk, (*outbox)->index(), 1);
  for (uint64_t at = 1; at <= kEntries; ++at) {
    auto slice = reader.next();
    ASSERT_TRUE(slice.ok() && *slice) << slice.status();
    SomeResults wanted(at, 2, 5);
    EXPECT_EQ((*slice)->cause, wanted.cause);
    EXPECT_EQ((*slice)->ordinals, wanted.ordinals);
    EXPECT_EQ((*slice)->batch->timestamps(), wanted.batch->timestamps());
  }
}

TEST(JournalFixture, ThisVersionWritesTheSameBytes) {
  SimulatedFileSystem disk(1);
  auto journal = Journal::open(disk, journal_options());
  auto outbox = OutboxLog::open(disk, outbox_options());
  ASSERT_TRUE(journal.ok() && outbox.ok());
  for (uint64_t at = 1; at <= kEntries; ++at) {
    ASSERT_EQ((*journal)->append(some_entry(at, 2, 5)), absl::OkStatus());
    ASSERT_EQ((*outbox)->append(SomeResults(at, 2, 5).results()), absl::OkStatus());
    ASSERT_EQ((*journal)->commit(), absl::OkStatus());
  }
  ASSERT_EQ((*journal)->close(), absl::OkStatus());
  ASSERT_EQ((*outbox)->close(), absl::OkStatus());
  for (const auto& [directory, ending] :
       {std::pair("journal", ".journal"), {"outbox", ".outbox"}}) {
    std::string bytes = *disk.content(directory + std::string(kName) + ending);
    // A new version's fixtures are made by this test.
    if (const char* folder = std::getenv("POLLUX_WRITE_FIXTURES")) {
      std::ofstream(std::string(folder) + kName + ending, std::ios::binary) << bytes;
    }
    EXPECT_TRUE(bytes == fixture(std::string(kName) + ending)) << ending;
  }
}

}  // namespace
}  // namespace pollux
