#include "persistence/files/large_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pollux {
namespace {

struct Seen {
  std::string bytes;
  uint64_t synced = 0;
  uint64_t unsynced_most = 0;
  absl::Status sync_answer;
};

class WatchedFile : public AppendFile {
 public:
  explicit WatchedFile(Seen& seen) : seen_(seen) {}

  absl::Status append(std::string_view bytes) override {
    seen_.bytes += bytes;
    seen_.unsynced_most = std::max(seen_.unsynced_most, size() - seen_.synced);
    return absl::OkStatus();
  }
  absl::Status sync() override {
    seen_.synced = size();
    return seen_.sync_answer;
  }
  uint64_t size() const override { return seen_.bytes.size(); }

 private:
  Seen& seen_;
};

std::string some_bytes(size_t count) {
  std::string bytes(count, '\0');
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>(i * 31 % 251);
  return bytes;
}

TEST(LargeFileTest, NeverMoreThanAMiBWaitsForASync) {
  Seen seen;
  auto file = as_large_file(std::make_unique<WatchedFile>(seen));
  const std::string bytes = some_bytes(5 * kLargeFileSyncBytes / 2 + 7);
  ASSERT_TRUE(file->append(bytes).ok());
  EXPECT_EQ(seen.synced, 2 * kLargeFileSyncBytes);
  for (size_t at = 0; at < bytes.size(); at += 300'000) {
    ASSERT_TRUE(file->append(std::string_view(bytes).substr(at, 300'000)).ok());
  }
  EXPECT_LE(seen.unsynced_most, kLargeFileSyncBytes);
  EXPECT_EQ(seen.bytes, bytes + bytes);
  EXPECT_EQ(file->size(), 2 * bytes.size());
  ASSERT_TRUE(file->sync().ok());
  EXPECT_EQ(seen.synced, 2 * bytes.size());
}

TEST(LargeFileTest, ASyncThatFailsIsAnError) {
  Seen seen;
  seen.sync_answer = absl::DataLossError("the disk is gone");
  auto file = as_large_file(std::make_unique<WatchedFile>(seen));
  EXPECT_TRUE(file->append("short").ok());
  EXPECT_EQ(file->append(some_bytes(kLargeFileSyncBytes)), seen.sync_answer);
}

}  // namespace
}  // namespace pollux
