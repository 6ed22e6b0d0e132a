// How far a file receiver has come, on disk.
//
// Written before a batch is submitted, with the batch's bytes and number, and again once it was
// taken: whoever goes on from a place that is under way submits exactly the same bytes under the
// same number, which has no effect if they were taken before. Format: one line, "pollux-file-place
// 1 DEVICE INODE BEGIN END SERIES NUMBER crc32", replaced as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace pollux {

struct FilePlace {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t begin = 0;   ///< all before it was taken
  uint64_t end = 0;     ///< of the batch under way; equal to begin: none is
  uint64_t series = 0;  ///< whoever begins without a place begins another one
  uint64_t number = 0;  ///< of the batch under way, or of the last one
};

/// Nothing when there is no file, or none that says a place.
std::optional<FilePlace> read_place(const std::string& path);
[[nodiscard]] absl::Status write_place(const std::string& path, const FilePlace& place);

}  // namespace pollux
