// Reads a log's records in order, while it is written, trimmed and cut. Thread: one, any.
//
// When the end of the log is cut, a reader that has shown nothing of what was cut goes on with what
// is written in its place, also when it is at work in that moment.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/segment_index.h"
#include "persistence/segments/segment_scanner.h"

namespace pollux {

struct LogRecord {
  uint64_t sequence = 0;
  uint32_t count = 0;
  uint64_t tag = 0;
  std::string_view payload;  ///< valid until the next call
  bool new_segment = false;  ///< the first of its segment that is shown
};

class LogReader {
 public:
  /// From the record that holds `from` on; also those before it in its segment are shown, since
  /// payloads may lean on them, as far as they can be read.
  LogReader(FileSystem& files, std::shared_ptr<const SegmentIndex> index, uint64_t from)
      : files_(files), index_(std::move(index)), from_(from), next_(from) {}

  /// Nothing when the reader has caught up with the writer. kOutOfRange: trimmed, or the log was
  /// dropped; kDataLoss: rotted, with file and sequence; kAborted: what was shown, from `from` on,
  /// has been cut. Errors of a record come again.
  absl::StatusOr<std::optional<LogRecord>> next();

  /// The file of the record shown last, or of the one that cannot be read.
  const std::string& path() const { return segment_.place.path; }

 private:
  /// Forgets what it has read ahead when the log was cut since.
  absl::Status follow_cuts(const SegmentIndex::Reach& reach);
  absl::Status open_segment();
  /// Brings the scanner to the record `next_`, or says why that cannot be.
  absl::Status find_record();
  absl::Status find_behind();

  FileSystem& files_;
  std::shared_ptr<const SegmentIndex> index_;
  const uint64_t from_;
  uint64_t next_;  // the record to show
  size_t cuts_seen_ = 0;
  std::string shown_path_;  // the file of the record shown last; empty before the first
  SegmentIndex::Found segment_;
  std::unique_ptr<ReadFile> file_;
  std::unique_ptr<SegmentScanner> scanner_;  // null before the first segment, and behind a cut
  absl::Status failed_;
};

}  // namespace pollux
