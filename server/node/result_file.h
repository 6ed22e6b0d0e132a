// The durable side of a result log: its outbox on disk, written in order, read from any offset, and
// trimmed.
//
// Errors: kResourceExhausted, the disk is full, leaves everything as it was: try again. Any other
// one is for ever for whoever writes; one of read() is that reader's alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/schema.h"
#include "persistence/files/file_system.h"
#include "persistence/outbox/outbox_log.h"
#include "server/node/result_ids.h"
#include "server/node/result_slice.h"

namespace pollux {

class ResultFile {
 public:
  /// What stands there is read once, for `ids`. `notes` gets what an operator should know of.
  /// Errors as those of OutboxLog::open; kFailedPrecondition as well: rows with other attributes.
  static absl::StatusOr<std::unique_ptr<ResultFile>> open(FileSystem& files,
                                                          const OutboxOptions& options,
                                                          const SchemaPtr& schema, ResultIds& ids,
                                                          std::vector<std::string>& notes);

  // ---- thread: one at a time ----

  /// Writes slices in order, and moves those that are whole in the file to `written`. The rest can
  /// be given again.
  absl::Status write(std::deque<ResultSlicePtr>& slices, std::vector<ResultSlicePtr>& written);
  /// What was written lasts.
  absl::Status sync() { return outbox_->sync(); }
  absl::Status close() { return outbox_->close(); }
  uint64_t next() const { return outbox_->next(); }
  uint64_t bytes() const { return outbox_->bytes(); }

  /// Nothing can be trimmed unless all below this offset may go; nothing: nor then.
  std::optional<uint64_t> trim_from() const { return outbox_->index()->second(); }
  /// Below which offset whole segments may go, oldest first, so that rows from `needed_from` on and
  /// about `bytes_kept` bytes stay; begin() when none may.
  uint64_t trimmable(uint64_t needed_from, uint64_t bytes_kept) const;
  /// Removes whole segments of rows below `offset`; `last` are the last ids of all that was
  /// written. Where the disk is too full to note them, room is worth more: a replay may then bring
  /// rows twice.
  absl::Status trim(uint64_t offset, const LastIds& last);

  // ---- thread: any ----

  /// The oldest row that can be read.
  uint64_t begin() const { return std::max(begin_, outbox_->index()->first()); }
  /// About `rows_max` rows from `from` on; whole slices, none at the end. kOutOfRange: trimmed;
  /// kDataLoss: rotten, with file and offset.
  absl::StatusOr<std::vector<ResultSlicePtr>> read(uint64_t from, size_t rows_max);

 private:
  static constexpr size_t kReadersMax = 4;

  struct Reader {
    uint64_t next = 0;
    std::unique_ptr<OutboxReader> outbox;
  };

  ResultFile(FileSystem& files, std::string directory, std::unique_ptr<OutboxLog> outbox)
      : files_(files), directory_(std::move(directory)), outbox_(std::move(outbox)) {}

  absl::Status scan(uint64_t from, const Schema& schema, ResultIds& ids);
  absl::Status append(const ResultSlice& slice);
  absl::Status note_last(const LastIds& last);
  ResultSlicePtr slice_of(OutboxSlice read);
  Reader take_reader(uint64_t from);

  FileSystem& files_;
  const std::string directory_;
  const std::unique_ptr<OutboxLog> outbox_;
  uint64_t begin_ = 1;  // what stands before it is confirmed and has rotted

  std::mutex mutex_;
  std::list<Reader> readers_;  // those that may go on, the one used last in front
  std::map<std::string, std::shared_ptr<const std::string>, std::less<>> plans_;
};

}  // namespace pollux
