#include "storage/refused_rows.h"

#include <cmath>
#include <memory>
#include <string>

#include "engine/base/utf8.h"
#include "engine/expression/json_object.h"

namespace pollux {
namespace {

/// A text that every store takes.
std::string shown(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const size_t all = text.size();
  std::string taken;
  while (!text.empty() && taken.size() < kRefusedTextBytesMax) {
    const size_t bytes = text.front() == '\0' ? 0 : utf8_size(text);
    if (bytes == 0) {
      const auto byte = static_cast<uint8_t>(text.front());
      taken.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 15]});
    } else {
      taken += text.substr(0, bytes);
    }
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return text.empty() ? taken : taken + "... (" + std::to_string(all) + " bytes)";
}

bool is_number_of_json(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return std::isfinite(*number);
  if (const auto* number = std::get_if<float>(&value)) return std::isfinite(*number);
  return true;
}

std::string json_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return json_quoted(shown(*text));
  return is_number_of_json(value) ? to_text(value) : json_quoted(to_text(value));
}

std::string json_row(const EventBatch& batch, uint32_t row) {
  const Schema& schema = batch.schema();
  std::string json = "{";
  for (size_t c = 0; c < schema.size(); ++c) {
    const std::string column =
        json_quoted(shown(schema[c].name)) + ":" + json_of(batch.value(row, c));
    if (json.size() + column.size() > kRefusedRowBytesMax) {
      return json + "\"...\":" + std::to_string(schema.size() - c) + "}";
    }
    json += column + (c + 1 == schema.size() ? "" : ",");
  }
  return json + "}";
}

}  // namespace

TableDefinition refused_rows_definition() {
  static const auto kSchema = std::make_shared<Schema>(
      std::string(kRefusedRowsTable), std::vector<Attribute>{{"_timestamp", AttributeType::kLong},
                                                             {"table_name", AttributeType::kString},
                                                             {"source", AttributeType::kString},
                                                             {"row_id", AttributeType::kString},
                                                             {"reason", AttributeType::kString},
                                                             {"row", AttributeType::kString}});
  return {std::string(kRefusedRowsTable), kSchema, {}, 0};
}

void append_refused_row(EventBatch& to, const TableShape& shape, const Rows& rows, uint32_t row,
                        std::string_view reason) {
  const int64_t time_ms = shape.time_of(*rows.batch, row);
  to.append_value(0, time_ms);
  to.append_string(1, shape.definition.name);
  to.append_string(2, shown(rows.source));
  to.append_string(3, text_of(RowId{rows.entry, rows.ordinals[row]}));
  to.append_string(4, shown(reason));
  to.append_string(5, json_row(*rows.batch, row));
  to.end_row(time_ms);
}

}  // namespace pollux
