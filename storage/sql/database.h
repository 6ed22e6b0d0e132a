// What a record store needs of a database: each kind says it in its own SQL. Thread: any.
//
// Errors, beside those of RecordStore: kDeadlineExceeded. What was asked for then may have
// happened, as it may where it is kUnavailable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/record_store.h"
#include "storage/sql/relation.h"

namespace pollux::sql {

/// A row of a batch of the table's columns.
struct RowPlace {
  const EventBatch* batch;
  uint32_t row;
};

/// Of a source: from where its progress was read to have come.
struct ProgressStep {
  std::string_view source;
  RowId to;
  std::optional<RowId> from;
};

/// What takes effect together or not at all. Keys are different, of rows that go and come.
struct Transaction {
  Epoch epoch;
  std::vector<RowPlace> gone;  ///< only their keys count; before those that come
  std::vector<RowPlace> put;
  std::vector<ProgressStep> steps;
  RelationPtr refused_table;      ///< null: no row is refused
  std::vector<RowPlace> refused;  ///< of its columns
};

class Database {
 public:
  using Progress = std::map<std::string, RowId, std::less<>>;

  virtual ~Database() = default;

  /// For messages: "postgresql host:port/database".
  virtual std::string place() const = 0;

  /// Makes the tables that stores need, unless they are there.
  [[nodiscard]] virtual absl::Status set_up() = 0;
  virtual absl::StatusOr<Catalogue> load() = 0;
  /// The table as the database would call it, whether it is there or not.
  virtual RelationPtr relation_of(const TableDefinition& definition) const = 0;
  /// Makes the table, or makes it wider; the definition is a checked one.
  [[nodiscard]] virtual absl::Status open_table(const TableDefinition& definition) = 0;
  [[nodiscard]] virtual absl::Status drop_table(const Relation& relation) = 0;

  /// The store's epoch then: a newer one when that was known.
  virtual absl::StatusOr<Epoch> raise_fence(Epoch epoch) = 0;
  /// Of these sources, as far as they have any.
  virtual absl::StatusOr<Progress> progress(const std::string& table,
                                            const std::vector<std::string>& sources) = 0;

  /// Why the database can never have the row; empty: it may.
  virtual std::string refusal_of(const Relation& relation, const RowPlace& row) const = 0;
  /// Whether it can have a row with the key of this one.
  virtual bool can_have_key(const Relation& relation, const RowPlace& row) const = 0;
  /// kInvalidArgument: a value is refused. kAborted: the store is of another epoch, which may be an
  /// older one. kUnavailable: a source is not where it was, or nobody knows whether it was
  /// committed.
  [[nodiscard]] virtual absl::Status commit(const Relation& relation,
                                            const Transaction& transaction) = 0;
  /// Drops the oldest rows with times below `horizon_ms`, RecordStore::kExpireRowsMax at most; how
  /// many.
  virtual absl::StatusOr<uint64_t> drop_old(const Relation& relation, int64_t horizon_ms) = 0;

  virtual absl::StatusOr<std::unique_ptr<RecordCursor>> scan(RelationPtr relation,
                                                             RecordTimeRange range) = 0;
  /// `key`: one row of the key's columns. Null: there is none.
  virtual absl::StatusOr<EventBatchPtr> find(const Relation& relation, const EventBatch& key) = 0;
  /// All rows of these keys, without nulls; where the relation is the store's own, those whose
  /// times are not below the horizon.
  virtual absl::StatusOr<EventBatchPtr> look_up(const Relation& relation, const EventBatch& keys,
                                                std::optional<int64_t> own_horizon_ms) = 0;
};

}  // namespace pollux::sql
