// Data that a node must not touch: it is refused with a clear word, and every byte stays.
#include <sys/mount.h>

#include <cstring>

#include "persistence/codec/crc32c.h"
#include "tests/server/durability/durability_testing.h"

namespace pollux {
namespace {

constexpr const char* kSums =
    "@app:name('Sums') define stream Logins (user string, n int);"
    "from Logins select user, sum(n) as total group by user insert into Totals;";

class RefusalTest : public DurabilityTest {
 protected:
  using Path = std::filesystem::path;

  /// A node has run, with states, and was killed.
  void live() {
    start();
    deploy(kSums);
    send_ok("Logins", {{"ann", 1}});
    persist();
    send_ok("Logins", {{"ann", 2}});
    settle();
    kill();
  }
  Path first_with(const std::string& ending, const Path& folder) const {
    for (const Path& file : files_in(folder)) {
      if (file.string().ends_with(ending)) return file;
    }
    ADD_FAILURE() << "no " << ending << " in " << folder;
    return {};
  }
  /// Puts a number into the file, and the checksum of what is before `crc_at` there, if anywhere.
  template <class Number>
  static void put_version(const Path& file, size_t offset, Number version, size_t crc_at = 0) {
    std::string bytes = content_of(file);
    ASSERT_GE(bytes.size(), crc_at + sizeof(uint32_t));
    std::memcpy(bytes.data() + offset, &version, sizeof(version));
    uint32_t sum = crc32c(std::string_view(bytes).substr(0, crc_at));
    if (crc_at != 0) std::memcpy(bytes.data() + crc_at, &sum, sizeof(sum));
    write_file(file, bytes);
  }
  /// The next start fails, names `path`, and changes nothing.
  void expect_refused(const std::string& path, const std::string& words) {
    FileMap before = all_of(data());
    absl::Status refused = try_start();
    drop();
    EXPECT_FALSE(refused.ok());
    EXPECT_NE(refused.message().find(path), std::string::npos) << refused;
    EXPECT_NE(refused.message().find(words), std::string::npos) << refused;
    FileMap after = all_of(data());
    for (const auto& [file, bytes] : before) {
      EXPECT_TRUE(after.contains(file)) << file << " has gone";
      EXPECT_TRUE(after[file] == bytes) << file << " has changed";
    }
    EXPECT_EQ(after.size(), before.size());
  }
};

TEST_F(RefusalTest, AStateOfANewerVersionIsRefused) {
  live();
  Path file = first_with("_Sums", states_of("Sums"));
  put_version<uint32_t>(file, 4, 7, 52);
  expect_refused(file.string(), "written by another version of this program (format 7");
}

TEST_F(RefusalTest, AStateOfTheNodeOfANewerVersionIsRefused) {
  live();
  Path file = first_with("__node", states_of("_node"));
  put_version<uint32_t>(file, 4, 7, 52);
  expect_refused(file.string(), "written by another version of this program (format 7");
}

TEST_F(RefusalTest, AJournalOfANewerVersionIsRefused) {
  live();
  Path file = first_with(".journal", data() / "journal");
  put_version<uint16_t>(file, 4, 7, 60);
  expect_refused(file.string(), "written by a newer version: format 7");
}

TEST_F(RefusalTest, ResultsOfANewerVersionAreRefusedAndCostNoPlan) {
  live();
  Path file = first_with(".outbox", data() / "outbox");
  std::string good = content_of(file);
  put_version<uint16_t>(file, 4, 7, 60);
  expect_refused(file.string(), "written by a newer version: format 7");
  write_file(file, good);
  start();
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3"}));
}

TEST_F(RefusalTest, MarksOfANewerVersionAreRefused) {
  live();
  put_version<uint32_t>(data() / "marks", 4, 7);
  expect_refused((data() / "marks").string(), "marks of version 7");
}

TEST_F(RefusalTest, ResultsThatCannotBeOpenedRefuseTheStartAndCostNoPlan) {
  live();
  files_.set_fault([](DiskWork work, const std::string& path) {
    bool broken = work == DiskWork::kOpen && path.ends_with(".outbox");
    return broken ? absl::InternalError(path + ": cannot open: Too many open files")
                  : absl::OkStatus();
  });
  absl::Status refused = try_start();
  EXPECT_NE(refused.message().find("the results of plan 'Sums' cannot be opened"),
            std::string::npos)
      << refused;
  EXPECT_NE(refused.message().find("Too many open files"), std::string::npos) << refused;
  drop();
  files_.heal();
  start();
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3"}));
}

TEST_F(RefusalTest, AnEpochThatIsNoneIsRefused) {
  live();
  write_file(data() / "epoch", "not a number");
  absl::Status refused = try_start();
  drop();
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.message().find((data() / "epoch").string()), std::string::npos) << refused;
  EXPECT_EQ(content_of(data() / "epoch"), "not a number");
}

TEST_F(RefusalTest, AFileInThePlaceOfAFolderIsRefused) {
  live();
  for (const char* name : {"journal", "outbox", "cep_persistence"}) {
    Path aside = folder_ / "aside";
    std::filesystem::rename(data() / name, aside);
    write_file(data() / name, "a file");
    expect_refused((data() / name).string(), "");
    std::filesystem::remove(data() / name);
    std::filesystem::rename(aside, data() / name);
  }
  start();
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3"}));
}

TEST_F(RefusalTest, AReadOnlyDiskIsRefusedByName) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: only root can mount";
  live();
  const std::string path = data().string();
  if (::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    GTEST_SKIP() << "NOT TESTED: nothing can be mounted here: " << std::strerror(errno);
  }
  int remounted =
      ::mount(nullptr, path.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr);
  if (remounted == 0) expect_refused(path, "Read-only file system");
  EXPECT_EQ(::umount(path.c_str()), 0) << std::strerror(errno);
  EXPECT_EQ(remounted, 0);
  start();
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3"}));
}

// ---- rot in the journal ----

class JournalRotTest : public RefusalTest {
 protected:
  Path journal() const { return first_with(".journal", data() / "journal"); }
  /// Behind the state stand events; the begin of theirs in the journal rots.
  void live_and_rot() {
    start();
    deploy(kSums);
    send_ok("Logins", {{"ann", 1}});
    persist();
    uint64_t covered = std::filesystem::file_size(journal());
    for (int i = 0; i < 10; ++i) send_ok("Logins", {{"ann", 10}});
    settle();
    kill();
    rot(journal(), covered + 70);
  }
};

TEST_F(JournalRotTest, RotBehindTheStatesIsRefusedWithItsPlaceAndWhatCanBeDone) {
  live_and_rot();
  expect_refused(journal().string(), "have rotted, at byte ");
  absl::Status refused = try_start();
  EXPECT_NE(refused.message().find("--forget-rotten-journal"), std::string::npos) << refused;
  EXPECT_NE(refused.message().find("of entry 1.3"), std::string::npos) << refused;
}

TEST_F(JournalRotTest, OnOrderTheNodeGoesOnFromTheStatesAndDestroysNothing) {
  live_and_rot();
  std::string rotten = content_of(journal());
  start({.forget_rotten_journal = true, .forget_plans = {}});
  EXPECT_EQ(recovered().plans, 1u);
  EXPECT_NE(logged().find("the journal is set aside"), std::string::npos);
  Path aside;
  for (const auto& entry : std::filesystem::directory_iterator(data())) {
    if (entry.path().filename().string().starts_with("journal.rotten-")) aside = entry.path();
  }
  ASSERT_FALSE(aside.empty());
  EXPECT_EQ(content_of(first_with(".journal", aside)), rotten);
  Submitted answer = send("Logins", {{"ann", 100}});
  ASSERT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_GT(answer.id.position.value, 3u);
  EXPECT_EQ(values("Totals").back(), "ann 101") << "the state's, without the events behind it";
  Lines before = results("Totals");
  kill_and_start();
  EXPECT_EQ(results("Totals"), before);
  send_ok("Logins", {{"ann", 1000}});
  EXPECT_EQ(values("Totals").back(), "ann 1101");
}

TEST_F(JournalRotTest, RotThatTheStatesHaveTakenInIsToldAndPassedOver) {
  start();
  deploy(kSums);
  for (int i = 0; i < 10; ++i) send_ok("Logins", {{"ann", 10}});
  uint64_t behind = std::filesystem::file_size(journal());
  persist();
  send_ok("Logins", {{"ann", 1}});
  settle();
  kill();
  rot(journal(), behind - 50);
  start();
  EXPECT_NE(logged().find("the journal has rotted where no state needs it any more"),
            std::string::npos);
  send_ok("Logins", {{"ann", 1}});
  EXPECT_EQ(values("Totals").back(), "ann 102");
}

TEST_F(JournalRotTest, ATornEndIsCutAndTold) {
  live();
  write_file(journal(), content_of(journal()) + "what a killed process left");
  start();
  EXPECT_EQ(recovered().torn_bytes, 26u);
  EXPECT_NE(logged().find("the journal's end was torn and is cut"), std::string::npos);
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3"}));
}

}  // namespace
}  // namespace pollux
