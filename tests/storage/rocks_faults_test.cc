// What a store says and does when its disk fails it.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <random>

#include "tests/storage/storage_testing.h"

namespace pollux {
namespace {

using testing::batch_of;
using testing::entry;
using testing::schema_of;
using testing::TestRow;
using testing::write_rows;

SchemaPtr text_schema() {
  static const SchemaPtr schema = schema_of({{"text", AttributeType::kString}});
  return schema;
}
TableDefinition texts() { return {"TEXTS", text_schema(), {}, 0}; }

void expect_told(const absl::Status& status, absl::StatusCode code,
                 std::initializer_list<std::string_view> parts) {
  EXPECT_EQ(status.code(), code) << status;
  for (std::string_view part : parts) {
    EXPECT_NE(status.ToString().find(part), std::string::npos) << part << " in " << status;
  }
}

/// Rows that do not compress.
EventBatch random_texts(std::mt19937_64& random, int rows) {
  EventBatch batch(text_schema());
  for (int i = 0; i < rows; ++i) {
    std::string text(1024, '\0');
    for (char& c : text) c = static_cast<char>(random());
    batch.append_string(0, text);
    batch.end_row(i);
  }
  return batch;
}

/// A small file system of its own; only root can have one.
class SmallDisk {
 public:
  SmallDisk(const std::string& path, const std::string& options) : path_(path) {
    std::filesystem::create_directories(path);
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (!mounted_) std::cerr << "SKIPPED: cannot mount a tmpfs; run as root\n";
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  bool make_read_only() const {
    return ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }

 private:
  std::string path_;
  bool mounted_;
};

TEST(RocksFaults, ADirectoryThatCannotBeMadeIsToldSo) {
  testing::TempDirectory directory;
  std::ofstream(directory / "file") << "x";
  auto store = open_rocks_store(testing::options_for(directory / "file/store"));
  expect_told(store.status(), absl::StatusCode::kUnavailable,
              {"EVENT_STORE", directory / "file/store", "Not a directory", "name one that"});
}

TEST(RocksFaults, AReadOnlyDirectoryIsToldSo) {
  testing::TempDirectory directory;
  SmallDisk disk(directory / "disk", "size=1m");
  if (!disk.mounted()) GTEST_SKIP() << "needs root";
  std::filesystem::create_directories(directory / "disk/store");
  ASSERT_TRUE(disk.make_read_only());
  auto store = open_rocks_store(testing::options_for(directory / "disk/store"));
  expect_told(store.status(), absl::StatusCode::kUnavailable,
              {"EVENT_STORE", directory / "disk/store", "Read-only file system", "check that"});
}

TEST(RocksFaults, AnUnwritableDirectoryIsToldSo) {
  if (::geteuid() == 0) {
    std::cerr << "SKIPPED: root may write anything\n";
    GTEST_SKIP() << "root may write anything";
  }
  testing::TempDirectory directory;
  std::filesystem::create_directories(directory / "store");
  ASSERT_EQ(::chmod((directory / "store").c_str(), 0500), 0);
  auto store = open_rocks_store(testing::options_for(directory / "store"));
  expect_told(store.status(), absl::StatusCode::kUnavailable, {"Permission denied"});
}

TEST(RocksFaults, AFullDiskRefusesWritesUntilThereIsRoomAgain) {
  testing::TempDirectory directory;
  SmallDisk disk(directory / "disk", "size=24m");
  if (!disk.mounted()) GTEST_SKIP() << "needs root";
  const std::string filler = directory / "disk/filler";
  std::ofstream(filler) << std::string(8 << 20, 'f');
  auto options = testing::options_for(directory / "disk/store");
  auto store = testing::open_or_fail(options);
  ASSERT_TRUE(store->open_table(texts()).ok());

  std::mt19937_64 random(5);
  constexpr int kRows = 64;
  EventBatch batch = random_texts(random, kRows);
  uint64_t position = 0;
  absl::Status failure;
  for (; failure.ok() && position < 1000; ++position) {
    failure = write_rows(*store, "TEXTS", batch, entry(1, position + 1)).status();
  }
  ASSERT_LT(position, 1000u);
  expect_told(failure, absl::StatusCode::kResourceExhausted,
              {"EVENT_STORE", "TEXTS", "No space left", "free disk space"});
  {
    // Even if a merge has made room: who reads keeps the store from being opened anew.
    auto reader = store->scan("TEXTS", {}, Timestamp{0});
    ASSERT_TRUE(reader.ok()) << "reading goes on: " << reader.status();
    EXPECT_FALSE(write_rows(*store, "TEXTS", batch, entry(1, position)).ok());
    auto rows = testing::scan_all(*store, "TEXTS");
    ASSERT_TRUE(rows.ok()) << "reading goes on: " << rows.status();
    EXPECT_EQ(rows->size(), (position - 1) * kRows);
  }

  // Some of it may have been written: the same write again, then others.
  std::filesystem::remove(filler);
  absl::Status again;
  for (int attempt = 0; attempt < 200; ++attempt) {
    again = write_rows(*store, "TEXTS", batch, entry(1, position)).status();
    if (again.ok()) break;
    ::usleep(50'000);
  }
  ASSERT_TRUE(again.ok()) << again;
  ASSERT_TRUE(write_rows(*store, "TEXTS", batch, entry(1, position + 1)).ok());
  store.reset();
  store = testing::open_or_fail(options);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(testing::scan_all(*store, "TEXTS")->size(), (position + 1) * kRows);
  EXPECT_EQ(testing::row_count(*store, "TEXTS"), (position + 1) * kRows);
}

/// A store whose rows stand in table files, not only in the log.
void fill(const std::string& directory) {
  std::mt19937_64 random(6);
  auto store = testing::open_or_fail(testing::options_for(directory));
  ASSERT_TRUE(store->open_table(texts()).ok());
  for (uint64_t position = 1; position <= 64; ++position) {
    ASSERT_TRUE(write_rows(*store, "TEXTS", random_texts(random, 64), entry(1, position)).ok());
  }
}

int damage(const std::string& directory, std::string_view name_part) {
  int damaged = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    if (file.path().filename().string().find(name_part) == std::string::npos) continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    for (uintmax_t at = file.file_size() / 4; at < file.file_size() / 2; at += 512) {
      bytes.seekp(static_cast<std::streamoff>(at));
      bytes.write("damaged!", 8);
    }
    ++damaged;
  }
  return damaged;
}

TEST(RocksFaults, ADamagedTableFileIsToldAndNothingWrongIsShown) {
  testing::TempDirectory directory;
  ASSERT_NO_FATAL_FAILURE(fill(directory / "store"));
  ASSERT_GT(damage(directory / "store", ".sst"), 0);
  auto store = open_rocks_store(testing::options_for(directory / "store"));
  absl::Status status = store.ok() ? testing::scan_all(**store, "TEXTS").status() : store.status();
  expect_told(status, absl::StatusCode::kDataLoss,
              {"EVENT_STORE", directory / "store", "orruption", "restore the directory"});
}

TEST(RocksFaults, ADamagedManifestIsToldAtOpening) {
  testing::TempDirectory directory;
  ASSERT_NO_FATAL_FAILURE(fill(directory / "store"));
  ASSERT_GT(damage(directory / "store", "MANIFEST"), 0);
  auto store = open_rocks_store(testing::options_for(directory / "store"));
  expect_told(store.status(), absl::StatusCode::kDataLoss,
              {directory / "store", "restore the directory"});
}

}  // namespace
}  // namespace pollux
