#include "persistence/files/posix_file_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace pollux {
namespace {

class PosixFileSystemTest : public ::testing::Test {
 protected:
  PosixFileSystemTest() {
    std::string name = ::testing::TempDir() + "pollux_files_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  ~PosixFileSystemTest() override { std::filesystem::remove_all(root_); }

  std::string path(const std::string& name) const { return root_ + "/" + name; }
  void write(const std::string& name, std::string_view bytes) {
    auto file = files_.open_append(path(name));
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->append(bytes).ok());
    ASSERT_TRUE((*file)->sync().ok());
  }
  std::string read(const std::string& name) {
    auto file = files_.open_read(path(name));
    if (!file.ok()) return file.status().ToString();
    auto bytes = (*file)->read(0, 1000);
    return bytes.ok() ? *bytes : bytes.status().ToString();
  }

  std::string root_;
  PosixFileSystem files_;
};

TEST_F(PosixFileSystemTest, AppendsAtTheEndOfWhatIsThere) {
  write("a", "one");
  write("a", "two");
  EXPECT_EQ(read("a"), "onetwo");
  EXPECT_EQ((*files_.open_append(path("a")))->size(), 6u);
}

TEST_F(PosixFileSystemTest, AReaderSeesWhatIsAppendedLater) {
  write("a", "one");
  auto reader = files_.open_read(path("a"));
  write("a", "two");
  EXPECT_EQ(*(*reader)->size(), 6u);
  EXPECT_EQ(*(*reader)->read(2, 3), "etw");
  EXPECT_EQ(*(*reader)->read(5, 10), "o");
  EXPECT_EQ(*(*reader)->read(6, 10), "");
}

TEST_F(PosixFileSystemTest, ALargeFileThatIsRemovedIsReadToItsEndByWhoHasItOpen) {
  {
    PosixFileSystem files;
    write("a", std::string(1 << 20, 'x') + "end");
    auto reader = files.open_read(path("a"));
    ASSERT_TRUE(reader.ok());
    ASSERT_TRUE(files.remove_large(path("a")).ok());
    EXPECT_FALSE(std::filesystem::exists(path("a")));
    EXPECT_EQ(*(*reader)->read(1 << 20, 10), "end");
    EXPECT_EQ(files.remove_large(path("a")).code(), absl::StatusCode::kNotFound);
  }
  uint64_t descriptors = 0;
  for (const auto& open : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    descriptors += std::filesystem::read_symlink(open, gone).string().starts_with(root_) ? 1 : 0;
  }
  EXPECT_EQ(descriptors, 0u) << "what was removed still takes space";
}

TEST_F(PosixFileSystemTest, CutsRenamesAndRemoves) {
  write("a", "onetwo");
  write("b", "old");
  ASSERT_TRUE(files_.truncate(path("a"), 3).ok());
  ASSERT_TRUE(files_.rename(path("a"), path("b")).ok());
  EXPECT_EQ(read("b"), "one");
  EXPECT_EQ(files_.open_read(path("a")).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(files_.remove(path("b")).ok());
  ASSERT_TRUE(files_.sync_directory(root_).ok());
  EXPECT_EQ(files_.remove(path("b")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_.rename(path("b"), path("c")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_.truncate(path("b"), 0).code(), absl::StatusCode::kNotFound);
}

TEST_F(PosixFileSystemTest, MakesDirectoriesAndListsByName) {
  ASSERT_TRUE(files_.make_directories(path("x/y/z")).ok());
  ASSERT_TRUE(files_.make_directories(path("x/y/z")).ok());
  write("x/y/b", "12");
  write("x/y/a", "");
  auto entries = files_.list(path("x/y"));
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_FALSE((*entries)[0].directory);
  EXPECT_EQ((*entries)[1].bytes, 2u);
  EXPECT_TRUE((*entries)[2].directory);
  EXPECT_EQ(files_.list(path("none")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(PosixFileSystemTest, AFileIsNoDirectory) {
  write("a", "1");
  EXPECT_FALSE(files_.make_directories(path("a")).ok());
  EXPECT_FALSE(files_.make_directories(path("a/b")).ok());
  EXPECT_FALSE(files_.sync_directory(path("a")).ok());
  EXPECT_EQ(read("a"), "1");
}

TEST_F(PosixFileSystemTest, ErrorsNameThePath) {
  auto status = files_.open_read(path("none")).status();
  EXPECT_EQ(status.message(), path("none") + ": cannot open it to read: No such file or directory");
}

TEST_F(PosixFileSystemTest, ALockIsHeldOnce) {
  auto held = files_.lock(path("lock"));
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_EQ(files_.lock(path("lock")).status().code(), absl::StatusCode::kUnavailable);
  held->reset();
  EXPECT_TRUE(files_.lock(path("lock")).ok());
}

TEST_F(PosixFileSystemTest, AFullDiskIsToldAsSuch) {
  auto full = files_.open_append("/dev/full");
  ASSERT_TRUE(full.ok()) << full.status();
  EXPECT_EQ((*full)->append("x").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ((*full)->size(), 0u);
}

TEST_F(PosixFileSystemTest, WhatIsNotAllowedIsToldAsSuch) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may do everything";
  ASSERT_EQ(::chmod(root_.c_str(), 0555), 0);
  EXPECT_EQ(files_.open_append(path("a")).status().code(), absl::StatusCode::kPermissionDenied);
  ASSERT_EQ(::chmod(root_.c_str(), 0755), 0);
}

TEST_F(PosixFileSystemTest, KnowsWhatIsFree) {
  auto bytes = files_.free_bytes(root_);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_GT(*bytes, 0u);
  EXPECT_FALSE(files_.free_bytes(path("none")).ok());
}

}  // namespace
}  // namespace pollux
