// Which epoch each entry of a journal is of: for every epoch the last of its positions.
//
// Two journals that have an entry of one identity have the same entries up to it, so that these few
// numbers say how far two journals agree. Source: the pair protocol, HELLO and WELCOME.
// Thread: one at a time.
#pragma once

#include <vector>

#include "engine/types/ids.h"

namespace pollux {

class EpochHistory {
 public:
  EpochHistory() = default;
  /// For each epoch its last position; both grow.
  explicit EpochHistory(std::vector<EntryId> ends) : ends_(std::move(ends)) {}

  /// {0, 0} when there is none.
  EntryId last() const { return ends_.empty() ? EntryId{} : ends_.back(); }
  /// The entry at a position that is not behind the last; {0, 0} at position 0.
  EntryId at(Position position) const;
  /// Whether that entry is one of this journal's, trimmed or not.
  bool holds(EntryId id) const { return id.position <= last().position && at(id.position) == id; }
  const std::vector<EntryId>& ends() const { return ends_; }

  /// The entry follows the last one.
  void append(EntryId id);
  /// What stands behind `position` goes.
  void truncate(Position position);
  /// Both only grow, and no number is 0: what a peer sent may be anything.
  bool is_valid() const;

  /// The last entry that both have; {0, 0} when there is none.
  static EntryId match(const EpochHistory& ours, const EpochHistory& theirs);

 private:
  std::vector<EntryId> ends_;
};

}  // namespace pollux
