// Snapshots: how one takes the place of a node's data, whatever ends in the middle of it; and what
// a node does with one that is cut, or that a hostile node gives.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "persistence/files/posix_file_system.h"
#include "persistence/journal/journal.h"
#include "server/pair/snapshot/snapshot_folder.h"
#include "tests/server/pair/cut_files.h"
#include "tests/support/temp_folder.h"

namespace pollux {
namespace {

namespace fs = std::filesystem;

class SnapshotFolderTest : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(data() + "/" + path).parent_path());
    std::ofstream(data() + "/" + path) << text;
  }
  std::string read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(data() + "/" + path).rdbuf();
    return text.str();
  }
  std::string data() { return folder_ / "data"; }
  SnapshotFolder folder(FileSystem& files) { return {files, data(), data() + "/cep_persistence"}; }
  /// What a node has, and a snapshot that waits.
  void begin() {
    fs::remove_all(data());
    fs::create_directories(data());
    for (const char* part :
         {"journal/1", "outbox/S/1", "stores/E/1", "cep_persistence/-1234/P/1"}) {
      write(part, "old");
    }
    write("pair", "own");
    SnapshotFolder fresh = folder(posix_);
    ASSERT_TRUE(fresh.clear().ok());
    for (const char* part : {"outbox/S/1", "stores/E/1", "states/-1234/P/2"}) {
      write(std::string("incoming/") + part, "new");
    }
    ASSERT_TRUE(fresh.complete({{3}, {17}}).ok());
  }
  void expect_installed() {
    EXPECT_EQ(read("outbox/S/1"), "new");
    EXPECT_EQ(read("stores/E/1"), "new");
    EXPECT_EQ(read("cep_persistence/-1234/P/2"), "new");
    EXPECT_FALSE(fs::exists(data() + "/cep_persistence/-1234/P/1"));
    EXPECT_EQ(read("pair"), "own");
    for (const char* part : {"journal/1", "outbox/S/1", "stores/E/1", "states/-1234/P/1"}) {
      EXPECT_EQ(read(std::string("set-aside/") + part), "old") << part;
    }
    JournalOptions options;
    options.directory = data() + "/journal";
    auto journal = Journal::open(posix_, options);
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_EQ((*journal)->last(), (EntryId{{3}, {17}}));
    EXPECT_FALSE(fs::exists(data() + "/incoming"));
  }

  TempFolder folder_;
  PosixFileSystem posix_;
};

TEST_F(SnapshotFolderTest, OneThatIsNotCompleteChangesNothing) {
  begin();
  fs::remove(data() + "/incoming/complete");
  auto installed = folder(posix_).install();
  ASSERT_TRUE(installed.ok()) << installed.status();
  EXPECT_FALSE(*installed);
  EXPECT_EQ(read("journal/1"), "old");
  EXPECT_EQ(read("outbox/S/1"), "old");
}

TEST_F(SnapshotFolderTest, OneThatIsCompleteTakesThePlaceOfEverythingWhereverATryBeforeEnded) {
  for (int steps = 0;; ++steps) {
    begin();
    CutFiles cut(posix_, steps);
    const bool whole = folder(cut).install().ok();
    auto again = folder(posix_).install();
    ASSERT_TRUE(again.ok()) << again.status() << " behind " << steps << " steps";
    expect_installed();
    ASSERT_FALSE(HasFailure()) << "behind " << steps << " steps";
    if (whole) break;
    ASSERT_LT(steps, 100);
  }
}

TEST_F(SnapshotFolderTest, OnlyPathsOfItsPartsAreTaken) {
  for (const char* good : {"outbox/S/1", "stores/EVENT_STORE/CURRENT", "states/-1234/P/1_P"}) {
    EXPECT_TRUE(SnapshotFolder::is_path(good)) << good;
  }
  for (const char* bad : {"", "outbox", "pair", "journal/1", "/etc/passwd", "outbox/../pair",
                          "outbox//x", "outbox/./x", "stores/", "../x", "states/..", "Outbox/x"}) {
    EXPECT_FALSE(SnapshotFolder::is_path(bad)) << bad;
  }
}

}  // namespace
}  // namespace pollux
