#include "storage/postgres_store.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/postgres/catalog.h"
#include "storage/postgres/cursor.h"
#include "storage/postgres/names.h"
#include "storage/postgres/row_writer.h"
#include "storage/postgres/sql_values.h"

namespace pollux::postgres {
namespace {

constexpr char kRaiseFence[] =
    "INSERT INTO pollux_stores AS s (store, epoch) VALUES ($1, $2)"
    " ON CONFLICT (store) DO UPDATE SET epoch = excluded.epoch WHERE s.epoch <= excluded.epoch"
    " RETURNING epoch";

template <class Float>
std::string shortest(Float number) {
  char text[64];
  auto [end, error] = std::to_chars(text, text + sizeof(text), number);
  return {text, end};
}

struct ParameterText {
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(bool yes) const { return yes ? "t" : "f"; }
  std::string operator()(int32_t number) const { return absl::StrCat(number); }
  std::string operator()(int64_t number) const { return absl::StrCat(number); }
  std::string operator()(float number) const { return shortest(number); }
  std::string operator()(double number) const { return shortest(number); }
  std::string operator()(const ObjectValue& /*object*/) const { return ""; }  // none is stored
};

class PostgresStore : public RecordStore {
 public:
  explicit PostgresStore(PostgresStoreOptions options)
      : options_(std::move(options)),
        pool_(make_pool(options_)),
        catalog_(options_.name, pool_, options_.timeout_ms) {}

  absl::Status open() {
    absl::Status done = pool_->fill(Deadline(options_.timeout_ms));
    if (done.ok()) done = catalog_.set_up();
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
  absl::StatusOr<Expired> expire(Timestamp now) override;

 private:
  /// Of whoever writes; the relation changes with its table's definition.
  struct Table {
    std::mutex writing;
    RelationPtr relation;  // guarded by tables_mutex_
  };
  using TablePtr = std::shared_ptr<Table>;

  std::string place() const {
    return absl::StrCat("record store ", options_.name, " (postgresql ", options_.address.host, ":",
                        options_.address.port, "/", options_.address.database, ")");
  }
  absl::Status told(const absl::Status& status) const {
    if (status.ok()) return status;
    return absl::Status(status.code(), absl::StrCat(place(), ": ", status.message()));
  }
  absl::Status not_found(std::string_view table) const {
    return absl::NotFoundError(absl::StrCat(place(), ": there is no table ", std::string(table)));
  }
  absl::StatusOr<std::map<std::string, CataloguedTable>> reload() const;
  absl::StatusOr<std::pair<TablePtr, RelationPtr>> table(std::string_view name) const;
  absl::StatusOr<SqlRows> ask(const std::string& sql, const std::vector<std::string>& values) const;
  absl::Status fenced(Epoch epoch) const;
  absl::StatusOr<uint64_t> expire_table(const Relation& relation, Timestamp now);

  const PostgresStoreOptions options_;
  const std::shared_ptr<Pool> pool_;
  mutable Catalog catalog_;

  mutable std::shared_mutex tables_mutex_;
  mutable std::map<std::string, TablePtr, std::less<>> tables_;
};

// ---- tables ----

/// What others have made, changed or dropped is seen from here on.
absl::StatusOr<std::map<std::string, CataloguedTable>> PostgresStore::reload() const {
  auto loaded = catalog_.load();
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

absl::StatusOr<std::pair<PostgresStore::TablePtr, RelationPtr>> PostgresStore::table(
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

absl::Status PostgresStore::open_table(const TableDefinition& definition) {
  if (absl::Status checked = check_definition(definition); !checked.ok()) return checked;
  absl::Status done = catalog_.open(definition);
  if (done.ok()) done = reload().status();
  return told(done);
}

absl::Status PostgresStore::drop_table(std::string_view name) {
  auto found = table(name);
  if (!found.ok()) return found.status();
  std::lock_guard lock(found->first->writing);
  absl::Status done = catalog_.drop(*found->second);
  if (done.ok()) done = reload().status();
  return told(done);
}

absl::StatusOr<std::vector<StoredTable>> PostgresStore::tables() const {
  auto loaded = reload();
  if (!loaded.ok()) return told(loaded.status());
  std::vector<StoredTable> all;
  for (const auto& [name, table] : *loaded) {
    all.push_back({table.relation->definition, table.rows, table.bytes});
  }
  return all;
}

absl::StatusOr<SqlRows> PostgresStore::ask(const std::string& sql,
                                           const std::vector<std::string>& values) const {
  auto talk = Conversation::begin(pool_, options_.timeout_ms);
  if (!talk.ok()) return told(talk.status());
  auto rows = talk->ask(sql, values);
  if (!rows.ok()) return told(rows.status());
  return rows;
}

// ---- writing ----

absl::Status PostgresStore::raise_fence(Epoch epoch) {
  auto raised = ask(kRaiseFence, {options_.name, absl::StrCat(epoch.value)});
  if (!raised.ok()) return raised.status();
  return raised->empty() ? fenced(epoch) : absl::OkStatus();
}

absl::Status PostgresStore::fenced(Epoch epoch) const {
  auto now = ask("SELECT epoch FROM pollux_stores WHERE store = $1", {options_.name});
  if (!now.ok()) return now.status();
  const std::string newer = now->empty() ? "another" : now->at(0).at(0).value_or("another");
  return told(absl::FailedPreconditionError(
      absl::StrCat("a write of epoch ", epoch.value, " is refused, since epoch ", newer,
                   " has begun; this node no longer leads and has to follow the one that does")));
}

absl::StatusOr<Written> PostgresStore::write(std::string_view table_name,
                                             std::span<const Rows> rows, Epoch epoch) {
  auto found = table(table_name);
  if (!found.ok()) return found.status();
  const auto& [table, relation] = *found;
  std::lock_guard lock(table->writing);
  if (absl::Status fit = check_rows(*relation, rows); !fit.ok()) return fit;
  const WriteOrder order{options_.name, rows, epoch};
  auto written = RowWriter(pool_, options_.timeout_ms, *relation, order).write();
  if (!absl::IsFailedPrecondition(written.status())) {
    return written.ok() ? std::move(written) : told(written.status());
  }
  // An epoch that this store has not seen begins with its first write.
  if (absl::Status raised = raise_fence(epoch); !raised.ok()) return raised;
  written = RowWriter(pool_, options_.timeout_ms, *relation, order).write();
  return written.ok() ? std::move(written) : told(written.status());
}

absl::StatusOr<std::optional<RowId>> PostgresStore::progress(std::string_view table_name,
                                                             std::string_view source) const {
  auto found = table(table_name);
  if (!found.ok()) return found.status();
  auto rows =
      ask("SELECT epoch, position, ordinal FROM pollux_progress"
          " WHERE store = $1 AND name = $2 AND source = $3",
          {options_.name, std::string(table_name), std::string(source)});
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return std::optional<RowId>();
  auto id = row_id_of(rows->at(0), 0);
  if (!id.ok()) return told(id.status());
  return std::optional(*id);
}

absl::StatusOr<Expired> PostgresStore::expire(Timestamp now) {
  auto loaded = reload();
  if (!loaded.ok()) return told(loaded.status());
  Expired sum;
  for (const auto& [name, table] : *loaded) {
    if (table.relation->definition.retention_ms == 0) continue;
    auto gone = expire_table(*table.relation, now);
    if (!gone.ok()) return gone.status();
    sum.rows += *gone;
    sum.more = sum.more || *gone == kExpireRowsMax;
  }
  return sum;
}

absl::StatusOr<uint64_t> PostgresStore::expire_table(const Relation& relation, Timestamp now) {
  auto gone =
      ask(absl::StrCat("WITH old AS (SELECT ctid FROM ", relation.name,
                       " WHERE pollux_time < $3 ORDER BY pollux_time LIMIT ", kExpireRowsMax,
                       "), gone AS (DELETE FROM ", relation.name,
                       " WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1),"
                       " counted AS (UPDATE pollux_tables SET row_count = row_count -"
                       " (SELECT count(*) FROM gone) WHERE store = $1 AND name = $2)"
                       " SELECT count(*) FROM gone"),
          {options_.name, relation.definition.name, absl::StrCat(relation.horizon_ms(now))});
  if (!gone.ok()) return gone.status();
  auto rows = number_of<uint64_t>(gone->at(0).at(0));
  if (!rows.ok()) return told(rows.status());
  return rows;
}

// ---- reading ----

absl::StatusOr<std::unique_ptr<RecordCursor>> PostgresStore::scan(std::string_view table_name,
                                                                  RecordTimeRange range,
                                                                  Timestamp now) const {
  auto found = table(table_name);
  if (!found.ok()) return found.status();
  range.from.ms = std::max(range.from.ms, found->second->horizon_ms(now));
  auto cursor = make_cursor(pool_, options_.timeout_ms, found->second, range);
  if (!cursor.ok()) return told(cursor.status());
  return cursor;
}

absl::StatusOr<EventBatchPtr> PostgresStore::find(std::string_view table_name,
                                                  std::span<const Value> key, Timestamp now) const {
  auto found = table(table_name);
  if (!found.ok()) return found.status();
  const Relation& relation = *found->second;
  if (auto checked = check_key(relation, key); !checked.ok()) return checked.status();
  std::vector<std::string> conditions;
  std::vector<std::string> values;
  for (size_t i = 0; i < key.size(); ++i) {
    const Attribute& column = (*relation.definition.schema)[relation.key_columns[i]];
    const std::string name = quoted(stored_name(column.name));
    if (is_null(key[i])) {
      conditions.push_back(name + " IS NULL");
      continue;
    }
    values.push_back(std::visit(ParameterText{}, key[i]));
    if (!is_storable_text(values.back())) return EventBatchPtr();  // no row can have it
    const std::string_view type = sql_type(column.type);
    conditions.push_back(absl::StrCat(name, " = $", values.size(), "::", std::string(type)));
  }
  auto rows = ask(absl::StrCat("SELECT ", relation.columns, " FROM ", relation.name, " WHERE ",
                               absl::StrJoin(conditions, " AND ")),
                  values);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return EventBatchPtr();
  auto batch = std::make_shared<EventBatch>(relation.definition.schema);
  if (absl::Status added = append_sql_row(rows->at(0), *batch); !added.ok()) return told(added);
  if (batch->timestamps()[0] < relation.horizon_ms(now)) return EventBatchPtr();
  return batch;
}

}  // namespace
}  // namespace pollux::postgres

namespace pollux {

absl::StatusOr<std::unique_ptr<RecordStore>> open_postgres_store(
    const PostgresStoreOptions& options) {
  auto store = std::make_unique<postgres::PostgresStore>(options);
  if (absl::Status opened = store->open(); !opened.ok()) return opened;
  return store;
}

}  // namespace pollux
