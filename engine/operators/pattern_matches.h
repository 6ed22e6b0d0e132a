// Matches of a pattern on their way to the selection: a row each of what it reads of the events.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/batch/event_batch.h"
#include "engine/operators/chunk.h"

namespace pollux {

class PatternMatches {
 public:
  /// Matches with strings of their own, which nobody else writes to.
  struct Held {
    EventBatch batch;
    std::vector<uint32_t> output_ids, keys, causes;
  };

  PatternMatches(SchemaPtr columns, Receiver& next) : next_(next), rows_(std::move(columns)) {}

  uint32_t rows() const { return rows_.rows(); }
  bool empty() const { return rows_.rows() == 0; }

  /// A match: its columns, then this.
  Column& column(size_t c) { return rows_.column(c); }
  void end_row(int64_t timestamp, uint32_t key, uint32_t cause);
  /// Those that were added since the last call came of one event at one state. Together: they go on
  /// as one.
  void note(bool together);
  /// Whether those from `first` on go on one by one.
  bool apart(uint32_t first) const;

  void hand_on();
  void hand_on_one_by_one();
  Held take();
  void hand_on_one_by_one(const Held& held);

 private:
  Chunk chunk() const;
  void hand_on_one_by_one(const Chunk& matches);
  void clear();

  Receiver& next_;
  EventBatch rows_;
  std::vector<uint32_t> output_ids_, keys_, causes_;
};

}  // namespace pollux
