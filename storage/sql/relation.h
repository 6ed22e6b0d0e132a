// A table as it stands in a database. Thread: any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/sql/sql_values.h"
#include "storage/table_shape.h"

namespace pollux::sql {

/// As a name in an SQL text of the database, whatever the bytes.
using Quote = std::string (*)(std::string_view name);

/// The column of the row's time, ms, behind those of the definition.
inline constexpr std::string_view kTimeColumn = "pollux_time";

/// Never changes; a wider table gets another one.
struct Relation : TableShape {
  Relation(TableDefinition definition, std::string stored, Quote quote);

  /// Of the key's columns, in its order.
  std::vector<std::string> key_names() const;

  const std::string stored;                ///< what the database calls it
  const std::string name;                  ///< the same, quoted
  const std::vector<std::string> columns;  ///< of the definition, quoted
};
using RelationPtr = std::shared_ptr<const Relation>;

struct CataloguedTable {
  RelationPtr relation;
  uint64_t rows = 0;
  uint64_t bytes = 0;
};
using Catalogue = std::map<std::string, CataloguedTable>;

/// From a row for each column of each table, those of one table side by side and in their order:
/// table, relation, retention, row count, bytes, attribute, type and place in the key or null.
absl::StatusOr<Catalogue> catalogue_of(const std::vector<SqlRow>& rows, Quote quote);

}  // namespace pollux::sql
