// One write to a table: rows and progress of their sources, in transactions of bounded size.
//
// A transaction moves the progress of its sources from where this writer has read it, or fails.
// Rows that the database refuses, by a constraint that somebody added, are found by halving:
// whatever fails as a value is tried again in two parts. Refused rows go into the table of refused
// rows; where that cannot take them they are only told. The table's mutex is held as long as the
// writer lives. Thread: one.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/record_store.h"
#include "storage/sql/database.h"

namespace pollux::sql {

struct WriteOrder {
  std::span<const Rows> rows;  ///< fit the relation, by check_rows()
  Epoch epoch;
  /// The table of refused rows, which it makes where there is none.
  std::function<absl::StatusOr<RelationPtr>()> refused_rows_table;
};

class RowWriter {
 public:
  static constexpr size_t kTransactionBytesMax = size_t{8} << 20;
  static constexpr size_t kTransactionRowsMax = 50'000;

  RowWriter(Database& database, const Relation& relation, WriteOrder order)
      : database_(database), relation_(relation), order_(std::move(order)) {}

  /// kAborted: the store is of another epoch, which may be older than the order's; kUnavailable:
  /// somebody else writes for one of the sources, or the server does not answer.
  absl::StatusOr<Written> write();

 private:
  struct Row {
    size_t rows_index;
    uint32_t row;
    RowId id;
    bool erased;
    std::string refused;  ///< why it cannot be stored; empty: it can
  };
  using Range = std::span<const Row>;
  /// Whether refused rows are put into their table.
  enum class Refused : uint8_t { kKept, kToldOnly };

  absl::Status read_progress();
  /// Those that are not in the table.
  std::vector<Row> new_rows();
  std::string refusal_of(const RowPlace& place) const;
  RowPlace place_of(const Row& row) const;
  absl::Status write_range(Range range);
  /// Rows and progress of a range, or nothing of it.
  absl::Status commit(Range range, Refused refused);
  /// Rows of a range in the order of writing: with a key only the last of each.
  std::vector<const Row*> lasting_rows(Range range) const;
  /// Of those that go only those that can be there.
  void add_rows(Range range, Transaction& to) const;
  std::vector<ProgressStep> steps_of(Range range) const;
  EventBatch refused_rows(Range range) const;

  Database& database_;
  const Relation& relation_;
  const WriteOrder order_;
  std::map<std::string_view, std::optional<RowId>> reached_;  ///< in the database
  Written written_;
};

}  // namespace pollux::sql
