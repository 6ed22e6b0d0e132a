// A number for all results that a plan has brought about in an interval of entries, the same on
// every node that has taken all of them, however results were packed into batches.
//
// Intervals end at multiples of their length, so nodes need not agree on where they began: one that
// took the plan over in the middle of an interval has no number for that one. Thread: the plan's.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/runtime/engine.h"
#include "ha/divergence/plan_hash.h"

namespace pollux {

class ResultsHash {
 public:
  static constexpr uint64_t kInterval = 4096;

  /// `interval`: entries, the same on both nodes.
  explicit ResultsHash(uint64_t interval = kInterval) : interval_(interval) {}

  /// The plan has a state of behind that entry, and no results of entries before.
  void restored(Position at) { seen_behind_ = at; }
  /// The plan begins with that entry, or is another one from there on: what was before does not
  /// count, here or on any other node.
  void deployed();
  /// Before an entry is applied: of the interval before, if all of it was seen and this entry is
  /// the first behind it, where that ended and its number.
  std::optional<std::pair<Position, uint64_t>> reach(Position entry);
  void add(const ResultBatch& results);

 private:
  uint64_t interval_;
  Position end_;  // of the interval that is under way
  Position seen_behind_;
  uint64_t hash_ = 0;
};

}  // namespace pollux
