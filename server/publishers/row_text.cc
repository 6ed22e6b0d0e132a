#include "server/publishers/row_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "engine/expression/json_object.h"
#include "server/formats/json_text.h"

namespace pollux {
namespace {

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 32> text;
  char* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

template <class T>
void append_fractional(std::string& out, T value) {
  if (std::isfinite(value)) return append_number(out, value);
  out += std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

bool needs_quotes(const Column& column, uint32_t row) {
  switch (column.type()) {
    case AttributeType::kString:
      return true;
    case AttributeType::kFloat:
      return !std::isfinite(column.data<float>()[row]);
    case AttributeType::kDouble:
      return !std::isfinite(column.data<double>()[row]);
    default:
      return false;
  }
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  std::string quoted = json_string(text);
  out.append(quoted, 1, quoted.size() - 2);
}

void append_value_text(std::string& out, const EventBatch& batch, uint32_t row, size_t index) {
  const Column& column = batch.column(index);
  if (auto object = json_at(column, row)) {
    out += *object;
    return;
  }
  if (column.is_null(row)) {
    out += "null";
    return;
  }
  switch (column.type()) {
    case AttributeType::kObject:
      return;
    case AttributeType::kString:
      out += column.data<StringRef>()[row].view();
      return;
    case AttributeType::kInt:
      return append_number(out, column.data<int32_t>()[row]);
    case AttributeType::kLong:
      return append_number(out, column.data<int64_t>()[row]);
    case AttributeType::kFloat:
      return append_fractional(out, column.data<float>()[row]);
    case AttributeType::kDouble:
      return append_fractional(out, column.data<double>()[row]);
    case AttributeType::kBool:
      out += column.data<uint8_t>()[row] != 0 ? "true" : "false";
      return;
  }
}

void append_value_json(std::string& out, const EventBatch& batch, uint32_t row, size_t index) {
  const Column& column = batch.column(index);
  if (column.is_null(row) || !needs_quotes(column, row)) {
    return append_value_text(out, batch, row, index);
  }
  std::string text;
  append_value_text(text, batch, row, index);
  out += json_string(text);
}

void append_row_json(std::string& out, const PublishedRow& published) {
  const EventBatch& batch = *published.slice->batch;
  const Schema& schema = batch.schema();
  out += "{\"stream\":";
  out += json_string(schema.name());
  out += ",\"timestamp\":";
  append_number(out, batch.timestamps()[published.row]);
  out += ",\"id\":";
  out += json_string(result_id(*published.slice, published.row));
  out += ",\"data\":{";
  for (size_t i = 0; i < schema.size(); ++i) {
    if (i != 0) out += ',';
    out += json_string(schema[i].name);
    out += ':';
    append_value_json(out, batch, published.row, i);
  }
  out += "}}";
}

}  // namespace pollux
