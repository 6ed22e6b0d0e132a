// What follows from a table's definition, whatever it is built on: its key's columns, when a row
// happened, and whether rows and keys fit it. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "storage/record_store.h"
#include "storage/table_definition.h"

namespace pollux {

/// Larger rows are refused: a cursor must be able to hold a batch of them.
inline constexpr size_t kRowBytesMax = size_t{16} << 20;
inline constexpr size_t kSourceBytesMax = 512;

/// Never changes; a wider table gets another one.
struct TableShape {
  explicit TableShape(TableDefinition definition);

  bool has_key() const { return !key_columns.empty(); }
  /// The record time, or the row's own.
  int64_t time_of(const EventBatch& batch, uint32_t row) const;
  /// The first time that the retention keeps at `now`.
  int64_t horizon_ms(Timestamp now) const;

  const TableDefinition definition;
  const std::vector<size_t> key_columns;
  const std::optional<size_t> time_column;
};

/// kInvalidArgument with the first fault, or ok: do these fit the table, and do ids grow?
[[nodiscard]] absl::Status check_rows(const TableShape& shape, std::span<const Rows> rows);

/// The key as the one row of a batch of the key's columns; kInvalidArgument when the values are not
/// of them.
absl::StatusOr<EventBatch> check_key(const TableShape& shape, std::span<const Value> values);

/// Of the texts in these columns.
size_t text_bytes(const EventBatch& batch, uint32_t row, std::span<const size_t> columns);

/// "epoch.position.ordinal".
std::string text_of(const RowId& id);

}  // namespace pollux
