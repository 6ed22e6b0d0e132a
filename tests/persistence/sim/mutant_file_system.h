// A file system that breaks what it promises, as a known-wrong program would. Thread: one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "persistence/files/file_system.h"
#include "tests/persistence/sim/mutant.h"

namespace pollux {

class MutantFileSystem : public FileSystem {
 public:
  /// `files` must outlive it.
  MutantFileSystem(FileSystem& files, Mutant mutant) : files_(files), mutant_(mutant) {}

  absl::StatusOr<std::unique_ptr<AppendFile>> open_append(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<ReadFile>> open_read(const std::string& path) override;
  absl::Status rename(const std::string& from, const std::string& to) override;
  absl::Status sync_directory(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  absl::Status truncate(const std::string& path, uint64_t bytes) override {
    return files_.truncate(path, bytes);
  }
  absl::Status remove(const std::string& path) override { return files_.remove(path); }
  absl::Status remove_large(const std::string& path) override { return files_.remove_large(path); }
  absl::Status make_directories(const std::string& path) override {
    return files_.make_directories(path);
  }
  absl::StatusOr<std::vector<DirectoryEntry>> list(const std::string& path) override {
    return files_.list(path);
  }
  absl::StatusOr<uint64_t> free_bytes(const std::string& path) override {
    return files_.free_bytes(path);
  }

 private:
  FileSystem& files_;
  const Mutant mutant_;
  bool replaced_ = false;  // a file, of which the next sync of names says nothing
  std::map<std::string, std::shared_ptr<const ReadFile>> kept_;
};

}  // namespace pollux
