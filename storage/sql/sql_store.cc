#include "storage/sql/sql_store.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/refused_rows.h"
#include "storage/sql/row_writer.h"
#include "storage/table_lookup.h"

namespace pollux::sql {
namespace {

class SqlStore : public RecordStore {
 public:
  SqlStore(std::string name, std::unique_ptr<Database> database)
      : name_(std::move(name)), database_(std::move(database)) {}

  absl::Status open() {
    absl::Status done = database_->set_up();
    if (done.ok()) done = reload().status();
    return told(done);
  }

  absl::Status open_table(const TableDefinition& definition) override;
  absl::Status drop_table(std::string_view name) override;
  absl::StatusOr<std::vector<StoredTable>> tables() const override;
  absl::Status raise_fence(Epoch epoch) override;
  absl::StatusOr<Written> write(std::string_view table, std::span<const Rows> rows,
                                Epoch epoch) override;
  absl::StatusOr<std::optional<RowId>> progress(std::string_view table,
                                                std::string_view source) const override;
  absl::Status sync() override { return absl::OkStatus(); }  // each commit lasts
  absl::Status copy_to(const std::string& /*directory*/) override {
    return absl::UnimplementedError(
        absl::StrCat(place(), ": a database is copied by its own means"));
  }
  absl::StatusOr<std::unique_ptr<RecordCursor>> scan(std::string_view table, RecordTimeRange range,
                                                     Timestamp now) const override;
  absl::StatusOr<EventBatchPtr> find(std::string_view table, std::span<const Value> key,
                                     Timestamp now) const override;
  absl::StatusOr<EventBatchPtr> look_up(const TableDefinition& wanted, const EventBatch& keys,
                                        Timestamp now) const override;
  absl::StatusOr<Expired> expire(Timestamp now) override;

 private:
  /// Of whoever writes; the relation changes with its table's definition.
  struct Table {
    std::mutex writing;
    RelationPtr relation;  // guarded by tables_mutex_
  };
  using TablePtr = std::shared_ptr<Table>;

  std::string place() const {
    return absl::StrCat("record store ", name_, " (", database_->place(), ")");
  }
  /// Late is as good as never, to whoever waits.
  absl::Status told(const absl::Status& status) const {
    if (status.ok()) return status;
    const auto code =
        absl::IsDeadlineExceeded(status) ? absl::StatusCode::kUnavailable : status.code();
    return absl::Status(code, absl::StrCat(place(), ": ", status.message()));
  }
  absl::Status not_found(std::string_view table) const {
    return absl::NotFoundError(absl::StrCat(place(), ": there is no table ", std::string(table)));
  }
  absl::StatusOr<Catalogue> reload() const;
  absl::StatusOr<std::pair<TablePtr, RelationPtr>> table(std::string_view name) const;
  absl::StatusOr<RelationPtr> refused_rows_table();

  const std::string name_;
  const std::unique_ptr<Database> database_;

  mutable std::shared_mutex tables_mutex_;
  mutable std::map<std::string, TablePtr, std::less<>> tables_;
};

// ---- tables ----

/// What others have made, changed or dropped is seen from here on.
absl::StatusOr<Catalogue> SqlStore::reload() const {
  auto loaded = database_->load();
  if (!loaded.ok()) return loaded.status();
  std::unique_lock lock(tables_mutex_);
  std::erase_if(tables_, [&](const auto& known) { return !loaded->contains(known.first); });
  for (const auto& [name, table] : *loaded) {
    TablePtr& known = tables_[name];
    if (!known) known = std::make_shared<Table>();
    known->relation = table.relation;
  }
  return loaded;
}

absl::StatusOr<std::pair<SqlStore::TablePtr, RelationPtr>> SqlStore::table(
    std::string_view name) const {
  for (int tries = 0; tries < 2; ++tries) {
    {
      std::shared_lock lock(tables_mutex_);
      auto known = tables_.find(name);
      if (known != tables_.end()) return std::pair(known->second, known->second->relation);
    }
    // The other node may have made it.
    if (tries == 0) {
      if (absl::Status loaded = reload().status(); !loaded.ok()) return told(loaded);
    }
  }
  return not_found(name);
}

absl::Status SqlStore::open_table(const TableDefinition& definition) {
  if (absl::Status checked = check_definition(definition); !checked.ok()) return checked;
  absl::Status done = database_->open_table(definition);
  if (done.ok()) done = reload().status();
  return told(done);
}

absl::Status SqlStore::drop_table(std::string_view name) {
  auto found = table(name);
  if (!found.ok()) return found.status();
  std::lock_guard lock(found->first->writing);
  absl::Status done = database_->drop_table(*found->second);
  if (done.ok()) done = reload().status();
  return told(done);
}

absl::StatusOr<std::vector<StoredTable>> SqlStore::tables() const {
  auto loaded = reload();
  if (!loaded.ok()) return told(loaded.status());
  std::vector<StoredTable> all;
  for (const auto& [name, table] : *loaded) {
    all.push_back({table.relation->definition, table.rows, table.bytes});
  }
  return all;
}

// ---- writing ----

absl::Status SqlStore::raise_fence(Epoch epoch) {
  auto now = database_->raise_fence(epoch);
  if (!now.ok()) return told(now.status());
  if (*now == epoch) return absl::OkStatus();
  return told(absl::FailedPreconditionError(
      absl::StrCat("a write of epoch ", epoch.value, " is refused, since epoch ", now->value,
                   " has begun; this node no longer leads and has to follow the one that does")));
}

absl::StatusOr<Written> SqlStore::write(std::string_view table_name, std::span<const Rows> rows,
                                        Epoch epoch) {
  auto found = table(table_name);
  if (!found.ok()) return found.status();
  const auto& [table, relation] = *found;
  std::lock_guard lock(table->writing);
  if (absl::Status fit = check_rows(*relation, rows); !fit.ok()) return fit;
  const WriteOrder order{rows, epoch, [this] { return refused_rows_table(); }};
  auto written = RowWriter(*database_, *relation, order).write();
  if (absl::IsAborted(written.status())) {
    // An epoch that this store has not seen begins with its first write.
    if (absl::Status raised = raise_fence(epoch); !raised.ok()) return raised;
    written = RowWriter(*database_, *relation, order).write();
  }
  if (absl::IsAborted(written.status())) {  // a newer one has begun since
    absl::Status raised = raise_fence(epoch);
    return raised.ok() ? told(absl::UnavailableError(written.status().message())) : raised;
  }
  return written.ok() ? std::move(written) : told(written.status());
}

/// As the database has it now: somebody else may have made or dropped it.
absl::StatusOr<RelationPtr> SqlStore::refused_rows_table() {
  const std::string name(kRefusedRowsTable);
  auto tables = reload();
  if (tables.ok() && !tables->contains(name)) {
    absl::Status made = database_->open_table(refused_rows_definition());
    if (!made.ok()) return made;
    tables = reload();
  }
  if (!tables.ok()) return tables.status();
  auto table = tables->find(name);
  if (table == tables->end()) return absl::UnavailableError("the table of refused rows is gone");
  return table->second.relation;
}

absl::StatusOr<std::optional<RowId>> SqlStore::progress(std::string_view table_name,
                                                        std::string_view source) const {
  auto found = table(table_name);
  if (!found.ok()) return found.status();
  auto reached = database_->progress(std::string(table_name), {std::string(source)});
  if (!reached.ok()) return told(reached.status());
  if (reached->empty()) return std::optional<RowId>();
  return std::optional(reached->begin()->second);
}

absl::StatusOr<Expired> SqlStore::expire(Timestamp now) {
  auto loaded = reload();
  if (!loaded.ok()) return told(loaded.status());
  Expired sum;
  for (const auto& [name, table] : *loaded) {
    if (table.relation->definition.retention_ms == 0) continue;
    auto gone = database_->drop_old(*table.relation, table.relation->horizon_ms(now));
    if (!gone.ok()) return told(gone.status());
    sum.rows += *gone;
    sum.more = sum.more || *gone == kExpireRowsMax;
  }
  return sum;
}

// ---- reading ----

absl::StatusOr<std::unique_ptr<RecordCursor>> SqlStore::scan(std::string_view table_name,
                                                             RecordTimeRange range,
                                                             Timestamp now) const {
  auto found = table(table_name);
  if (!found.ok()) return found.status();
  range.from.ms = std::max(range.from.ms, found->second->horizon_ms(now));
  auto cursor = database_->scan(found->second, range);
  if (!cursor.ok()) return told(cursor.status());
  return cursor;
}

absl::StatusOr<EventBatchPtr> SqlStore::find(std::string_view table_name,
                                             std::span<const Value> key, Timestamp now) const {
  auto found = table(table_name);
  if (!found.ok()) return found.status();
  const Relation& relation = *found->second;
  auto checked = check_key(relation, key);
  if (!checked.ok()) return checked.status();
  auto row = database_->find(relation, *checked);
  if (!row.ok()) return told(row.status());
  const bool is_old = *row && (*row)->timestamps()[0] < relation.horizon_ms(now);
  return is_old ? EventBatchPtr() : *row;
}

absl::StatusOr<EventBatchPtr> SqlStore::look_up(const TableDefinition& wanted,
                                                const EventBatch& keys, Timestamp now) const {
  if (keys.rows() == 0) {  // what others have made since is asked for now, and not for each batch
    if (absl::Status loaded = reload().status(); !loaded.ok()) return told(loaded);
  }
  RelationPtr own;
  {
    std::shared_lock lock(tables_mutex_);
    auto known = tables_.find(wanted.name);
    if (known != tables_.end()) own = known->second->relation;
  }
  std::optional<int64_t> horizon_ms;
  if (own != nullptr) {
    auto columns = lookup_columns(own->definition, wanted);
    if (!columns.ok()) return columns.status();
    horizon_ms = own->horizon_ms(now);
  }
  auto rows = database_->look_up(*database_->relation_of(wanted), keys, horizon_ms);
  if (absl::IsNotFound(rows.status())) {
    return told(absl::FailedPreconditionError(rows.status().message()));
  }
  return rows.ok() ? std::move(rows) : told(rows.status());
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordStore>> open_sql_store(std::string name,
                                                            std::unique_ptr<Database> database) {
  auto store = std::make_unique<SqlStore>(std::move(name), std::move(database));
  if (absl::Status opened = store->open(); !opened.ok()) return opened;
  return store;
}

}  // namespace pollux::sql
