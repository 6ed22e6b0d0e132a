// One write to a table: rows and progress of their sources, in transactions of bounded size.
//
// A transaction moves the progress of its sources from where this writer has read it, or fails.
// Rows that the database refuses, by a constraint that somebody added, are found by halving:
// whatever fails as a value is tried again in two parts. The table's mutex is held as long as the
// writer lives. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/postgres/catalog.h"
#include "storage/record_store.h"

namespace pollux::postgres {

/// Of all texts in a key: what an index entry of PostgreSQL holds for certain.
inline constexpr size_t kKeyBytesMax = 2'500;

struct WriteOrder {
  std::string_view store;
  std::span<const Rows> rows;
  Epoch epoch;
};

class RowWriter {
 public:
  static constexpr size_t kTransactionBytesMax = size_t{8} << 20;
  static constexpr size_t kTransactionRowsMax = 50'000;

  /// `order` fits the relation, by check_rows().
  RowWriter(std::shared_ptr<Pool> pool, int64_t timeout_ms, const Relation& relation,
            const WriteOrder& order)
      : pool_(std::move(pool)), timeout_ms_(timeout_ms), relation_(relation), order_(order) {}

  /// kFailedPrecondition: the store is of another epoch by now, which may be older than the
  /// order's; kUnavailable: somebody else writes for one of the sources, or the server does not
  /// answer.
  absl::StatusOr<Written> write();

 private:
  struct Row {
    size_t rows_index;
    uint32_t row;
    RowId id;
    bool erased;
    std::string refused;  ///< why it cannot be stored; empty: it can
  };
  /// By how many rows the table grew: below nothing where more were taken away.
  using Growth = int64_t;
  using Progress = std::map<std::string_view, std::optional<RowId>>;
  using Range = std::span<const Row>;

  absl::Status read_progress();
  /// Those that are not in the table.
  std::vector<Row> new_rows();
  std::string refusal_of(const EventBatch& batch, uint32_t row) const;
  /// Whether the database can have a row of this row's key.
  bool can_be_there(const EventBatch& batch, uint32_t row) const;
  absl::Status write_range(Range range);
  absl::Status commit(Range range);
  /// Rows of a range in the order of writing: with a key only the last of each.
  std::vector<const Row*> lasting_rows(Range range) const;
  absl::StatusOr<Growth> put_rows(Conversation& talk, Range range);
  absl::StatusOr<Growth> append(Conversation& talk, const std::vector<const Row*>& rows);
  absl::StatusOr<Growth> upsert(Conversation& talk, const std::vector<const Row*>& rows);
  absl::StatusOr<Growth> erase(Conversation& talk, const std::vector<const Row*>& rows);
  absl::Status move_progress(Conversation& talk, const Progress& next, Growth growth);

  const std::shared_ptr<Pool> pool_;
  const int64_t timeout_ms_;
  const Relation& relation_;
  const WriteOrder order_;
  Progress reached_;  ///< in the database
  bool nulls_in_keys_ = false;
  Written written_;
};

}  // namespace pollux::postgres
