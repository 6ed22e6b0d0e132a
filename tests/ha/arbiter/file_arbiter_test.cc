#include "ha/arbiter/file_arbiter.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/ha/arbiter/arbiter_history.h"
#include "tests/support/becomes_true.h"
#include "tests/support/temp_folder.h"

namespace pollux {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Arbiter> arbiter_in(const std::string& folder) {
  ArbiterOptions options;
  options.domain_name = "pair";
  auto arbiter = make_file_arbiter(options, folder);
  EXPECT_TRUE(arbiter.ok()) << arbiter.status();
  return *std::move(arbiter);
}

class FileArbiterTest : public ::testing::Test {
 protected:
  std::string path_of(uint64_t version) const {
    std::string digits = std::to_string(version);
    return pair_ + "/record." + std::string(20 - digits.size(), '0') + digits;
  }
  void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(pair_)) names.insert(entry.path().filename());
    return names;
  }
  void advance(uint64_t from, uint64_t to) {
    for (uint64_t version = from; version <= to; ++version) {
      auto after = arbiter_->compare_and_set(record_of(version));
      ASSERT_TRUE(after.ok()) << after.status();
      ASSERT_EQ(*after, record_of(version));
    }
  }
  /// That reading and writing name what is wrong.
  void expect_errors(absl::StatusCode code, const std::string& named) {
    expect_error(arbiter_->read().status(), code, named);
    expect_error(arbiter_->compare_and_set(record_of(3)).status(), code, named);
  }

  TempFolder folder_{memory_folder()};  // a thousand versions are some thousand syncs
  std::string pair_ = folder_ / "pair";
  std::unique_ptr<Arbiter> arbiter_ = arbiter_in(folder_.path());
};

TEST_F(FileArbiterTest, AVersionIsAFileThatAnOperatorCanRead) {
  advance(1, 2);
  EXPECT_EQ(names(),
            (std::set<std::string>{"record.00000000000000000001", "record.00000000000000000002"}));
  std::ifstream file(path_of(2));
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, to_json(record_of(2)));
  EXPECT_EQ(arbiter_->describe(), "file " + pair_);
}

TEST_F(FileArbiterTest, ReadingMakesNothing) {
  EXPECT_TRUE(arbiter_->read().ok());
  EXPECT_FALSE(fs::exists(pair_));
}

TEST_F(FileArbiterTest, KeepsTheNewestThousand) {
  advance(1, 1005);
  EXPECT_EQ(names().size(), 1000U);
  EXPECT_FALSE(fs::exists(path_of(5)));
  EXPECT_TRUE(fs::exists(path_of(6)));
}

TEST_F(FileArbiterTest, AVersionThatWasPrunedIsNotSetAgain) {
  advance(1, 1005);
  auto answer = arbiter_->compare_and_set(record_of(3, kPolydeuces));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, record_of(1005));
  EXPECT_FALSE(fs::exists(path_of(3)));
}

TEST_F(FileArbiterTest, AnOldVersionThatAPausedWriterLinkedIsNotTheRecord) {
  advance(1, 1005);
  write(path_of(3), to_json(record_of(3, kPolydeuces)));
  auto answer = arbiter_->read();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, record_of(1005));
  advance(1006, 1006);
  EXPECT_FALSE(fs::exists(path_of(3)));
}

TEST_F(FileArbiterTest, WhatACrashLeftBeforeTheLinkMeansNothingAndGoes) {
  advance(1, 2);
  std::string torn = pair_ + "/attempt.00000000000000000003.0123456789abcdef";
  write(torn, "{\"format\":1,");
  auto read = arbiter_->read();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, record_of(2));
  advance(3, 3);
  EXPECT_FALSE(fs::exists(torn));
}

TEST_F(FileArbiterTest, ACrashBetweenLinkAndUnlinkLeavesASuccess) {
  advance(1, 2);
  std::string left = pair_ + "/attempt.00000000000000000003.0123456789abcdef";
  write(left, to_json(record_of(3, kPolydeuces)));
  fs::create_hard_link(left, path_of(3));
  auto answer = arbiter_->compare_and_set(record_of(3));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, record_of(3, kPolydeuces));
  advance(4, 4);
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(FileArbiterTest, OnesOwnSuccessWhoseReplyWasLostIsSeen) {
  advance(1, 2);
  write(path_of(3), to_json(record_of(3)) + "\n");
  auto answer = arbiter_->compare_and_set(record_of(3));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, record_of(3));
}

TEST_F(FileArbiterTest, ATornRecordIsNamed) {
  advance(1, 2);
  std::string whole = to_json(record_of(3));
  for (size_t bytes : {size_t{0}, size_t{1}, whole.size() / 2, whole.size() - 1}) {
    write(path_of(3), whole.substr(0, bytes));
    expect_errors(absl::StatusCode::kDataLoss, path_of(3));
  }
}

TEST_F(FileArbiterTest, ARecordUnderAnotherVersionsNameIsNamed) {
  advance(1, 2);
  fs::copy_file(path_of(2), path_of(7));
  expect_errors(absl::StatusCode::kDataLoss, path_of(7));
}

TEST_F(FileArbiterTest, WhatIsNoRecordOfItsFormIsNamed) {
  advance(1, 2);
  fs::create_directory(path_of(3));
  expect_errors(absl::StatusCode::kDataLoss, path_of(3));
  fs::remove(path_of(3));
  fs::create_symlink(path_of(2), path_of(3));
  expect_errors(absl::StatusCode::kDataLoss, path_of(3));
  fs::remove(path_of(3));
  ASSERT_EQ(::mkfifo(path_of(3).c_str(), 0644), 0);
  expect_errors(absl::StatusCode::kDataLoss, path_of(3));
  fs::remove(path_of(3));
  std::ofstream(path_of(3)) << std::string(1'000'000, 'x');
  expect_errors(absl::StatusCode::kDataLoss, path_of(3));
}

TEST_F(FileArbiterTest, AForeignFileIsNamed) {
  advance(1, 2);
  for (std::string name : {"record.3", "record.00000000000000000000", "record.0000000000000000000x",
                           "record.00000000000000000002~", ".record.00000000000000000002.swp",
                           "attempt.3", "notes", "record.99999999999999999999"}) {
    write(pair_ + "/" + name, "x");
    expect_errors(absl::StatusCode::kDataLoss, pair_ + "/" + name);
    fs::remove(pair_ + "/" + name);
  }
}

TEST_F(FileArbiterTest, ANewerFormatIsNamed) {
  advance(1, 2);
  write(path_of(3), R"({"format":2,"quorum":3})");
  expect_errors(absl::StatusCode::kUnimplemented, path_of(3));
}

TEST_F(FileArbiterTest, AMissingFolderIsNotAnEmptyArbiter) {
  std::string missing = folder_ / "not_mounted";
  arbiter_ = arbiter_in(missing);
  EXPECT_EQ(arbiter_->read().status().code(), absl::StatusCode::kFailedPrecondition);
  auto answer = arbiter_->compare_and_set(record_of(1));
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kFailedPrecondition) << answer.status();
  EXPECT_NE(std::string(answer.status().message()).find(missing), std::string::npos);
  EXPECT_FALSE(fs::exists(missing));
}

TEST_F(FileArbiterTest, NamesThatAreNoFoldersAreRefused) {
  for (const char* name : {"", ".", "..", "a/b", "../up", "/etc", "a b", "-x"}) {
    ArbiterOptions options;
    options.domain_name = name;
    EXPECT_EQ(make_file_arbiter(options, folder_.path()).status().code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
  ArbiterOptions options;
  options.domain_name = "pair";
  EXPECT_EQ(make_file_arbiter(options, "").status().code(), absl::StatusCode::kInvalidArgument);
}

/// A file system of its own in a folder, which only root can have.
class MountedFolder {
 public:
  explicit MountedFolder(const std::string& path) : path_(path) {
    fs::create_directory(path_);
    is_mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=64k") == 0;
  }
  ~MountedFolder() {
    if (is_mounted_) ::umount(path_.c_str());
  }
  bool is_mounted() const { return is_mounted_; }
  bool make_read_only() {
    return ::mount("", path_.c_str(), "", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool is_mounted_ = false;
};

TEST_F(FileArbiterTest, AFullDiskIsToldAndLeavesTheRecordAsItWas) {
  MountedFolder small(folder_ / "small");
  if (!small.is_mounted()) GTEST_SKIP() << "mounting a small disk takes root";
  arbiter_ = arbiter_in(small.path());
  advance(1, 2);
  std::string filler = small.path() + "/filler";
  std::ofstream(filler) << std::string(256 * 1024, 'x');
  auto answer = arbiter_->compare_and_set(record_of(3));
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kResourceExhausted) << answer.status();
  auto read = arbiter_->read();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, record_of(2));
  fs::remove(filler);
  advance(3, 3);
  EXPECT_EQ(std::distance(fs::directory_iterator(small.path() + "/pair"), {}), 3);
}

TEST_F(FileArbiterTest, AReadOnlyFolderIsReadAndWritesAreTold) {
  MountedFolder sealed(folder_ / "sealed");
  if (!sealed.is_mounted()) GTEST_SKIP() << "mounting a read-only disk takes root";
  arbiter_ = arbiter_in(sealed.path());
  advance(1, 2);
  ASSERT_TRUE(sealed.make_read_only());
  arbiter_ = arbiter_in(sealed.path());
  auto read = arbiter_->read();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, record_of(2));
  auto answer = arbiter_->compare_and_set(record_of(3));
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kPermissionDenied) << answer.status();
}

/// Whether the record that a client was told of is the one that others find.
bool is_there(const std::string& folder, const ArbiterRecord& record) {
  std::string digits = std::to_string(record.version);
  std::ifstream file(folder + "/pair/record." + std::string(20 - digits.size(), '0') + digits);
  std::string line;
  std::getline(file, line);
  return line == to_json(record);
}

/// Steps until it is killed or `version_end` is reached; then compares what it was told with what
/// is there.
[[noreturn]] void run_client(const std::string& folder, uint64_t number, uint64_t version_end) {
  auto arbiter = arbiter_in(folder);
  ArbiterHistory history(/*knows_all_requests=*/false);
  ArbiterHistory::Client client(history, number);
  while (history.version() < version_end) {
    absl::Status step = client.step(*arbiter);
    if (!step.ok()) {
      std::fprintf(stderr, "%s\n", step.ToString().c_str());
      ::_exit(1);
    }
  }
  for (const auto& [version, record] : history.told_records()) {
    if (!is_there(folder, record)) {
      std::fprintf(stderr, "not there: %s\n", to_json(record).c_str());
      ::_exit(1);
    }
  }
  ::_exit(history.complaints().empty() ? 0 : 1);
}

/// Whether versions 1 to the newest are all there, each one a record that a client asked for.
void expect_whole_history(const std::string& pair, uint64_t clients) {
  std::map<uint64_t, ArbiterRecord> records;
  std::set<std::string> requests;
  for (const auto& entry : fs::directory_iterator(pair)) {
    if (entry.path().filename().string().starts_with("attempt.")) continue;
    std::ifstream file(entry.path());
    std::string text(std::istreambuf_iterator<char>(file), {});
    auto record = arbiter_record_of(text);
    ASSERT_TRUE(record.ok()) << entry.path() << record.status();
    EXPECT_EQ(entry.path().filename().string(),
              "record." + std::string(20 - std::to_string(record->version).size(), '0') +
                  std::to_string(record->version));
    EXPECT_LE(record->active.high, clients);
    EXPECT_TRUE(requests.insert(to_text(record->active)).second)
        << "one request became two versions";
    records.emplace(record->version, *record);
  }
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records.begin()->first, 1U);
  EXPECT_EQ(records.rbegin()->first, records.size());
}

TEST_F(FileArbiterTest, ProcessesThatRaceMakeOneHistory) {
  constexpr uint64_t kVersions = 600;
  std::vector<pid_t> clients;
  for (uint64_t number = 1; number <= 3; ++number) {
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) run_client(folder_.path(), number, kVersions);
    clients.push_back(child);
  }
  for (pid_t client : clients) {
    int status = 0;
    ASSERT_EQ(::waitpid(client, &status, 0), client);
    EXPECT_EQ(status, 0);
  }
  expect_whole_history(pair_, clients.size());
  EXPECT_EQ(std::count_if(fs::directory_iterator(pair_), {},
                          [](const auto& entry) {
                            return entry.path().filename().string().starts_with("attempt.");
                          }),
            0);
}

TEST_F(FileArbiterTest, ProcessesThatAreKilledAnywhereLeaveOneHistory) {
  std::mt19937 random(7);
  uint64_t killed = 0;
  uint64_t version = 0;
  while (killed < 60) {
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) run_client(folder_.path(), ++killed, 900);
    // Not before it did something, and then anywhere.
    ASSERT_TRUE(becomes_true([&] {
      auto read = arbiter_->read();
      EXPECT_TRUE(read.ok()) << read.status();
      return !read.ok() || read->version > version;
    }));
    for (uint32_t spin = random() % 4; spin > 0; --spin) EXPECT_TRUE(arbiter_->read().ok());
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ++killed;
    auto read = arbiter_->read();
    ASSERT_TRUE(read.ok()) << read.status();
    version = read->version;
    ASSERT_LT(version, 900U);
  }
  expect_whole_history(pair_, killed);
}

}  // namespace
}  // namespace pollux
