// `pollux journal` on journals as a server leaves them, whole and damaged.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "persistence/codec/crc32c.h"
#include "persistence/files/posix_file_system.h"
#include "persistence/journal/journal.h"
#include "persistence/segments/segment_scanner.h"
#include "server/tool/journal/entry_json_reader.h"
#include "tests/persistence/codec/random_entries.h"
#include "tests/persistence/codec/same_entry.h"
#include "tests/server/shell_testing.h"

namespace pollux {
namespace {

namespace fs = std::filesystem;
using simdjson::dom::element;

class JournalCommandTest : public ShellTest {
 protected:
  /// Random entries from `first` on; two epochs, times that never go back.
  static std::vector<Entry> random_entries(uint64_t first, uint64_t last) {
    std::vector<Entry> entries;
    for (uint64_t at = first; at <= last; ++at) {
      Entry entry = RandomEntries(at).entry();
      entry.id = {{at <= 40 ? 3U : 4U}, {at}};
      entry.timestamp = {static_cast<int64_t>(1'493'101'044'948 + at * 1000)};
      entries.push_back(std::move(entry));
    }
    return entries;
  }
  /// A journal in data/journal.
  std::unique_ptr<Journal> open() {
    JournalOptions options;
    options.directory = path("data/journal");
    options.segment_bytes = 32 << 10;
    auto journal = Journal::open(files_, options);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return journal.ok() ? *std::move(journal) : nullptr;
  }
  static void append(Journal& journal, const std::vector<Entry>& entries) {
    for (const Entry& entry : entries) {
      ASSERT_EQ(journal.append(entry), absl::OkStatus());
      ASSERT_EQ(journal.commit(), absl::OkStatus());
    }
  }
  void write_journal(uint64_t last = 100) {
    auto journal = open();
    append(*journal, random_entries(1, last));
    ASSERT_EQ(journal->close(), absl::OkStatus());
  }
  std::vector<std::string> segments() const {
    std::vector<std::string> found;
    for (const auto& each : fs::directory_iterator(path("data/journal"))) {
      if (each.path().extension() == ".journal") found.push_back(each.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  /// Turns over a bit of the file.
  static void damage(const std::string& file, uint64_t offset) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    int byte = stream.get();
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(static_cast<char>(byte ^ 1));
  }
  static void expect_entries(const std::string& text, const std::vector<Entry>& entries) {
    tool::EntryJsonReader reader;
    std::vector<std::string> lines = lines_of(text);
    ASSERT_EQ(lines.size(), entries.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      auto read = reader.read(lines[i]);
      ASSERT_TRUE(read.ok()) << read.status();
      expect_same(*read, entries[i]);
    }
  }
  /// The names, sizes and times of all that stands in the data folder.
  std::map<std::string, std::pair<uint64_t, fs::file_time_type>> standing() const {
    std::map<std::string, std::pair<uint64_t, fs::file_time_type>> found;
    for (const auto& each : fs::recursive_directory_iterator(path("data"))) {
      uint64_t bytes = each.is_directory() ? 0 : each.file_size();
      found[each.path()] = {bytes, each.last_write_time()};
    }
    return found;
  }

  PosixFileSystem files_;
};

TEST_F(JournalCommandTest, AnExportHasEveryEntryOnceAndInOrder) {
  write_journal();
  ASSERT_GT(segments().size(), 2u);
  ShellResult run = shell("pollux journal export data");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  expect_entries(run.out, random_entries(1, 100));
  EXPECT_EQ(shell("pollux journal export data/journal").out, run.out);
  run = shell("pollux journal export data -o entries.jsonl");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, "");
  expect_entries(read("entries.jsonl"), random_entries(1, 100));
}

TEST_F(JournalCommandTest, AnExportBeginsAndEndsWhereItIsTold) {
  write_journal();
  expect_entries(shell("pollux journal export data --from 30 --to 50").out, random_entries(30, 50));
  expect_entries(shell("pollux journal export data --from 3.30 --to 4.50").out,
                 random_entries(30, 50));
  expect_entries(shell("pollux journal export data --to 1").out, random_entries(1, 1));
  expect_entries(shell("pollux journal export data --from 101").out, {});
  ShellResult other_epoch = shell("pollux journal export data --from 4.30 --to 50");
  EXPECT_EQ(other_epoch.exit_code, 1);
  EXPECT_EQ(other_epoch.err, "the entry at position 30 is 3.30\n");
  EXPECT_EQ(shell("pollux journal export data --from first").exit_code, 1);
}

TEST_F(JournalCommandTest, AJournalThatIsOpenAndGrowsIsReadAndLeftAsItIs) {
  auto journal = open();
  append(*journal, random_entries(1, 60));
  write("data/journal/00000000000000000061.journal.new", "half made");
  auto before = standing();
  expect_entries(shell("pollux journal export data").out, random_entries(1, 60));
  EXPECT_EQ(shell("pollux journal inspect data").exit_code, 0);
  EXPECT_EQ(standing(), before);
  append(*journal, random_entries(61, 80));
  expect_entries(shell("pollux journal export data").out, random_entries(1, 80));
}

TEST_F(JournalCommandTest, ACopyOnAReadOnlyFolderIsRead) {
  write_journal();
  ShellResult run = shell("chmod -R a-w data && pollux journal export data; chmod -R u+w data");
  expect_entries(run.out, random_entries(1, 100));
}

TEST_F(JournalCommandTest, InspectTellsOfSegmentsAndOfAll) {
  write_journal();
  ShellResult run = shell("pollux journal inspect --json data");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  std::vector<std::string> lines = lines_of(run.out);
  std::vector<std::string> files = segments();
  ASSERT_EQ(lines.size(), files.size() + 1);
  uint64_t next = 1;
  for (size_t i = 0; i < files.size(); ++i) {
    simdjson::dom::parser parser;
    element line = parser.parse(lines[i]);
    EXPECT_EQ(fs::path(std::string_view(line["segment"])).filename(),
              fs::path(files[i]).filename());
    EXPECT_EQ(uint64_t(line["first"]), next);
    EXPECT_EQ(uint64_t(line["bytes"]), fs::file_size(files[i]));
    EXPECT_EQ(int64_t(line["first_ms"]), static_cast<int64_t>(1'493'101'044'948 + next * 1000));
    EXPECT_TRUE(bool(line["sealed"]));
    next += uint64_t(line["entries"]);
  }
  EXPECT_EQ(next, 101u);
  simdjson::dom::parser parser;
  element all = parser.parse(lines.back());
  EXPECT_EQ(uint64_t(all["entries"]), 100u);
  EXPECT_EQ(std::string_view(all["first_entry"]), "3.1");
  EXPECT_EQ(std::string_view(all["last_entry"]), "4.100");
  EXPECT_EQ(uint64_t(all["rotten_entries"]), 0u);

  run = shell("pollux journal inspect data");
  EXPECT_NE(run.out.find(", 100 entries, 3.1 to 4.100\n"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("2017-04-25 06:17:25.948"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("  3-4  "), std::string::npos) << run.out;
}

TEST_F(JournalCommandTest, ATornTailIsToldAndDoesNoHarm) {
  write_journal();
  std::string last = segments().back();
  fs::resize_file(last, fs::file_size(last) - 60);  // the mark and a part of the last entry
  ShellResult run = shell("pollux journal inspect data");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out.find("torn, "), std::string::npos) << run.out;
  EXPECT_NE(run.out.find(", 99 entries, 3.1 to 4.99\n"), std::string::npos) << run.out;
  expect_entries(shell("pollux journal export data").out, random_entries(1, 99));
}

TEST_F(JournalCommandTest, RotIsToldWithFileAndPosition) {
  write_journal();
  std::string first = segments().front();
  damage(first, kSegmentHeaderBytes + kFrameHeaderBytes + 8);
  ShellResult run = shell("pollux journal inspect data");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(run.err, "data/journal/" + fs::path(first).filename().string() +
                         ": entry 1 has rotted, at byte 64\n");
  EXPECT_NE(shell("pollux journal inspect data --json")
                .out.find(R"("rot":[{"first":1,"last":1,"offset":64}])"),
            std::string::npos);
  run = shell("pollux journal export data");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(run.out, "");
  EXPECT_NE(run.err.find("record 1 has rotted"), std::string::npos) << run.err;
  expect_entries(shell("pollux journal export data --from 2").out, random_entries(2, 100));
}

TEST_F(JournalCommandTest, ANewerVersionAndAnotherJournalAreTold) {
  write_journal();
  const std::string name = "data/journal/" + fs::path(segments()[1]).filename().string();
  const std::string bytes = read(name);
  std::string newer = bytes.substr(0, kSegmentHeaderBytes);
  newer[4] = 2;
  uint32_t crc = crc32c(std::string_view(newer).substr(0, 60));
  std::memcpy(newer.data() + 60, &crc, 4);
  SegmentHeader header =
      *decode_segment_header(bytes.substr(0, kSegmentHeaderBytes), LogKind::kJournal);
  header.id = {1, 2};
  const std::pair<std::string, std::string> kHeads[] = {
      {newer, "version"}, {encode_segment_header(header), "among those of"}};
  for (const auto& [head, why] : kHeads) {
    write(name, head + bytes.substr(kSegmentHeaderBytes));
    ShellResult run = shell("pollux journal inspect data");
    EXPECT_EQ(run.exit_code, 3);
    EXPECT_NE(run.out.find("unreadable"), std::string::npos) << run.out;
    EXPECT_NE(run.err.find(name), std::string::npos) << run.err;
    EXPECT_NE(run.err.find(why), std::string::npos) << run.err;
    run = shell("pollux journal export data");
    EXPECT_EQ(run.exit_code, 3);
    EXPECT_NE(run.err.find(why), std::string::npos) << run.err;
  }
}

TEST_F(JournalCommandTest, WhereNoJournalIsThatIsSaid) {
  ShellResult run = shell("pollux journal inspect nowhere");
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_NE(run.err.find("nowhere"), std::string::npos) << run.err;
  write("notes.txt", "somebody else's");
  run = shell("pollux journal inspect .");
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_EQ(run.err, ".: no journal is here\n");
  EXPECT_EQ(shell("pollux journal export .").exit_code, 4);
  write_journal(3);
  EXPECT_EQ(shell("pollux journal export data -o nowhere/entries.jsonl").exit_code, 4);
  EXPECT_EQ(shell("pollux journal export data > /dev/full").exit_code, 4);
}

}  // namespace
}  // namespace pollux
