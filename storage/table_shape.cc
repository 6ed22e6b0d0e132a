#include "storage/table_shape.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "engine/types/value_type.h"
#include "storage/refused_rows.h"

namespace pollux {
namespace {

absl::Status unfit_rows(const TableShape& shape, const std::string& fault) {
  return absl::InvalidArgumentError("cannot write table " + shape.definition.name + ": " + fault);
}

absl::Status unfit_key(const TableShape& shape, const std::string& fault) {
  return absl::InvalidArgumentError("cannot look up a row of table " + shape.definition.name +
                                    ": " + fault);
}

}  // namespace

TableShape::TableShape(TableDefinition wanted)
    : definition(std::move(wanted)),
      key_columns(key_columns_of(definition)),
      time_column(record_time_column(*definition.schema)) {}

int64_t TableShape::time_of(const EventBatch& batch, uint32_t row) const {
  if (time_column && !batch.column(*time_column).is_null(row)) {
    return batch.column(*time_column).data<int64_t>()[row];
  }
  return batch.timestamps()[row];
}

int64_t TableShape::horizon_ms(Timestamp now) const {
  constexpr int64_t kEver = std::numeric_limits<int64_t>::min();
  if (definition.retention_ms == 0) return kEver;
  return now.ms < kEver + definition.retention_ms ? kEver : now.ms - definition.retention_ms;
}

std::string text_of(const RowId& id) {
  return std::to_string(id.entry.epoch.value) + "." + std::to_string(id.entry.position.value) +
         "." + std::to_string(id.ordinal);
}

size_t text_bytes(const EventBatch& batch, uint32_t row, std::span<const size_t> columns) {
  size_t bytes = 0;
  for (size_t c : columns) {
    const Column& column = batch.column(c);
    if (column.type() != AttributeType::kString || column.is_null(row)) continue;
    bytes += column.data<StringRef>()[row].size();
  }
  return bytes;
}

absl::Status check_rows(const TableShape& shape, std::span<const Rows> rows) {
  if (shape.definition.name == kRefusedRowsTable) {
    return unfit_rows(shape, "only rows that the store refuses come there, by themselves");
  }
  std::map<std::string_view, RowId> last;
  for (const Rows& some : rows) {
    if (some.source.empty() || some.source.size() > kSourceBytesMax) {
      return unfit_rows(shape, "a source's name has 1 to " + std::to_string(kSourceBytesMax) +
                                   " bytes, not " + std::to_string(some.source.size()));
    }
    if (some.batch == nullptr || some.ordinals.size() != some.batch->rows()) {
      return unfit_rows(shape, "each row needs one ordinal");
    }
    if (!some.erased.empty() && some.erased.size() != some.ordinals.size()) {
      return unfit_rows(shape, "each row needs one mark that says whether it is taken away");
    }
    if (!shape.has_key() && std::ranges::any_of(some.erased, [](uint8_t mark) { return mark; })) {
      return unfit_rows(shape, "it has no primary key, so no row can be taken away from it");
    }
    if (!some.batch->schema().same_attributes(*shape.definition.schema)) {
      return unfit_rows(shape, "the rows of " + std::string(some.source) +
                                   " have other columns than the table; open the table with their "
                                   "definition first");
    }
    for (uint32_t ordinal : some.ordinals) {
      const RowId id{some.entry, ordinal};
      auto [known, first] = last.try_emplace(some.source, id);
      if (!first && id <= known->second) {
        return unfit_rows(shape, "ids of " + std::string(some.source) + " must grow, and " +
                                     text_of(id) + " comes behind " + text_of(known->second));
      }
      known->second = id;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<EventBatch> check_key(const TableShape& shape, std::span<const Value> values) {
  const std::vector<std::string>& names = shape.definition.primary_key;
  if (names.empty()) return unfit_key(shape, "it has no primary key; scan a range of time instead");
  if (values.size() != names.size()) {
    return unfit_key(shape, "its primary key has " + std::to_string(names.size()) +
                                " columns, not " + std::to_string(values.size()));
  }
  std::vector<Attribute> columns;
  for (size_t column : shape.key_columns) columns.push_back((*shape.definition.schema)[column]);
  EventBatch key(std::make_shared<Schema>(shape.definition.name, columns));
  for (size_t i = 0; i < values.size(); ++i) {
    if (!is_null(values[i]) && !is_of_type(values[i], columns[i].type)) {
      return unfit_key(shape, "key column '" + columns[i].name + "' takes values of type " +
                                  std::string(name_of(columns[i].type)));
    }
    key.append_value(i, values[i]);
  }
  key.end_row(0);
  return key;
}

}  // namespace pollux
