#include "storage/rocks/table.h"

#include "storage/rocks/key_codec.h"

namespace pollux::rocks {
namespace {

bool is_of(AttributeType type, const Value& value) {
  switch (type) {
    case AttributeType::kString:
      return std::holds_alternative<std::string>(value);
    case AttributeType::kInt:
      return std::holds_alternative<int32_t>(value);
    case AttributeType::kLong:
      return std::holds_alternative<int64_t>(value);
    case AttributeType::kFloat:
      return std::holds_alternative<float>(value);
    case AttributeType::kDouble:
      return std::holds_alternative<double>(value);
    case AttributeType::kBool:
      return std::holds_alternative<bool>(value);
    case AttributeType::kObject:
      return false;
  }
  return false;
}

absl::Status unfit(const TableLayout& layout, const std::string& fault) {
  return absl::InvalidArgumentError("cannot look up a row of table " + layout.definition.name +
                                    ": " + fault);
}

}  // namespace

absl::StatusOr<std::string> encode_primary_key(const TableLayout& layout,
                                               std::span<const Value> values) {
  const std::vector<std::string>& names = layout.definition.primary_key;
  if (names.empty()) return unfit(layout, "it has no primary key; scan a range of time instead");
  if (values.size() != names.size()) {
    return unfit(layout, "its primary key has " + std::to_string(names.size()) + " columns, not " +
                             std::to_string(values.size()));
  }
  std::vector<Attribute> columns;
  for (size_t column : layout.key_columns) columns.push_back((*layout.definition.schema)[column]);
  EventBatch row(std::make_shared<Schema>(layout.definition.name, columns));
  std::string key = key_of(Kind::kRow, layout.table);
  for (size_t i = 0; i < values.size(); ++i) {
    if (!is_null(values[i]) && !is_of(columns[i].type, values[i])) {
      return unfit(layout, "key column '" + columns[i].name + "' takes values of type " +
                               std::string(name_of(columns[i].type)));
    }
    row.append_value(i, values[i]);
    append_ordered(key, row.column(i), 0);
  }
  return key;
}

absl::StatusOr<Counters> read_counters(const Database& database, const TableLayout& layout) {
  const std::string what = "the counters of table " + layout.definition.name;
  auto stored = database.get(key_of(Kind::kCounters, layout.table), "read " + what);
  if (!stored.ok()) return stored.status();
  std::optional<Counters> counters;
  if (stored->has_value()) counters = decode_counters(**stored);
  if (!counters) return database.damaged(what);
  return *counters;
}

}  // namespace pollux::rocks
