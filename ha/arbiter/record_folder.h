// A folder of files that are never changed, one a version: what the file arbiter stands on.
//
//   record.<version>             20 digits, so that a listing is in order; whole as soon as it
//   exists attempt.<version>.<random>   on its way to become one; without meaning
//
// `link()` makes a record: it fails where the name exists, on every file system and for every host
// that has it mounted, so one version has one winner and nobody holds a lock that a pause could
// outlive. Whatever else stands in the folder is an error that names it. Thread: one at a time;
// calls take as long as the disk does. Errors as of Arbiter, and kNotFound: see each function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pollux {

class RecordFolder {
 public:
  /// `path` is of this folder, whose parent exists; makes nothing yet.
  explicit RecordFolder(std::string path) : path_(std::move(path)) {}

  /// Makes the folder, or makes sure that it lasts. kNotFound: its parent is missing.
  absl::Status make();
  /// The versions there are, growing; none also where the folder is missing and its parent is not.
  absl::StatusOr<std::vector<uint64_t>> versions() const;
  /// The bytes of one. kNotFound: there is none any more.
  absl::StatusOr<std::string> read(uint64_t version) const;
  /// Whether this call made the record of that version; no: somebody had made it before. It lasts
  /// after sync().
  absl::StatusOr<bool> add(uint64_t version, std::string_view bytes);
  /// What versions() has shown lasts from now on.
  absl::Status sync() const;
  /// Removes records below `first_kept`, and attempts that can no longer win because there is a
  /// `newest`. What cannot be removed stays: it is in nobody's way, and the next call tries again.
  void prune(uint64_t first_kept, uint64_t newest);

  std::string path_of(uint64_t version) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace pollux
