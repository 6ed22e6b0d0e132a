// Makes entries last in the order of their positions, and tells of each once it does: a journal of
// this node alone, or one that a pair has in common.
//
// Thread: any; callbacks come in order, on a thread of the log, and must be quick.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "engine/runtime/entry.h"

namespace pollux {

struct EntryLogCounts {
  uint64_t entries = 0;
  uint64_t groups = 0;
  uint64_t bytes = 0;          ///< written, all in all
  uint64_t commit_us = 0;      ///< in writes and syncs, all in all
  uint64_t journal_bytes = 0;  ///< on disk, now
  uint64_t queued_entries = 0;
  uint64_t queued_bytes = 0;
  EntryId committed;  ///< the last entry that lasts
  Position first;     ///< the first that is still there
  bool stuck = false;
  absl::Status failed;
};

class EntryLog {
 public:
  using Committed = std::function<void(const Entry&, const absl::Status&)>;
  using Reached = std::function<void(const absl::Status&)>;

  virtual ~EntryLog() = default;

  /// Whether an entry of so many bytes is to be numbered now; kResourceExhausted says why not.
  virtual absl::Status room_for(size_t bytes) const = 0;
  /// There is no room for so many bytes until segments are trimmed.
  virtual bool is_full(size_t bytes) const = 0;
  /// Takes the next entry, room or not; `bytes` is what it counts in the queue.
  virtual void append(Entry entry, size_t bytes, Committed committed) = 0;
  /// Calls back behind all that was appended before, also when there is nothing.
  virtual void behind(Reached reached) = 0;
  /// Segments of entries below are removed, some time soon.
  virtual void trim(Position below) = 0;

  virtual EntryLogCounts counts() const = 0;
};

}  // namespace pollux
