// Hands out a journal's entries in order: from memory those that are recent, else from the disk.
// Thread: that of the journal.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "ha/pair/recent_entries.h"
#include "persistence/journal/journal.h"
#include "persistence/journal/journal_reader.h"

namespace pollux {

class EntrySource {
 public:
  /// From `next` on. All three outlive it.
  EntrySource(FileSystem& files, const Journal& journal, const RecentEntries& recent, Position next)
      : files_(files), journal_(journal), recent_(recent), next_(next) {}

  /// The position of the entry that next() hands out.
  Position position() const { return next_; }
  /// Nothing when that entry is behind `upto`, or not committed to the file yet. Errors as those of
  /// JournalReader.
  absl::StatusOr<std::optional<Entry>> next(Position upto);

 private:
  FileSystem& files_;
  const Journal& journal_;
  const RecentEntries& recent_;
  Position next_;
  std::unique_ptr<JournalReader> reader_;  // stands before `next_`; null: it was not needed lately
};

}  // namespace pollux
