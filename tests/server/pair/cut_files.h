// A file system that fails for ever behind so many changes, as if the process had ended there.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"

namespace pollux {

class CutFiles final : public FileSystem {
 public:
  CutFiles(FileSystem& files, int changes) : files_(files), left_(changes) {}

  absl::StatusOr<std::unique_ptr<AppendFile>> open_append(const std::string& path) override {
    if (!may()) return cut();
    return files_.open_append(path);
  }
  absl::StatusOr<std::unique_ptr<ReadFile>> open_read(const std::string& path) override {
    return files_.open_read(path);
  }
  absl::Status truncate(const std::string& path, uint64_t bytes) override {
    return may() ? files_.truncate(path, bytes) : cut();
  }
  absl::Status rename(const std::string& from, const std::string& to) override {
    return may() ? files_.rename(from, to) : cut();
  }
  absl::Status remove(const std::string& path) override {
    return may() ? files_.remove(path) : cut();
  }
  absl::Status remove_large(const std::string& path) override {
    return may() ? files_.remove_large(path) : cut();
  }
  absl::Status make_directories(const std::string& path) override {
    return may() ? files_.make_directories(path) : cut();
  }
  absl::Status sync_directory(const std::string& path) override {
    return may() ? files_.sync_directory(path) : cut();
  }
  absl::StatusOr<std::vector<DirectoryEntry>> list(const std::string& path) override {
    return files_.list(path);
  }
  absl::StatusOr<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    return files_.lock(path);
  }
  absl::StatusOr<uint64_t> free_bytes(const std::string& path) override {
    return files_.free_bytes(path);
  }

 private:
  bool may() { return left_-- > 0; }
  static absl::Status cut() { return absl::InternalError("the process has ended"); }

  FileSystem& files_;
  int left_;
};

}  // namespace pollux
