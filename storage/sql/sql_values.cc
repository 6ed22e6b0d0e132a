#include "storage/sql/sql_values.h"

#include <utility>

namespace pollux::sql {
namespace {

template <class Number>
absl::StatusOr<Value> number_value(const std::string& text) {
  absl::StatusOr<Number> number = number_of<Number>(text);
  if (!number.ok()) return number.status();
  return Value(*number);
}

absl::StatusOr<Value> value_of(AttributeType type, const std::string& text) {
  switch (type) {
    case AttributeType::kString:
      return Value(text);
    case AttributeType::kInt:
      return number_value<int32_t>(text);
    case AttributeType::kLong:
      return number_value<int64_t>(text);
    case AttributeType::kFloat:
      return number_value<float>(text);
    case AttributeType::kDouble:
      return number_value<double>(text);
    case AttributeType::kBool:
      if (text == "t" || text == "1") return Value(true);
      if (text == "f" || text == "0") return Value(false);
      break;
    case AttributeType::kObject:
      break;
  }
  return absl::DataLossError("the database gave '" + text + "' for a " +
                             std::string(name_of(type)));
}

}  // namespace

absl::StatusOr<EventBatchPtr> batch_of(const std::vector<SqlRow>& rows, const SchemaPtr& schema) {
  auto batch = std::make_shared<EventBatch>(schema);
  for (const SqlRow& row : rows) {
    if (absl::Status added = append_sql_row(row, *batch); !added.ok()) return added;
  }
  return EventBatchPtr(std::move(batch));
}

absl::StatusOr<RowId> row_id_of(const SqlRow& row, size_t first) {
  auto epoch = number_of<uint64_t>(row.at(first));
  auto position = number_of<uint64_t>(row.at(first + 1));
  auto ordinal = number_of<uint32_t>(row.at(first + 2));
  if (!epoch.ok()) return epoch.status();
  if (!position.ok()) return position.status();
  if (!ordinal.ok()) return ordinal.status();
  return RowId{{{*epoch}, {*position}}, *ordinal};
}

absl::Status append_sql_row(const SqlRow& row, EventBatch& batch) {
  const Schema& schema = batch.schema();
  if (row.size() != schema.size() + 1) {
    return absl::DataLossError("the database gave a row of other columns than the table's");
  }
  for (size_t c = 0; c < schema.size(); ++c) {
    absl::StatusOr<Value> value = row[c] ? value_of(schema[c].type, *row[c]) : Value();
    if (!value.ok()) return value.status();
    batch.append_value(c, *value);
  }
  auto time = number_of<int64_t>(row.back());
  if (!time.ok()) return time.status();
  batch.end_row(*time);
  return absl::OkStatus();
}

}  // namespace pollux::sql
