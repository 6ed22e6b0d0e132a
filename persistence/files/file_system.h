// The seam between what must last and the disk: what persistence asks of a file system, and no
// more.
//
// `PosixFileSystem` is the real one; a simulated twin loses, tears, rots and fills up on order.
// What was appended lasts only after sync() of its file, and a name (made, renamed or removed) only
// after sync_directory(): both say so only once it is true. After a failed sync() nothing is known
// of the file's bytes, and no later sync() makes them known: whoever relies on them must stop.
// Errors: kNotFound; kResourceExhausted: the disk is full; kPermissionDenied: read-only or not
// allowed; kUnavailable: a lock is held elsewhere; kInternal: anything else of the device. Each
// names the path. Thread: any, a file one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pollux {

/// A file that is written at its end.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  /// All of the bytes, or an error; then some of them may be there.
  virtual absl::Status append(std::string_view bytes) = 0;
  /// What was appended lasts.
  virtual absl::Status sync() = 0;
  virtual uint64_t size() const = 0;
};

/// A file that is read. Bytes appended after it was opened are seen.
class ReadFile {
 public:
  virtual ~ReadFile() = default;
  /// Up to `bytes` from `offset` on; fewer only at the end of the file.
  virtual absl::StatusOr<std::string> read(uint64_t offset, size_t bytes) const = 0;
  virtual absl::StatusOr<uint64_t> size() const = 0;
};

/// Held for as long as it lives, and never longer than the process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct DirectoryEntry {
  std::string name;
  bool directory = false;
  uint64_t bytes = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// At its end; made when it is not there.
  virtual absl::StatusOr<std::unique_ptr<AppendFile>> open_append(const std::string& path) = 0;
  virtual absl::StatusOr<std::unique_ptr<ReadFile>> open_read(const std::string& path) = 0;
  /// Cuts a file that is open nowhere; lasts when the call returns.
  virtual absl::Status truncate(const std::string& path, uint64_t bytes) = 0;
  /// Takes the place of what stands under `to`.
  virtual absl::Status rename(const std::string& from, const std::string& to) = 0;
  /// A file, not a directory.
  virtual absl::Status remove(const std::string& path) = 0;
  /// The same for one that may be large: what it takes on the disk may be free only a little later.
  virtual absl::Status remove_large(const std::string& path) = 0;
  /// With the directories above it; they last when the call returns. No error when it is there.
  virtual absl::Status make_directories(const std::string& path) = 0;
  virtual absl::Status sync_directory(const std::string& path) = 0;
  /// By name.
  virtual absl::StatusOr<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  /// Held by nobody else, in this process or another; the file is made when it is not there.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  /// Bytes that can still be written below `path`.
  virtual absl::StatusOr<uint64_t> free_bytes(const std::string& path) = 0;
};

}  // namespace pollux
