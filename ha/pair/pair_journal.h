// A node's journal with what the pair asks of it: which epochs stand in it, its last entries in
// memory, and how much of it lasts.
//
// The journal is opened without `sync_commits`: whether a commit is to last is said with each.
// Thread: one. Errors are those of Journal: kResourceExhausted leaves everything as it was, and can
// be tried again; any other one is for ever.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "engine/runtime/entry.h"
#include "ha/pair/entry_source.h"
#include "ha/pair/epoch_history.h"
#include "ha/pair/recent_entries.h"
#include "persistence/journal/journal.h"

namespace pollux {

/// Whether bytes must survive a loss of power, or only the end of the process.
enum class Lasting : uint8_t { kPower, kProcess };

class PairJournal {
 public:
  /// `files` and `journal` outlive it. `last_timestamp`: of the journal's last entry.
  PairJournal(FileSystem& files, Journal& journal, size_t recent_bytes, Timestamp last_timestamp);

  /// The entry follows the tail.
  absl::Status append(Entry entry, JournalSpace space);
  /// Everything appended is written, and there for readers; and it lasts, if that is wanted.
  absl::Status commit(Lasting lasting);
  /// What stands behind `last` goes.
  absl::Status truncate(Position last);
  /// Everything goes; the next entry comes behind `at`.
  absl::Status restart_behind(EntryId at);

  /// Entries up to here need not be in memory any more: memory that is used again soon is warm.
  void forget(Position upto) { recent_.forget(std::min(upto, written_)); }

  EntryId tail() const { return history_.last(); }
  /// What is in the file, and what of it survives a loss of power.
  Position written() const { return written_; }
  Position lasting() const { return lasting_; }
  /// The first entry that is there.
  Position first() const { return journal_.first(); }
  bool is_blank() const { return tail().position.value == 0; }
  const EpochHistory& history() const { return history_; }
  const LogId& log() const { return journal_.id(); }
  Timestamp last_timestamp() const { return last_timestamp_; }
  /// Entries from `next` on.
  EntrySource entries_from(Position next) const { return {files_, journal_, recent_, next}; }

 private:
  FileSystem& files_;
  Journal& journal_;
  EpochHistory history_;
  SchemaSet schemas_;
  RecentEntries recent_;
  Position written_;
  Position lasting_;
  Timestamp last_timestamp_;
};

}  // namespace pollux
