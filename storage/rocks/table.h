// What is known of a table while its store is open.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "storage/rocks/database.h"
#include "storage/rocks/layout.h"
#include "storage/table_shape.h"

namespace pollux::rocks {

/// How rows of a table are laid out. Never changes; a wider table gets another one.
struct TableLayout : TableShape {
  explicit TableLayout(TableRecord record)
      : TableShape(std::move(record.definition)), table(record.table) {}

  /// Under which kind of key the rows stand in the order of time.
  Kind time_kind() const { return has_key() ? Kind::kTimeIndex : Kind::kRow; }

  const uint32_t table;
};
using TableLayoutPtr = std::shared_ptr<const TableLayout>;

/// Under which key the row of this primary key stands; kInvalidArgument when the values are not of
/// the key's columns.
absl::StatusOr<std::string> encode_primary_key(const TableLayout& layout,
                                               std::span<const Value> values);

/// Kept nowhere else, since only the database knows what a failed write has left.
absl::StatusOr<Counters> read_counters(const Database& database, const TableLayout& layout);

struct Table {
  std::mutex mutex;  ///< held by whoever changes rows

  // Guarded by `mutex`:
  /// No row is older than this: where expire() begins, so that it need not pass what it dropped.
  int64_t oldest_ms = std::numeric_limits<int64_t>::min();
  bool dropped = false;

  /// Changes under `mutex` and the store's mutex of tables; either allows to read it.
  TableLayoutPtr layout;
};

}  // namespace pollux::rocks
