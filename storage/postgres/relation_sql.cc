#include "storage/postgres/relation_sql.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pollux::postgres {

std::string columns_of(const sql::Relation& relation) {
  return absl::StrCat(absl::StrJoin(relation.columns, ", "), ", pollux_time");
}

std::string key_of(const sql::Relation& relation) {
  return absl::StrJoin(relation.key_names(), ", ");
}

std::string order_of(const sql::Relation& relation) {
  if (!relation.has_key()) return "pollux_time, pollux_seq";
  std::string order = "pollux_time";
  for (size_t column : relation.key_columns) {
    const bool text = (*relation.definition.schema)[column].type == AttributeType::kString;
    absl::StrAppend(&order, ", ", relation.columns[column], text ? " COLLATE \"C\"" : "",
                    " NULLS FIRST");
  }
  return order;
}

}  // namespace pollux::postgres
