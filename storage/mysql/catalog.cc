#include "storage/mysql/catalog.h"

#include <iterator>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/utf8.h"
#include "storage/mysql/names.h"
#include "storage/sql/catalogue_sql.h"
#include "storage/sql/names.h"

namespace pollux::mysql {
namespace {

/// Of whoever changes tables of the database.
constexpr char kLockName[] = "CONCAT('pollux ', MD5(DATABASE()))";
/// Whoever changes a table waits for those that read it, and everybody else waits behind him.
constexpr int kWaitSeconds = 3;
/// Of an index.
constexpr size_t kIndexedColumnsMax = 8;
constexpr int kIndexedCharacters = 64;

constexpr std::string_view kOwnColumns[] = {sql::kTimeColumn, "pollux_seq", "pollux_key",
                                            "pollux_writes"};

#define POLLUX_OWN_TABLE ") ENGINE=InnoDB ROW_FORMAT=DYNAMIC"
constexpr const char* kOwnTables[] = {
    "CREATE TABLE IF NOT EXISTS pollux_stores ("
    "store VARBINARY(255) NOT NULL, epoch BIGINT UNSIGNED NOT NULL, "
    "PRIMARY KEY (store)" POLLUX_OWN_TABLE,
    "CREATE TABLE IF NOT EXISTS pollux_tables ("
    "store VARBINARY(255) NOT NULL, name VARBINARY(200) NOT NULL, "
    "relation VARBINARY(64) NOT NULL, retention_ms BIGINT NOT NULL, "
    "row_count BIGINT NOT NULL DEFAULT 0, "
    "PRIMARY KEY (store, name), UNIQUE KEY (relation)" POLLUX_OWN_TABLE,
    "CREATE TABLE IF NOT EXISTS pollux_columns ("
    "store VARBINARY(255) NOT NULL, name VARBINARY(200) NOT NULL, place INT NOT NULL, "
    "attribute VARBINARY(200) NOT NULL, type VARBINARY(16) NOT NULL, key_place INT, "
    "PRIMARY KEY (store, name, place)" POLLUX_OWN_TABLE,
    "CREATE TABLE IF NOT EXISTS pollux_progress ("
    "store VARBINARY(255) NOT NULL, name VARBINARY(200) NOT NULL, "
    "source VARBINARY(512) NOT NULL, epoch BIGINT UNSIGNED NOT NULL, "
    "position BIGINT UNSIGNED NOT NULL, ordinal BIGINT UNSIGNED NOT NULL, "
    "PRIMARY KEY (store, name, source)" POLLUX_OWN_TABLE,
};
#undef POLLUX_OWN_TABLE

constexpr char kIsSetUp[] =
    "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name"
    " IN ('pollux_stores', 'pollux_tables', 'pollux_columns', 'pollux_progress')";

constexpr char kSizes[] =
    "SELECT table_name, COALESCE(data_length, 0) + COALESCE(index_length, 0)"
    " FROM information_schema.tables WHERE table_schema = DATABASE()";

/// By relation.
absl::StatusOr<std::map<std::string, std::string>> sizes(Conversation& talk) {
  auto rows = talk.ask(kSizes);
  if (!rows.ok()) return rows.status();
  std::map<std::string, std::string> sizes;
  for (const auto& row : *rows) sizes[row.at(0).value_or("")] = row.at(1).value_or("0");
  return sizes;
}

/// Names have no characters beyond U+FFFF, and no blanks at their ends.
absl::Status check_columns(const TableDefinition& definition) {
  for (const Attribute& column : definition.schema->attributes()) {
    std::string_view rest = column.name;
    size_t bytes = 0;
    while (!rest.empty() && (bytes = utf8_size(rest)) != 0 && bytes < 4) rest.remove_prefix(bytes);
    if (rest.empty() && column.name.back() != ' ') continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "table ", definition.name, " cannot be made: MySQL cannot have a column that is called '",
        column.name, "'"));
  }
  return absl::OkStatus();
}

/// Until the conversation ends, or finish_change().
absl::Status begin_change(Conversation& talk) {
  auto locked = talk.ask(absl::StrCat("SELECT GET_LOCK(", kLockName, ", ", kWaitSeconds, ")"));
  if (!locked.ok()) return locked.status();
  if (locked->at(0).at(0) != "1") {
    return absl::UnavailableError("somebody else changes tables of the database; try again");
  }
  return talk.tell(absl::StrCat("SET SESSION lock_wait_timeout = ", kWaitSeconds));
}

/// Its session can be used for something else then; without, it has to end.
absl::Status finish_change(Conversation& talk, int64_t timeout_ms) {
  absl::Status done =
      talk.tell(absl::StrCat("SET SESSION lock_wait_timeout = ", timeout_ms / 1000 + 1));
  return done.ok() ? talk.ask(absl::StrCat("SELECT RELEASE_LOCK(", kLockName, ")")).status() : done;
}

std::string column_definition(const sql::Relation& relation, size_t column) {
  const std::string_view type = sql_type((*relation.definition.schema)[column].type);
  return absl::StrCat(relation.columns[column], " ", std::string(type));
}

/// For those who look for rows by the columns of the key.
std::string key_index(const sql::Relation& relation) {
  std::vector<std::string> columns;
  for (size_t column : relation.key_columns) {
    if (columns.size() == kIndexedColumnsMax) break;
    const bool text = (*relation.definition.schema)[column].type == AttributeType::kString;
    columns.push_back(absl::StrCat(relation.columns[column],
                                   text ? absl::StrCat("(", kIndexedCharacters, ")") : ""));
  }
  return absl::StrCat("KEY pollux_by_key (", absl::StrJoin(columns, ", "), ")");
}

std::string create_table(const sql::Relation& relation) {
  std::vector<std::string> parts;
  for (size_t c = 0; c < relation.columns.size(); ++c) {
    parts.push_back(column_definition(relation, c));
  }
  parts.emplace_back("pollux_time BIGINT NOT NULL");
  if (relation.has_key()) {
    parts.emplace_back("pollux_key VARBINARY(3000) NOT NULL");
    parts.emplace_back("pollux_writes BIGINT UNSIGNED NOT NULL DEFAULT 1");
    parts.emplace_back("PRIMARY KEY (pollux_key)");
    parts.emplace_back("KEY pollux_by_time (pollux_time, pollux_key)");
    parts.push_back(key_index(relation));
  } else {
    parts.emplace_back("pollux_seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT");
    parts.emplace_back("PRIMARY KEY (pollux_seq)");
    parts.emplace_back("KEY pollux_by_time (pollux_time, pollux_seq)");
  }
  return absl::StrCat("CREATE TABLE ", relation.name, " (", absl::StrJoin(parts, ", "),
                      ") ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE"
                      " utf8mb4_bin");
}

absl::Status check_table(const TableDefinition& definition) {
  absl::Status named = sql::check_names(definition, kOwnColumns);
  return named.ok() ? check_columns(definition) : named;
}

}  // namespace

std::vector<std::string> Catalog::own_tables_sql() {
  return {std::begin(kOwnTables), std::end(kOwnTables)};
}

absl::StatusOr<std::vector<std::string>> Catalog::table_sql(const std::string& store,
                                                            const TableDefinition& definition) {
  if (absl::Status checked = check_table(definition); !checked.ok()) return checked;
  const sql::Relation relation(definition, sql::stored_table_name(store, definition.name), quoted);
  std::vector<std::string> statements = sql::note_table(store, relation, literal);
  statements.push_back(create_table(relation));
  return statements;
}

absl::Status Catalog::set_up() {
  auto talk = Conversation::begin(pool_, timeout_ms_);
  if (!talk.ok()) return talk.status();
  auto there = talk->ask(kIsSetUp);
  if (!there.ok()) return there.status();
  if (there->at(0).at(0) == absl::StrCat(std::size(kOwnTables))) {
    return absl::OkStatus();  // also for users who may not make any
  }
  absl::Status done = begin_change(*talk);
  if (done.ok()) done = sql::tell_all(*talk, own_tables_sql());
  if (done.ok()) return finish_change(*talk, timeout_ms_);
  talk->give_up();
  return done;
}

absl::StatusOr<sql::Catalogue> Catalog::load() {
  auto talk = Conversation::begin(pool_, timeout_ms_);
  if (!talk.ok()) return talk.status();
  return load(*talk);
}

absl::StatusOr<sql::Catalogue> Catalog::load(Conversation& talk) {
  auto columns = talk.ask(
      absl::StrCat("SELECT t.name, t.relation, t.retention_ms, t.row_count, c.attribute, c.type,"
                   " c.key_place FROM pollux_tables t JOIN pollux_columns c"
                   " ON c.store = t.store AND c.name = t.name WHERE t.store = ",
                   literal(store_), " ORDER BY t.name, c.place"));
  if (!columns.ok()) return columns.status();
  auto bytes = sizes(talk);
  if (!bytes.ok()) return bytes.status();
  SqlRows rows;
  for (auto& row : *columns) {
    auto there = bytes->find(row.at(1).value_or(""));
    if (there == bytes->end()) continue;
    row.insert(row.begin() + 4, there->second);
    rows.push_back(std::move(row));
  }
  return sql::catalogue_of(rows, quoted);
}

absl::Status Catalog::open(const TableDefinition& definition) {
  absl::Status done = check_table(definition);
  if (!done.ok()) return done;
  auto talk = Conversation::begin(pool_, timeout_ms_);
  if (!talk.ok()) return talk.status();
  if (done = begin_change(*talk); !done.ok()) return done;
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
  if (done.ok()) return finish_change(*talk, timeout_ms_);
  talk->give_up();
  return done;
}

absl::Status Catalog::make(Conversation& talk, const sql::Relation& relation) {
  const TableDefinition& definition = relation.definition;
  auto bytes = sizes(talk);
  if (!bytes.ok()) return bytes.status();
  if (bytes->contains(relation.stored)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "table ", definition.name, " cannot be made: the database has one that is called ",
        relation.stored, " already, of another store or somebody else; rename it, or give this ",
        "store a database of its own"));
  }
  // Of a table that was never finished, or was dropped.
  absl::Status done = forget(talk, relation.stored);
  if (done.ok()) done = talk.tell("START TRANSACTION");
  if (done.ok()) done = sql::tell_all(talk, sql::note_table(store_, relation, literal));
  if (done.ok()) done = talk.tell("COMMIT");
  return done.ok() ? talk.tell(create_table(relation)) : done;
}

absl::Status Catalog::change(Conversation& talk, const TableDefinition& stored,
                             const sql::Relation& wanted) {
  const TableDefinition& definition = wanted.definition;
  absl::Status done;
  if (stored.schema->size() != definition.schema->size()) {
    done = add_columns(talk, wanted, stored.schema->size());
  }
  if (done.ok()) done = talk.tell("START TRANSACTION");
  if (done.ok() && stored.retention_ms != definition.retention_ms) {
    done = talk.tell(
        absl::StrCat("UPDATE pollux_tables SET retention_ms = ", definition.retention_ms,
                     " WHERE store = ", literal(store_), " AND name = ", literal(definition.name)));
  }
  if (done.ok()) {
    done =
        sql::tell_all(talk, sql::note_columns(store_, definition, stored.schema->size(), literal));
  }
  return done.ok() ? talk.tell("COMMIT") : done;
}

/// Those that are not there yet: somebody may have died between this and the catalogue.
absl::Status Catalog::add_columns(Conversation& talk, const sql::Relation& wanted, size_t first) {
  auto found =
      talk.ask(absl::StrCat("SELECT column_name, data_type FROM information_schema.columns WHERE"
                            " table_schema = DATABASE() AND table_name = ",
                            literal(wanted.stored)));
  if (!found.ok()) return found.status();
  std::map<std::string, std::string> there;
  for (const auto& row : *found) there[row.at(0).value_or("")] = row.at(1).value_or("");
  std::vector<std::string> missing;
  for (size_t c = first; c < wanted.columns.size(); ++c) {
    const Attribute& column = (*wanted.definition.schema)[c];
    auto known = there.find(sql::stored_name(column.name));
    if (known != there.end() && known->second == data_type(column.type)) continue;
    missing.push_back(absl::StrCat("ADD COLUMN ", column_definition(wanted, c)));
  }
  if (missing.empty()) return absl::OkStatus();
  return talk.tell(absl::StrCat("ALTER TABLE ", wanted.name, " ", absl::StrJoin(missing, ", ")));
}

absl::Status Catalog::forget(Conversation& talk, const std::string& relation) {
  absl::Status done = talk.tell("START TRANSACTION");
  for (const char* own : {"pollux_progress", "pollux_columns"}) {
    if (done.ok()) {
      done = talk.tell(absl::StrCat("DELETE o FROM ", own,
                                    " o JOIN pollux_tables t ON t.store ="
                                    " o.store AND t.name = o.name WHERE t.relation = ",
                                    literal(relation)));
    }
  }
  if (done.ok()) {
    done =
        talk.tell(absl::StrCat("DELETE FROM pollux_tables WHERE relation = ", literal(relation)));
  }
  return done.ok() ? talk.tell("COMMIT") : done;
}

absl::Status Catalog::drop(const sql::Relation& relation) {
  auto talk = Conversation::begin(pool_, timeout_ms_);
  if (!talk.ok()) return talk.status();
  absl::Status done = begin_change(*talk);
  if (done.ok()) done = talk->tell("DROP TABLE IF EXISTS " + relation.name);
  if (done.ok()) done = forget(*talk, relation.stored);
  if (done.ok()) return finish_change(*talk, timeout_ms_);
  talk->give_up();
  return done;
}

}  // namespace pollux::mysql
