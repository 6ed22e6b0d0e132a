// Reads a journal's committed entries in order, also while it is written, trimmed and truncated.
// Thread: one, any; it may outlive the journal.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "engine/runtime/entry.h"
#include "persistence/codec/schema_codec.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/log_reader.h"

namespace pollux {

class JournalReader {
 public:
  /// From that position on. `index`: Journal::index().
  JournalReader(FileSystem& files, std::shared_ptr<const SegmentIndex> index, Position from)
      : log_(files, std::move(index), from.value), from_(from) {}

  /// Nothing when all that is committed has been read; later there may be more. kOutOfRange: it has
  /// been trimmed, or the journal was restarted; kDataLoss: it has rotted, with file and position;
  /// kAborted: an entry that this has returned was truncated. Such an error comes again.
  absl::StatusOr<std::optional<Entry>> next();

 private:
  LogReader log_;
  const Position from_;
  std::unique_ptr<SchemaTable> schemas_;  // of the segment
};

}  // namespace pollux
