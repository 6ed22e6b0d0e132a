// What flows between operators: some rows of a batch, in order, with what each row means.
//
// Rows that share a chunk id form one chunk in Siddhi's sense: one row may come to stand for all of
// them. What is selected from several chunks can go on as one: rows that share an output id. The
// cause of a row orders results of several queries: 2 r + 1 for what row r of the entry brought
// about, 2 r for what time brought about before that row. A chunk is valid during the call that
// hands it on.
#pragma once

#include <cstdint>

#include "engine/batch/event_batch.h"
#include "engine/expression/expression.h"

namespace pollux {

/// Flags of a row in a chunk.
struct EventKind {
  static constexpr uint8_t kCurrent = 0;
  static constexpr uint8_t kExpired = 1;
  static constexpr uint8_t kResetBefore = 2;  ///< aggregations start afresh before this row
  static constexpr uint8_t kResetAfter = 4;
  static constexpr uint8_t kOnlyReset = 8;  ///< no row of the stream: brings a reset to a join
};

struct Chunk {
  const EventBatch* batch = nullptr;
  uint32_t rows = 0;
  const uint32_t* index = nullptr;  ///< rows of the batch; else begin, begin + 1, ...
  uint32_t begin = 0;
  const uint8_t* kinds = nullptr;        ///< nullptr: all current
  const uint32_t* chunk_ids = nullptr;   ///< nullptr: see one_chunk
  const uint32_t* output_ids = nullptr;  ///< nullptr: as the chunks
  bool one_chunk = false;                ///< without ids: all rows are one chunk, else each its own
  const uint32_t* keys = nullptr;        ///< partition instance of each row; nullptr: 0
  const uint32_t* causes = nullptr;      ///< nullptr: the batch is the entry's own
  bool strings_shared = false;           ///< string bytes live as long as the batch

  uint32_t row(uint32_t i) const { return index != nullptr ? index[i] : begin + i; }
  uint32_t key(uint32_t i) const { return keys != nullptr ? keys[i] : 0; }
  uint8_t kind(uint32_t i) const { return kinds != nullptr ? kinds[i] : EventKind::kCurrent; }
  uint32_t cause(uint32_t i) const { return causes != nullptr ? causes[i] : 2 * row(i) + 1; }
  int64_t timestamp(uint32_t i) const { return batch->timestamps()[row(i)]; }
  uint32_t chunk_id(uint32_t i) const {
    if (chunk_ids != nullptr) return chunk_ids[i];
    return one_chunk ? 0 : i;
  }
  uint32_t output_id(uint32_t i) const {
    return output_ids != nullptr ? output_ids[i] : chunk_id(i);
  }
  /// Do rows i - 1 and i belong to one chunk?
  bool continues(uint32_t i) const {
    return chunk_ids != nullptr ? chunk_ids[i] == chunk_ids[i - 1] : one_chunk;
  }
  bool single_row_chunks() const { return chunk_ids == nullptr && (!one_chunk || rows <= 1); }

  /// Rows [from, to) as a chunk.
  Chunk part(uint32_t from, uint32_t to) const {
    auto behind = [from](auto* values) { return values != nullptr ? values + from : nullptr; };
    Chunk some = *this;
    some.rows = to - from;
    some.index = behind(index);
    some.begin = begin + from;
    some.kinds = behind(kinds);
    some.chunk_ids = behind(chunk_ids);
    some.output_ids = behind(output_ids);
    some.keys = behind(keys);
    some.causes = behind(causes);
    return some;
  }

  FrameSource source() const { return {batch, index, begin, false}; }
};

class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void receive(const Chunk& chunk) = 0;
};

}  // namespace pollux
