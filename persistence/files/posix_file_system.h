// The real file system, by system calls. Errors carry the path, what was tried and errno's words.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "persistence/files/file_system.h"
#include "persistence/files/space_releaser.h"

namespace pollux {

class PosixFileSystem : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<AppendFile>> open_append(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<ReadFile>> open_read(const std::string& path) override;
  absl::Status truncate(const std::string& path, uint64_t bytes) override;
  absl::Status rename(const std::string& from, const std::string& to) override;
  absl::Status remove(const std::string& path) override;
  absl::Status remove_large(const std::string& path) override;
  absl::Status make_directories(const std::string& path) override;
  absl::Status sync_directory(const std::string& path) override;
  absl::StatusOr<std::vector<DirectoryEntry>> list(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  absl::StatusOr<uint64_t> free_bytes(const std::string& path) override;

 private:
  SpaceReleaser releaser_;
};

}  // namespace pollux
