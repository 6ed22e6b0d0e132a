#include "storage/postgres/catalog.h"

#include <iterator>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/postgres/names.h"
#include "storage/postgres/relation_sql.h"
#include "storage/sql/catalogue_sql.h"
#include "storage/sql/names.h"

namespace pollux::postgres {
namespace {

/// Of whoever changes tables; any number will do, and it must stay.
constexpr char kLock[] = "SELECT pg_advisory_xact_lock(5788324611802271)";

/// Whoever changes a table waits for those that read it, and everybody else waits behind him.
constexpr char kWaitLittle[] = "SET LOCAL lock_timeout = '3s'";

constexpr const char* kOwnTables[] = {
    "CREATE TABLE IF NOT EXISTS pollux_stores ("
    "store text PRIMARY KEY, epoch bigint NOT NULL)",
    "CREATE TABLE IF NOT EXISTS pollux_tables ("
    "store text NOT NULL, name text NOT NULL, relation text NOT NULL UNIQUE, "
    "retention_ms bigint NOT NULL, row_count bigint NOT NULL DEFAULT 0, "
    "PRIMARY KEY (store, name))",
    "CREATE TABLE IF NOT EXISTS pollux_columns ("
    "store text NOT NULL, name text NOT NULL, place integer NOT NULL, attribute text NOT NULL, "
    "type text NOT NULL, key_place integer, PRIMARY KEY (store, name, place))",
    "CREATE TABLE IF NOT EXISTS pollux_progress ("
    "store text NOT NULL, name text NOT NULL, source text NOT NULL, epoch bigint NOT NULL, "
    "position bigint NOT NULL, ordinal bigint NOT NULL, PRIMARY KEY (store, name, source))",
};

constexpr char kLoad[] =
    "SELECT t.name, t.relation, t.retention_ms, t.row_count,"
    " coalesce(pg_total_relation_size(to_regclass(quote_ident(t.relation))), 0),"
    " c.attribute, c.type, c.key_place"
    " FROM pollux_tables t JOIN pollux_columns c USING (store, name)"
    " WHERE t.store = $1 ORDER BY t.name, c.place";

constexpr char kIsSetUp[] =
    "SELECT to_regclass('pollux_stores') IS NOT NULL AND to_regclass('pollux_tables') IS NOT NULL"
    " AND to_regclass('pollux_columns') IS NOT NULL"
    " AND to_regclass('pollux_progress') IS NOT NULL";

constexpr std::string_view kOwnColumns[] = {sql::kTimeColumn, "pollux_seq"};

absl::Status begin_change(Conversation& talk) {
  absl::Status done = talk.tell("BEGIN");
  if (done.ok()) done = talk.tell(kLock);
  return done.ok() ? talk.tell(kWaitLittle) : done;
}

std::string column_definition(const Attribute& column) {
  return absl::StrCat(
      quoted(sql::stored_name(column.name)), " ",
      absl::string_view(sql_type(column.type).data(), sql_type(column.type).size()));
}

std::string create_table(const sql::Relation& relation) {
  std::vector<std::string> columns;
  for (const Attribute& column : relation.definition.schema->attributes()) {
    columns.push_back(column_definition(column));
  }
  columns.emplace_back("pollux_time bigint NOT NULL");
  if (!relation.has_key()) columns.emplace_back("pollux_seq bigint GENERATED ALWAYS AS IDENTITY");
  return absl::StrCat("CREATE TABLE ", relation.name, " (", absl::StrJoin(columns, ", "), ")");
}

std::vector<std::string> make_table(const std::string& store, const sql::Relation& relation,
                                    int server_version) {
  std::vector<std::string> statements{create_table(relation)};
  if (relation.has_key()) {
    statements.push_back(
        absl::StrCat("CREATE UNIQUE INDEX ON ", relation.name, " (", key_of(relation), ")",
                     server_version >= kVersionWithNullsInKeys ? " NULLS NOT DISTINCT" : ""));
  }
  statements.push_back(absl::StrCat("CREATE INDEX ON ", relation.name, " (pollux_time)"));
  for (std::string& noted : sql::note_table(store, relation, literal)) {
    statements.push_back(std::move(noted));
  }
  return statements;
}

}  // namespace

std::vector<std::string> Catalog::own_tables_sql() {
  return {std::begin(kOwnTables), std::end(kOwnTables)};
}

absl::StatusOr<std::vector<std::string>> Catalog::table_sql(const std::string& store,
                                                            const TableDefinition& definition) {
  if (absl::Status named = sql::check_names(definition, kOwnColumns); !named.ok()) return named;
  const sql::Relation relation(definition, sql::stored_table_name(store, definition.name), quoted);
  return make_table(store, relation, kVersionWithNullsInKeys);
}

absl::Status Catalog::set_up() {
  auto talk = Conversation::begin(pool_, timeout_ms_);
  if (!talk.ok()) return talk.status();
  auto there = talk->ask(kIsSetUp);
  if (!there.ok()) return there.status();
  if (there->at(0).at(0) == "t") return absl::OkStatus();  // also for users who may not make any
  absl::Status done = begin_change(*talk);
  if (done.ok()) done = sql::tell_all(*talk, own_tables_sql());
  return done.ok() ? talk->tell("COMMIT") : done;
}

absl::StatusOr<sql::Catalogue> Catalog::load() {
  auto talk = Conversation::begin(pool_, timeout_ms_);
  if (!talk.ok()) return talk.status();
  return load(*talk);
}

absl::StatusOr<sql::Catalogue> Catalog::load(Conversation& talk) {
  auto rows = talk.ask(kLoad, {store_});
  if (!rows.ok()) return rows.status();
  return sql::catalogue_of(*rows, quoted);
}

absl::Status Catalog::open(const TableDefinition& definition) {
  if (absl::Status named = sql::check_names(definition, kOwnColumns); !named.ok()) return named;
  auto talk = Conversation::begin(pool_, timeout_ms_);
  if (!talk.ok()) return talk.status();
  absl::Status done = begin_change(*talk);
  if (!done.ok()) return done;
  auto tables = load(*talk);
  if (!tables.ok()) return tables.status();
  const sql::Relation wanted(definition, sql::stored_table_name(store_, definition.name), quoted);
  auto known = tables->find(definition.name);
  if (known == tables->end()) {
    done = make(*talk, wanted);
  } else {
    done = check_successor(known->second.relation->definition, definition);
    if (done.ok()) done = change(*talk, known->second.relation->definition, wanted);
  }
  if (done.ok()) return talk->tell("COMMIT");
  talk->give_up();
  return done;
}

absl::Status Catalog::make(Conversation& talk, const sql::Relation& relation) {
  const TableDefinition& definition = relation.definition;
  auto taken = talk.ask(
      "SELECT (SELECT store FROM pollux_tables WHERE relation = $1),"
      " to_regclass(quote_ident($1)) IS NOT NULL",
      {relation.stored});
  if (!taken.ok()) return taken.status();
  if (taken->at(0).at(0) || taken->at(0).at(1) == "t") {
    return absl::FailedPreconditionError(absl::StrCat(
        "table ", definition.name, " cannot be made: the database has one that is called ",
        relation.stored, taken->at(0).at(0) ? ", of store " : " already",
        taken->at(0).at(0).value_or(""), "; rename it, or give this store a database of its own"));
  }
  return sql::tell_all(talk, make_table(store_, relation, talk.server_version()));
}

absl::Status Catalog::change(Conversation& talk, const TableDefinition& stored,
                             const sql::Relation& wanted) {
  const TableDefinition& definition = wanted.definition;
  absl::Status done;
  if (stored.retention_ms != definition.retention_ms) {
    done = talk.tell("UPDATE pollux_tables SET retention_ms = $3 WHERE store = $1 AND name = $2",
                     {store_, definition.name, absl::StrCat(definition.retention_ms)});
  }
  for (size_t i = stored.schema->size(); done.ok() && i < definition.schema->size(); ++i) {
    done = talk.tell(absl::StrCat("ALTER TABLE ", wanted.name, " ADD COLUMN ",
                                  column_definition((*definition.schema)[i])));
  }
  if (!done.ok()) return done;
  return sql::tell_all(talk, sql::note_columns(store_, definition, stored.schema->size(), literal));
}

absl::Status Catalog::drop(const sql::Relation& relation) {
  auto talk = Conversation::begin(pool_, timeout_ms_);
  if (!talk.ok()) return talk.status();
  const std::vector<std::string> which{store_, relation.definition.name};
  absl::Status done = begin_change(*talk);
  if (done.ok()) done = talk->tell("DROP TABLE IF EXISTS " + relation.name);
  for (const char* own : {"pollux_progress", "pollux_columns", "pollux_tables"}) {
    if (done.ok()) {
      done =
          talk->tell(absl::StrCat("DELETE FROM ", own, " WHERE store = $1 AND name = $2"), which);
    }
  }
  return done.ok() ? talk->tell("COMMIT") : done;
}

}  // namespace pollux::postgres
