#include "storage/sql/catalogue_sql.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pollux::sql {

std::vector<std::string> note_table(const std::string& store, const Relation& relation,
                                    Literal literal) {
  const TableDefinition& definition = relation.definition;
  std::vector<std::string> statements{
      absl::StrCat("INSERT INTO pollux_tables (store, name, relation, retention_ms) VALUES (",
                   literal(store), ", ", literal(definition.name), ", ", literal(relation.stored),
                   ", ", definition.retention_ms, ")")};
  for (std::string& noted : note_columns(store, definition, 0, literal)) {
    statements.push_back(std::move(noted));
  }
  return statements;
}

std::vector<std::string> note_columns(const std::string& store, const TableDefinition& definition,
                                      size_t first, Literal literal) {
  const std::vector<size_t> key = key_columns_of(definition);
  std::vector<std::string> rows;
  for (size_t i = first; i < definition.schema->size(); ++i) {
    const Attribute& column = (*definition.schema)[i];
    auto place = std::find(key.begin(), key.end(), i);
    rows.push_back(absl::StrCat("(", literal(store), ", ", literal(definition.name), ", ", i, ", ",
                                literal(column.name), ", ", literal(name_of(column.type)), ", ",
                                place == key.end() ? "NULL" : absl::StrCat(place - key.begin()),
                                ")"));
  }
  if (rows.empty()) return {};
  return {absl::StrCat("INSERT INTO pollux_columns VALUES ", absl::StrJoin(rows, ", "))};
}

}  // namespace pollux::sql
