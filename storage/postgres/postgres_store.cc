#include "storage/postgres_store.h"

#include <atomic>
#include <charconv>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/postgres/catalog.h"
#include "storage/postgres/cursor.h"
#include "storage/postgres/names.h"
#include "storage/postgres/relation_sql.h"
#include "storage/postgres/row_changes.h"
#include "storage/sql/names.h"
#include "storage/sql/pooled_database.h"

namespace pollux::postgres {
namespace {

/// Of all texts in a key: what an index entry of PostgreSQL holds for certain.
constexpr size_t kKeyBytesMax = 2'500;

constexpr char kRaiseFence[] =
    "INSERT INTO pollux_stores AS s (store, epoch) VALUES ($1, $2)"
    " ON CONFLICT (store) DO UPDATE SET epoch = greatest(s.epoch, excluded.epoch)"
    " RETURNING epoch";

constexpr char kReadProgress[] =
    "SELECT source, epoch, position, ordinal FROM pollux_progress"
    " WHERE store = $1 AND name = $2 AND source = ANY ($3::text[])";

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

bool is_storable(const Column& column, uint32_t row) {
  if (column.type() != AttributeType::kString || column.is_null(row)) return true;
  return is_storable_text(column.data<StringRef>()[row].view());
}

class PostgresDatabase : public sql::PooledDatabase<Conversation, Catalog> {
 public:
  static constexpr char kKind[] = "postgresql";
  static constexpr char kNamesAreUtf8[] = "SET client_encoding = 'UTF8'";

  PostgresDatabase(const std::string& store, const DatabaseOptions& options,
                   std::shared_ptr<Pool> pool)
      : PooledDatabase(kKind, store, options, std::move(pool)) {}

  absl::StatusOr<Epoch> raise_fence(Epoch epoch) override;
  absl::StatusOr<Progress> progress(const std::string& table,
                                    const std::vector<std::string>& sources) override;
  std::string refusal_of(const sql::Relation& relation, const sql::RowPlace& row) const override;
  bool can_have_key(const sql::Relation& relation, const sql::RowPlace& row) const override;
  absl::Status commit(const sql::Relation& relation, const sql::Transaction& transaction) override;
  absl::StatusOr<uint64_t> drop_old(const sql::Relation& relation, int64_t horizon_ms) override;
  absl::StatusOr<std::unique_ptr<RecordCursor>> scan(sql::RelationPtr relation,
                                                     RecordTimeRange range) override {
    return make_cursor(pool(), timeout_ms(), std::move(relation), range);
  }
  absl::StatusOr<EventBatchPtr> find(const sql::Relation& relation, const EventBatch& key) override;
  sql::RelationPtr relation_of(const TableDefinition& definition) const override {
    return std::make_shared<sql::Relation>(
        definition, sql::stored_table_name(store(), definition.name), quoted);
  }
  absl::StatusOr<EventBatchPtr> look_up(const sql::Relation& relation, const EventBatch& keys,
                                        std::optional<int64_t> own_horizon_ms) override;

 private:
  absl::StatusOr<SqlRows> ask(const std::string& sql, const std::vector<std::string>& values);

  std::atomic<int> server_version_ = 0;  ///< of the last that progress was asked of
};

absl::StatusOr<SqlRows> PostgresDatabase::ask(const std::string& sql,
                                              const std::vector<std::string>& values) {
  auto talk = begin();
  if (!talk.ok()) return talk.status();
  return talk->ask(sql, values);
}

absl::StatusOr<Epoch> PostgresDatabase::raise_fence(Epoch epoch) {
  auto raised = ask(kRaiseFence, {store(), absl::StrCat(epoch.value)});
  if (!raised.ok()) return raised.status();
  auto now = sql::number_of<uint64_t>(raised->at(0).at(0));
  if (!now.ok()) return now.status();
  return Epoch{*now};
}

absl::StatusOr<sql::Database::Progress> PostgresDatabase::progress(
    const std::string& table, const std::vector<std::string>& sources) {
  auto talk = begin();
  if (!talk.ok()) return talk.status();
  server_version_ = talk->server_version();
  auto found =
      talk->ask(kReadProgress, {store(), table, array_of({sources.begin(), sources.end()})});
  if (!found.ok()) return found.status();
  Progress progress;
  for (const auto& row : *found) {
    auto id = sql::row_id_of(row, 1);
    if (!id.ok()) return id.status();
    progress.emplace(row.at(0).value_or(""), *id);
  }
  return progress;
}

std::string PostgresDatabase::refusal_of(const sql::Relation& relation,
                                         const sql::RowPlace& row) const {
  const Schema& schema = row.batch->schema();
  for (size_t c = 0; c < schema.size(); ++c) {
    if (is_storable(row.batch->column(c), row.row)) continue;
    return absl::StrCat("column '", schema[c].name,
                        "' holds a text that is no UTF-8 or has a zero byte in it");
  }
  const size_t key_bytes = text_bytes(*row.batch, row.row, relation.key_columns);
  if (key_bytes > kKeyBytesMax) {
    return absl::StrCat("the primary key has ", key_bytes, " bytes, at most ", kKeyBytesMax,
                        " can be stored");
  }
  if (server_version_ >= kVersionWithNullsInKeys) return "";
  for (size_t c : relation.key_columns) {
    if (!row.batch->column(c).is_null(row.row)) continue;
    return absl::StrCat("column '", schema[c].name,
                        "' of the primary key is null, which needs PostgreSQL 15");
  }
  return "";
}

bool PostgresDatabase::can_have_key(const sql::Relation& relation, const sql::RowPlace& row) const {
  for (size_t c : relation.key_columns) {
    if (!is_storable(row.batch->column(c), row.row)) return false;
  }
  return text_bytes(*row.batch, row.row, relation.key_columns) <= kKeyBytesMax;
}

absl::Status PostgresDatabase::commit(const sql::Relation& relation,
                                      const sql::Transaction& transaction) {
  auto talk = begin();
  if (!talk.ok()) return talk.status();
  return postgres::commit(*talk, store(), relation, transaction);
}

absl::StatusOr<uint64_t> PostgresDatabase::drop_old(const sql::Relation& relation,
                                                    int64_t horizon_ms) {
  auto gone =
      ask(absl::StrCat("WITH old AS (SELECT ctid FROM ", relation.name,
                       " WHERE pollux_time < $3 ORDER BY pollux_time LIMIT ",
                       RecordStore::kExpireRowsMax, "), gone AS (DELETE FROM ", relation.name,
                       " WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1),"
                       " counted AS (UPDATE pollux_tables SET row_count = row_count -"
                       " (SELECT count(*) FROM gone) WHERE store = $1 AND name = $2)"
                       " SELECT count(*) FROM gone"),
          {store(), relation.definition.name, absl::StrCat(horizon_ms)});
  if (!gone.ok()) return gone.status();
  return sql::number_of<uint64_t>(gone->at(0).at(0));
}

absl::StatusOr<EventBatchPtr> PostgresDatabase::find(const sql::Relation& relation,
                                                     const EventBatch& key) {
  std::vector<std::string> conditions;
  std::vector<std::string> values;
  for (size_t i = 0; i < relation.key_columns.size(); ++i) {
    const std::string& name = relation.columns[relation.key_columns[i]];
    if (key.column(i).is_null(0)) {
      conditions.push_back(name + " IS NULL");
      continue;
    }
    if (!is_storable(key.column(i), 0)) return EventBatchPtr();  // no row can have it
    values.push_back(std::visit(ParameterText{}, key.value(0, i)));
    const std::string_view type = sql_type(key.column(i).type());
    conditions.push_back(absl::StrCat(name, " = $", values.size(), "::", std::string(type)));
  }
  auto rows = ask(absl::StrCat("SELECT ", columns_of(relation), " FROM ", relation.name, " WHERE ",
                               absl::StrJoin(conditions, " AND ")),
                  values);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return EventBatchPtr();
  auto batch = std::make_shared<EventBatch>(relation.definition.schema);
  if (absl::Status added = sql::append_sql_row(rows->at(0), *batch); !added.ok()) return added;
  return batch;
}

absl::StatusOr<EventBatchPtr> PostgresDatabase::look_up(const sql::Relation& relation,
                                                        const EventBatch& keys,
                                                        std::optional<int64_t> own_horizon_ms) {
  const size_t width = relation.key_columns.size();
  std::vector<std::vector<std::optional<std::string>>> columns(width);
  for (uint32_t row = 0; row < keys.rows(); ++row) {
    bool storable = true;  // else no row can have it
    for (size_t c = 0; c < width; ++c) storable = storable && is_storable(keys.column(c), row);
    for (size_t c = 0; c < width && storable; ++c) {
      columns[c].push_back(std::visit(ParameterText{}, keys.value(row, c)));
    }
  }
  std::vector<std::string> arrays, names, values;
  for (size_t c = 0; c < width; ++c) {
    values.push_back(array_of(columns[c]));
    arrays.push_back(
        absl::StrCat("$", c + 1, "::", std::string(sql_type(keys.column(c).type())), "[]"));
    names.push_back(absl::StrCat("k", c));
  }
  std::vector<std::string> wanted;
  for (const std::string& column : relation.columns) wanted.push_back("t." + column);
  std::vector<std::string> equal;
  for (size_t c = 0; c < width; ++c) {
    equal.push_back(absl::StrCat("t.", relation.columns[relation.key_columns[c]], " = w.k", c));
  }
  std::string sql =
      absl::StrCat("SELECT ", absl::StrJoin(wanted, ", "), own_horizon_ms ? ", pollux_time" : ", 0",
                   " FROM ", relation.name, " t JOIN unnest(", absl::StrJoin(arrays, ", "),
                   ") AS w(", absl::StrJoin(names, ", "), ") ON ", absl::StrJoin(equal, " AND "));
  if (own_horizon_ms && *own_horizon_ms != std::numeric_limits<int64_t>::min()) {
    absl::StrAppend(&sql, " WHERE pollux_time >= ", *own_horizon_ms);
  }
  auto rows = ask(sql, values);
  if (!rows.ok()) return rows.status();
  return sql::batch_of(*rows, relation.definition.schema);
}

}  // namespace
}  // namespace pollux::postgres

namespace pollux {

std::unique_ptr<StoreDatabase> make_postgres_database(const DatabaseOptions& options) {
  using postgres::PostgresDatabase;
  return std::make_unique<sql::SharedDatabase<PostgresDatabase>>(options,
                                                                 postgres::make_pool(options));
}

}  // namespace pollux
