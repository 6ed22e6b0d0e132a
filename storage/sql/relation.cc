#include "storage/sql/relation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/sql/names.h"

namespace pollux::sql {
namespace {

std::vector<std::string> quoted_columns(const TableDefinition& definition, Quote quote) {
  std::vector<std::string> columns;
  for (const Attribute& column : definition.schema->attributes()) {
    columns.push_back(quote(stored_name(column.name)));
  }
  return columns;
}

/// Those that begin with the same name.
absl::StatusOr<CataloguedTable> table_of(std::span<const SqlRow> rows, Quote quote) {
  const SqlRow& first = rows.front();
  auto retention = number_of<int64_t>(first.at(2));
  auto row_count = number_of<int64_t>(first.at(3));
  auto bytes = number_of<uint64_t>(first.at(4));
  if (!retention.ok()) return retention.status();
  if (!row_count.ok()) return row_count.status();
  if (!bytes.ok()) return bytes.status();
  TableDefinition definition;
  definition.name = first[0].value_or("");
  definition.retention_ms = *retention;
  std::vector<Attribute> columns;
  std::map<int32_t, std::string> key;
  for (const SqlRow& row : rows) {
    std::optional<AttributeType> type = attribute_type_from(row.at(6).value_or(""));
    if (!type) {
      return absl::FailedPreconditionError(
          absl::StrCat("table ", definition.name, " has a column of type '", row[6].value_or(""),
                       "': a newer version made it"));
    }
    columns.push_back({row[5].value_or(""), *type});
    if (!row.at(7)) continue;
    auto place = number_of<int32_t>(row[7]);
    if (!place.ok()) return place.status();
    key[*place] = columns.back().name;
  }
  for (auto& [place, name] : key) definition.primary_key.push_back(std::move(name));
  definition.schema = std::make_shared<Schema>(definition.name, std::move(columns));
  CataloguedTable table;
  // Below nothing when somebody else has dropped more than the store has counted.
  table.rows = static_cast<uint64_t>(std::max<int64_t>(*row_count, 0));
  table.bytes = *bytes;
  table.relation = std::make_shared<Relation>(std::move(definition), first[1].value_or(""), quote);
  return table;
}

}  // namespace

Relation::Relation(TableDefinition wanted, std::string called, Quote quote)
    : TableShape(std::move(wanted)),
      stored(std::move(called)),
      name(quote(stored)),
      columns(quoted_columns(definition, quote)) {}

std::vector<std::string> Relation::key_names() const {
  std::vector<std::string> names;
  for (size_t column : key_columns) names.push_back(columns[column]);
  return names;
}

absl::StatusOr<Catalogue> catalogue_of(const std::vector<SqlRow>& rows, Quote quote) {
  Catalogue tables;
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin;
    while (end < rows.size() && rows[end].at(0) == rows[begin].at(0)) ++end;
    auto table = table_of(std::span(rows).subspan(begin, end - begin), quote);
    if (!table.ok()) return table.status();
    tables.emplace(table->relation->definition.name, *table);
    begin = end;
  }
  return tables;
}

}  // namespace pollux::sql
