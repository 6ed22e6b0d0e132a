// Tables of typed rows that outlive the process: where events and results are kept for queries.
//
// Exactly once: every row comes from a source (a plan or a stream) and has an id there that only
// grows. A table keeps, for each source, the id that it has reached; rows and that progress are
// written in one transaction, and rows at or below it have no effect. So whoever is not sure
// whether a write landed writes it again.
//
// Fence: a write carries the epoch of whoever leads. The store refuses an epoch that is older than
// one it has seen, so an active node that was replaced can write nothing more.
//
// Order: a row's time is the record time (`_timestamp`, `timestamp` or `ts`, see
// record_time_column) or else the row's own timestamp.
//
// Thread: any. Errors are statuses that say where, why and what to do:
//   kNotFound            no such table
//   kInvalidArgument     the rows or the key do not fit the table; nothing was written
//   kFailedPrecondition  an older epoch, another definition, a directory in use
//   kResourceExhausted   no disk space: the same write succeeds once there is some again
//   kDataLoss            what is stored is damaged
//   kUnavailable         the disk or the database does not answer
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "engine/types/ids.h"
#include "engine/types/value.h"
#include "storage/table_definition.h"

namespace pollux {

/// The stores that every node has.
inline constexpr std::string_view kEventStore = "EVENT_STORE";                   ///< mixed use
inline constexpr std::string_view kEventStoreWriteOptimised = "EVENT_STORE_WO";  ///< raw events
inline constexpr std::string_view kProcessedDataStore = "PROCESSED_DATA_STORE";  ///< statistics
inline constexpr std::array<std::string_view, 3> kStoreNames = {
    kEventStore, kEventStoreWriteOptimised, kProcessedDataStore};

/// A row of a source: of the rows that an entry brought about, the one with this ordinal.
struct RowId {
  EntryId entry;
  uint32_t ordinal = 0;
  friend auto operator<=>(const RowId&, const RowId&) = default;
};

/// Rows that one entry brought about. Borrows everything.
struct Rows {
  std::string_view source;  ///< "tenant/plan" or "tenant/stream": whose progress they make
  EntryId entry;
  const EventBatch* batch = nullptr;   ///< of the table's columns
  std::span<const uint32_t> ordinals;  ///< one a row, growing
  /// One a row: 1 takes the row of that key away, of which only the key's columns count. Empty:
  /// none does, as in tables without a primary key.
  std::span<const uint8_t> erased = {};

  bool erases(uint32_t row) const { return !erased.empty() && erased[row] != 0; }
};

/// A row that the store will never take; the others were written and progress is beyond it. It was
/// put into the table of refused rows in the same transaction (storage/refused_rows.h), or its
/// reason says why it could not be.
struct RefusedRow {
  size_t rows_index = 0;  ///< which of the Rows of the write
  uint32_t row = 0;       ///< which row of its batch
  std::string reason;
};

struct Written {
  uint64_t rows = 0;      ///< that took effect now
  uint64_t repeated = 0;  ///< that had taken effect before
  std::vector<RefusedRow> refused;
};

/// Record times [from, to); the largest `to` means without end.
struct RecordTimeRange {
  Timestamp from{std::numeric_limits<int64_t>::min()};
  Timestamp to{std::numeric_limits<int64_t>::max()};
};

struct StoredTable {
  TableDefinition definition;
  uint64_t rows = 0;   ///< exact; expired rows count until expire() has dropped them
  uint64_t bytes = 0;  ///< on disk and in write buffers, an estimate
};

struct Expired {
  uint64_t rows = 0;
  bool more = false;  ///< there are more to drop: call again
};

/// Rows of a table as they were when the scan began, in the order of their times. May outlive its
/// store, and keeps the store's directory in use until it ends.
class RecordCursor {
 public:
  static constexpr uint32_t kBatchRowsMax = 1024;
  /// A batch ends with the row that reaches this many encoded bytes.
  static constexpr size_t kBatchBytesMax = 1024 * 1024;

  virtual ~RecordCursor() = default;
  /// The next rows, with their record times as timestamps; null behind the last. After an error the
  /// cursor is spent. Thread: one at a time.
  virtual absl::StatusOr<EventBatchPtr> next() = 0;
};

class RecordStore {
 public:
  static constexpr uint32_t kExpireRowsMax = 4096;  ///< of a table, in one call

  virtual ~RecordStore() = default;

  /// Makes the table, or opens it if there is one that this definition may follow
  /// (check_successor). A table is there for all other calls also without this one.
  [[nodiscard]] virtual absl::Status open_table(const TableDefinition& definition) = 0;
  /// With its rows and its progress: a table made later under the same name begins afresh.
  [[nodiscard]] virtual absl::Status drop_table(std::string_view name) = 0;
  /// By name.
  virtual absl::StatusOr<std::vector<StoredTable>> tables() const = 0;

  /// From now on refuses writes of an older epoch. Durable when it returns.
  [[nodiscard]] virtual absl::Status raise_fence(Epoch epoch) = 0;

  /// Writes rows in their order: with a primary key the last one of a key wins, whether it puts a
  /// row or takes it away, else each is appended. To take away what is not there is no error, and
  /// counts as a row that took effect. Large writes may be several transactions, each with its
  /// progress: after an error write all of it again.
  virtual absl::StatusOr<Written> write(std::string_view table, std::span<const Rows> rows,
                                        Epoch epoch) = 0;
  /// The id up to which rows of the source are in the table; nothing if there are none.
  virtual absl::StatusOr<std::optional<RowId>> progress(std::string_view table,
                                                        std::string_view source) const = 0;
  /// When it returns, what was written before survives a loss of power: only now may its origin
  /// forget it.
  [[nodiscard]] virtual absl::Status sync() = 0;
  /// A store of its own in `directory`, which is not there yet, as this one is now.
  [[nodiscard]] virtual absl::Status copy_to(const std::string& directory) = 0;

  /// Rows of the range that are not older than the table's retention at `now`, in the order of
  /// their times; at equal times in the order in which they were appended, or of their keys.
  virtual absl::StatusOr<std::unique_ptr<RecordCursor>> scan(std::string_view table,
                                                             RecordTimeRange range,
                                                             Timestamp now) const = 0;
  /// The row of that primary key as a batch of one; null if there is none or it is older than the
  /// retention at `now`.
  virtual absl::StatusOr<EventBatchPtr> find(std::string_view table, std::span<const Value> key,
                                             Timestamp now) const = 0;

  /// The rows of these keys, in no order, of the columns that `wanted` has; `keys` has those of its
  /// primary key, and no nulls. In a database also of a table that others have made, by the same
  /// names in small letters: of such a key there may be more rows, and rows of keys that it takes
  /// for equal. Without keys it is only seen whether the table is there, and has these columns:
  /// kFailedPrecondition when it has not.
  virtual absl::StatusOr<EventBatchPtr> look_up(const TableDefinition& wanted,
                                                const EventBatch& keys, Timestamp now) const = 0;

  /// Drops rows that are older than their table's retention at `now`, a bounded number a call.
  virtual absl::StatusOr<Expired> expire(Timestamp now) = 0;
};

}  // namespace pollux
