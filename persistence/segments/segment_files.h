// A log's directory: which of its files are segments, and making a new one so that it is there
// whole or not at all. What else stands in the directory is left alone. Thread: the log's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/frame.h"

namespace pollux {

/// Where a log stands: files "NNNNNNNNNNNNNNNNNNNN.journal" (or ".outbox"), named by the sequence
/// of their first record, and "lock".
struct LogPlace {
  std::string directory;
  LogKind kind = LogKind::kJournal;

  std::string segment_path(uint64_t first) const;
  std::string lock_path() const;
  /// The first sequence that a file's name tells; nothing when the file is no segment.
  std::optional<uint64_t> segment_first(std::string_view name) const;
};

struct SegmentFile {
  std::string path;
  uint64_t bytes = 0;
  SegmentHeader header;
};

/// The segments by first sequence, all of one log; what a dead process left half made is removed.
/// kDataLoss: a header is rotten, or segments of two logs stand there; kFailedPrecondition: newer.
absl::StatusOr<std::vector<SegmentFile>> list_segments(FileSystem& files, const LogPlace& place);

/// An empty segment that lasts. After kResourceExhausted it can be tried again.
absl::StatusOr<SegmentFile> create_segment(FileSystem& files, const LogPlace& place,
                                           const SegmentHeader& header);

/// The status with the path before its words, for errors that do not name it.
absl::Status at_path(const std::string& path, const absl::Status& status);

}  // namespace pollux
