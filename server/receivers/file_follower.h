// Whole lines of a file that grows: read as they come, across rotation and truncation.
//
// A file that was renamed is read to its end before the new one of its name is begun. A file that
// has become shorter begins anew. One that was cut and has grown beyond the old end between two
// looks cannot be told from one that grew. Thread: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "server/receivers/file_place.h"

namespace pollux {

class FileFollower {
 public:
  /// Bytes of one read, and the longest line.
  static constexpr size_t kLinesBytesMax = 1024 * 1024;

  struct Lines {
    std::string text;    ///< whole lines; the last one's end may be missing at the end of a file
    uint64_t begin = 0;  ///< where they stand
    uint64_t end = 0;
    bool at_end = false;    ///< there is nothing behind them yet
    bool too_long = false;  ///< `text` is part of a line that is longer than kLinesBytesMax
  };

  /// Not `follow`: the file's last line counts also without its end.
  FileFollower(std::string path, bool follow) : path_(std::move(path)), follow_(follow) {}
  ~FileFollower();
  FileFollower(const FileFollower&) = delete;
  FileFollower& operator=(const FileFollower&) = delete;

  /// Opens the file if it is none yet, and looks whether it was rotated or cut: then `begin` moves
  /// to the start. kNotFound: there is none; kUnavailable: it cannot be read.
  absl::Status look();
  /// Of the file that is open.
  uint64_t device() const { return device_; }
  uint64_t inode() const { return inode_; }
  uint64_t offset() const { return offset_; }
  absl::StatusOr<uint64_t> size() const;
  void seek(uint64_t offset) { offset_ = offset; }

  /// The next lines, about `bytes_max` of them; they stay the next ones until seek() goes behind.
  absl::StatusOr<Lines> peek(size_t bytes_max) const;
  /// The bytes [begin, end), which must be there.
  absl::StatusOr<std::string> read(uint64_t begin, uint64_t end) const;

 private:
  absl::Status open();
  absl::Status failed(const char* what) const;

  const std::string path_;
  const bool follow_;
  int fd_ = -1;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
  uint64_t offset_ = 0;
  bool replaced_ = false;       // another file has the name; this one is read to its end
  bool whole_ = false;          // and does not grow any more
  uint64_t replaced_size_ = 0;  // when that was last looked at
};

}  // namespace pollux
