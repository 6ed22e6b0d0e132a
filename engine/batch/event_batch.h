// Events of one stream, column by column: what moves through receivers, journal, engine and sinks.
//
// Built once, then shared as `EventBatchPtr` and never changed again. Each row is a chunk of its
// own in Siddhi's sense unless the producer marked the batch as one chunk (as an Event[] is).
// Thread: built by one; read by any once shared.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/batch/arena.h"
#include "engine/batch/column.h"
#include "engine/types/schema.h"
#include "engine/types/value.h"

namespace pollux {

class EventBatch {
 public:
  explicit EventBatch(SchemaPtr schema);

  const Schema& schema() const { return *schema_; }
  const SchemaPtr& schema_ptr() const { return schema_; }
  uint32_t rows() const { return static_cast<uint32_t>(timestamps_.size()); }

  /// Milliseconds since 1970, one a row.
  const std::vector<int64_t>& timestamps() const { return timestamps_; }
  const Column& column(size_t index) const { return columns_[index]; }
  bool one_chunk() const { return one_chunk_; }
  Value value(uint32_t row, size_t column) const;

  // ---- building: fill every column of a row, then say that the row ends ----

  Column& column(size_t index) { return columns_[index]; }
  /// Appends to a string column; the bytes are copied into the batch.
  void append_string(size_t column, std::string_view text) {
    columns_[column].append(arena().store(text));
  }
  /// Appends any value; one that is not of the column's type becomes a null with a stray beside it.
  void append_value(size_t column, const Value& value);
  void end_row(int64_t timestamp_ms) { timestamps_.push_back(timestamp_ms); }
  std::vector<int64_t>& mutable_timestamps() { return timestamps_; }
  void set_one_chunk(bool one_chunk) { one_chunk_ = one_chunk; }

  /// Where this batch keeps string bytes of its own.
  Arena& arena() {
    if (arena_ == nullptr) arena_ = std::make_shared<Arena>();
    return *arena_;
  }
  /// Keeps `other`'s string bytes alive as long as this batch, so that views can be shared.
  void share_strings_of(const EventBatch& other);

  /// Empties the batch for reuse; only when nobody else holds it.
  void clear();

  size_t bytes_held() const;
  /// Bytes of other batches' strings that this batch keeps alive.
  size_t bytes_shared() const;

 private:
  SchemaPtr schema_;
  bool one_chunk_ = false;
  std::vector<int64_t> timestamps_;
  std::vector<Column> columns_;
  std::shared_ptr<Arena> arena_;
  std::vector<std::shared_ptr<const Arena>> shared_arenas_;
};

using EventBatchPtr = std::shared_ptr<const EventBatch>;

/// Makes the batch the owner of all its string bytes.
void own_strings(EventBatch& batch);

/// Copies rows to the end of a batch of the same attributes.
void append_row(EventBatch& to, const EventBatch& from, uint32_t row);
void append_batch(EventBatch& to, const EventBatch& from);

/// The rows with these columns of `batch` alone, as `schema` has them; kNoColumn: one of nulls. Its
/// strings stay where they are, and live as long.
inline constexpr size_t kNoColumn = SIZE_MAX;
EventBatchPtr pick_columns(const EventBatch& batch, const SchemaPtr& schema,
                           std::span<const size_t> columns);

/// Rows [begin, end) of `batch` as a batch of their own, with copies of their strings.
EventBatchPtr slice_copy(const EventBatch& batch, uint32_t begin, uint32_t end);

}  // namespace pollux
