// A log's directory: which of its files are segments, and making a new one so that it is there
// whole or not at all. What else stands in the directory is left alone. Thread: the log's.
#pragma once

#include <cstdint>
#include <memory>
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

/// A file that goes by the name of a segment.
struct SegmentGlance {
  std::string path;
  uint64_t first = 0;  ///< of its name
  uint64_t bytes = 0;
  /// kDataLoss: it is rotten, or not that of the log's other segments; kFailedPrecondition: newer.
  absl::StatusOr<SegmentHeader> header;
};

/// The segments by first sequence. Changes nothing, and needs no lock: their log may be written and
/// trimmed meanwhile.
absl::StatusOr<std::vector<SegmentGlance>> glance_at_segments(FileSystem& files,
                                                              const LogPlace& place);

/// The same for those who rely on all of them; errors are those of the first bad header.
absl::StatusOr<std::vector<SegmentFile>> list_segments(FileSystem& files, const LogPlace& place);

/// Removes what a dead process left half made.
absl::Status remove_unfinished_segments(FileSystem& files, const LogPlace& place);

/// An empty segment that lasts. After kResourceExhausted it can be tried again.
absl::StatusOr<SegmentFile> create_segment(FileSystem& files, const LogPlace& place,
                                           const SegmentHeader& header);

/// The two halves of it: an empty segment that has no name yet, and an open file to fill it;
/// `first` is that of its header.
absl::StatusOr<std::unique_ptr<AppendFile>> begin_segment_file(FileSystem& files,
                                                               const LogPlace& place,
                                                               const SegmentHeader& header);
/// What there is of it goes, and the room that it takes; else the next try or start removes it.
void drop_segment_file(FileSystem& files, const LogPlace& place, uint64_t first);
/// It gets its name, also when another has it. It must have been synced.
absl::Status name_segment_file(FileSystem& files, const LogPlace& place, uint64_t first);

/// The status with the path before its words, for errors that do not name it.
absl::Status at_path(const std::string& path, const absl::Status& status);

}  // namespace pollux
