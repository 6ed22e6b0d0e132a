// The journal: every entry, in order, on disk.
//
// append() gathers, commit() writes all of it with one write and makes it last; only then may
// anybody be told that an entry is taken. Entries have contiguous positions, and epochs never go
// back. Thread: one, that of the sequencer's commits; readers (journal_reader.h) have theirs.
// Errors: kResourceExhausted leaves the journal as it was, also what was gathered: persist, trim,
// and commit() again. Whatever else a write or a sync returns is returned for ever from then on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/runtime/entry.h"
#include "persistence/codec/schema_codec.h"
#include "persistence/files/file_system.h"
#include "persistence/segments/segment_log.h"

namespace pollux {

struct JournalOptions {
  std::string directory;
  uint64_t segment_bytes = 64u << 20;
  /// From here on append() refuses.
  uint64_t bytes_max = uint64_t{16} << 30;
  /// What of `bytes_max` is kept for entries that make room.
  uint64_t bytes_reserved = 64u << 20;
  /// Without it commit() only writes; sync() is then called every so often, or never.
  bool sync_commits = true;
  /// The last entry that every state has taken in. Rot up to it is told and passed over; a journal
  /// that ends before it begins anew behind it, under a new id.
  EntryId covered;
  /// The last entry that some state has taken in: a journal that ends between the two has lost
  /// entries that others need.
  EntryId reached;
  std::function<LogId()> new_id = random_log_id;
};

/// Whether an entry may use the reserve: those that make room may.
enum class JournalSpace : uint8_t { kOrdinary, kReserve };

class Journal {
 public:
  /// Made when it is not there. kDataLoss: rot behind what is covered, with file and position, or
  /// it ends too early; kUnavailable: another process has it; kFailedPrecondition: of a newer
  /// version; the disk's.
  static absl::StatusOr<std::unique_ptr<Journal>> open(FileSystem& files,
                                                       const JournalOptions& options);

  /// The entry follows the last one: its position is one more, its epoch not less.
  /// kInvalidArgument: it does not; kResourceExhausted: the limit or the disk's end is reached.
  absl::Status append(const Entry& entry, JournalSpace space = JournalSpace::kOrdinary);
  /// Everything appended is written, lasts (if `sync_commits`), and is there for readers.
  absl::Status commit();
  /// Everything committed lasts.
  absl::Status sync() { return log_->sync(); }
  /// A clean end; open() is quicker behind it.
  absl::Status close();

  /// Removes whole segments of entries below `below`, oldest first; the last segment stays.
  absl::Status trim(Position below) { return log_->trim(below.value); }

  /// Takes off every entry behind `last`, committed or not. It lasts when the call returns, and so
  /// does what was committed of the rest; the next entry has position last + 1, and an epoch not
  /// less than that of the entry at `last`. A crash inside leaves all entries up to one at or
  /// behind `last`. `last` may be first() - 1. kOutOfRange: it is before that; kDataLoss: an entry
  /// that should stay cannot be read; then, and when the disk is full, nothing has changed. A
  /// reader which has handed out nothing behind `last` reads on, and reads what is appended now;
  /// another one is told kAborted. States that have taken in what is cut must be gone before: to
  /// open() they would say that the journal has lost something.
  absl::Status truncate(Position last);
  /// Drops every entry and goes on behind `at`, empty, under a new id and with a new index(); the
  /// readers of the old one are told kOutOfRange. Lasts when the call returns. A crash inside
  /// leaves, under the old id, the entries as they were or all up to some one; or none, where
  /// open() begins anew behind its `covered`; or the new journal. So who vouches for entries by the
  /// id must have stopped to do so before. When the disk is full, nothing has changed.
  absl::Status restart_behind(EntryId at);

  /// Of this journal; another one when it was made anew.
  const LogId& id() const { return log_->id(); }
  /// The first entry that is there; last().position + 1 when there is none.
  Position first() const { return {log_->first()}; }
  /// The last entry that was appended, also when it has been trimmed; {0, 0} before the first.
  EntryId last() const { return {{log_->last_tag()}, {log_->next() - 1}}; }
  /// Of each epoch the last entry, in order; from the entry right before first() on, which is known
  /// though it is not there, up to last(). Entries that open() found rotten do not count.
  std::vector<EntryId> epoch_ends() const;
  /// The last position that lasts.
  Position durable() const { return {log_->durable() - 1}; }
  uint64_t bytes() const { return log_->bytes(); }

  const RecoveryReport& report() const { return log_->report(); }
  const std::shared_ptr<SegmentIndex>& index() const { return log_->index(); }

 private:
  Journal(const JournalOptions& options, std::unique_ptr<SegmentLog> log)
      : options_(options), log_(std::move(log)) {}

  const JournalOptions options_;
  std::unique_ptr<SegmentLog> log_;
  SchemaSet schemas_;  // those that stand in the last segment
};

}  // namespace pollux
