#include "storage/table_lookup.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pollux {

absl::StatusOr<std::vector<size_t>> lookup_columns(const TableDefinition& table,
                                                   const TableDefinition& wanted) {
  if (table.primary_key != wanted.primary_key) {
    return absl::FailedPreconditionError(absl::StrCat(
        "table ", table.name, " has the primary key (", absl::StrJoin(table.primary_key, ", "),
        "), not (", absl::StrJoin(wanted.primary_key, ", "), ")"));
  }
  std::vector<size_t> places;
  for (const Attribute& column : wanted.schema->attributes()) {
    auto place = table.schema->find(column.name);
    if (!place || (*table.schema)[*place].type != column.type) {
      return absl::FailedPreconditionError(absl::StrCat("table ", table.name, " has no column '",
                                                        column.name, "' of type ",
                                                        std::string(name_of(column.type))));
    }
    places.push_back(*place);
  }
  return places;
}

}  // namespace pollux
