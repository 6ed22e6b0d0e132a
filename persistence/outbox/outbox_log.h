// The results of one stream that somebody has still to confirm, on disk.
//
// Each row has an offset that grows by one, from 1 on; slices are read from an offset on, and
// trimmed below the offset that all have confirmed. Results can be made again by replay, so they
// need not last before sync() is ordered: that is when the state is about to move past the entries
// that brought them about. After a crash the log ends at some slice, and the replay appends from
// there on. Thread: one; readers have theirs. Errors are those of SegmentLog.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/runtime/engine.h"
#include "persistence/codec/result_codec.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/log_reader.h"
#include "persistence/segments/segment_log.h"

namespace pollux {

struct OutboxOptions {
  std::string directory;
  uint64_t segment_bytes = 16u << 20;
  uint64_t bytes_max = uint64_t{1} << 30;  ///< from here on append() refuses
  /// All rows below this offset are confirmed: rot among them is told and passed over, and offsets
  /// go on from here where the log ends before.
  uint64_t confirmed_below = 1;
  std::function<LogId()> new_id = random_log_id;
};

class OutboxLog {
 public:
  /// Made when it is not there. Errors as those of Journal::open.
  static absl::StatusOr<std::unique_ptr<OutboxLog>> open(FileSystem& files,
                                                         const OutboxOptions& options);

  /// Appends a slice; its first row gets the offset next(). kInvalidArgument: it has no rows;
  /// kOutOfRange: it is longer than a record may be, its rows must come in parts;
  /// kResourceExhausted: the limit is reached.
  absl::Status append(const ResultBatch& results);
  /// What was appended is in the file and there for readers; it may be lost with the power.
  absl::Status flush();
  /// What was appended lasts.
  absl::Status sync();
  absl::Status close();

  /// Removes whole segments of rows below that offset; the last segment stays.
  absl::Status trim(uint64_t offset) { return log_->trim(offset); }

  /// The first offset that is there, that of the next row, and where what lasts ends.
  uint64_t first() const { return log_->first(); }
  uint64_t next() const { return log_->next(); }
  uint64_t durable() const { return log_->durable(); }
  uint64_t bytes() const { return log_->bytes(); }

  const RecoveryReport& report() const { return log_->report(); }
  const std::shared_ptr<SegmentIndex>& index() const { return log_->index(); }

 private:
  OutboxLog(const OutboxOptions& options, std::unique_ptr<SegmentLog> log)
      : options_(options), log_(std::move(log)) {}

  const OutboxOptions options_;
  std::unique_ptr<SegmentLog> log_;
  SchemaSet schemas_;  // those that stand in the last segment
};

/// Thread: one, any; it may outlive the log.
class OutboxReader {
 public:
  /// From the slice that holds the row `from` on.
  OutboxReader(FileSystem& files, std::shared_ptr<const SegmentIndex> index, uint64_t from)
      : log_(files, std::move(index), from), from_(from) {}

  /// Nothing when all has been read; kOutOfRange: trimmed; kDataLoss: rotted, with file and offset.
  absl::StatusOr<std::optional<OutboxSlice>> next();

 private:
  LogReader log_;
  const uint64_t from_;
  std::unique_ptr<SchemaTable> schemas_;  // of the segment
};

}  // namespace pollux
