#include "server/formats/decoded_row.h"

#include <type_traits>
#include <variant>

#include "engine/base/check.h"
#include "engine/types/object_value.h"

namespace pollux {

DecodedRow::DecodedRow(const RowLayout& layout) : layout_(layout), cells_(layout.schema->size()) {
  for (size_t i = 0; i < cells_.size(); ++i) {
    if (layout.constants[i]) set_value(i, *layout.constants[i]);
  }
  initial_ = cells_;
}

void DecodedRow::set_value(size_t attribute, const Value& value) {
  if ((*layout_.schema)[attribute].type == AttributeType::kObject && !is_null(value)) {
    return set_object(attribute, encode_object(value));
  }
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          set_null(attribute);
        } else if constexpr (std::is_same_v<T, std::string>) {
          set_text(attribute, v);
        } else if constexpr (std::is_same_v<T, ObjectValue>) {
          POLLUX_CHECK(false);  // only for attributes of type object
        } else if constexpr (std::is_same_v<T, double>) {
          set_double(attribute, v);
        } else if constexpr (std::is_same_v<T, float>) {
          set_float(attribute, v);
        } else {
          set_int(attribute, static_cast<int64_t>(v));
        }
      },
      value);
}

FieldFault DecodedRow::parse(size_t attribute, std::string_view text) {
  auto parse_as = [&]<class T>(T value, auto set) {
    FieldFault fault = parse_field(text, value);
    if (fault == FieldFault::kNone) set(value);
    return fault;
  };
  switch ((*layout_.schema)[attribute].type) {
    case AttributeType::kString:
      set_text(attribute, text);
      return FieldFault::kNone;
    case AttributeType::kInt:
      return parse_as(int32_t{}, [&](int32_t value) { set_int(attribute, value); });
    case AttributeType::kLong:
      return parse_as(int64_t{}, [&](int64_t value) { set_int(attribute, value); });
    case AttributeType::kFloat:
      return parse_as(float{}, [&](float value) { set_float(attribute, value); });
    case AttributeType::kDouble:
      return parse_as(double{}, [&](double value) { set_double(attribute, value); });
    case AttributeType::kBool:
      return parse_as(bool{}, [&](bool value) { set_bool(attribute, value); });
    case AttributeType::kObject:
      set_object(attribute, encode_text_object(text));
      return FieldFault::kNone;
  }
  return FieldFault::kWrongType;
}

std::optional<size_t> DecodedRow::first_missing() const {
  for (size_t i = 0; i < cells_.size(); ++i) {
    if (!cells_[i].present) return i;
  }
  return std::nullopt;
}

bool DecodedRow::timestamp(std::optional<int64_t> outer_ms, uint64_t row, int64_t& ms,
                           RowError& error) const {
  std::string_view field;
  if (outer_ms && !layout_.timestamp_named) {
    ms = *outer_ms;
    field = "timestamp";
  } else if (layout_.timestamp_attribute) {
    size_t attribute = *layout_.timestamp_attribute;
    field = (*layout_.schema)[attribute].name;
    if (cells_[attribute].null) {
      error = {RowErrorKind::kBadTimestamp, 0, std::string(field),
               "the event's time is null; expected milliseconds since 1970"};
      return false;
    }
    ms = cells_[attribute].number.integer;
  } else {
    ms = static_cast<int64_t>(row);
  }
  if (ms >= 0 && ms <= kTimestampMsMax) return true;
  error = {RowErrorKind::kBadTimestamp, 0, std::string(field),
           std::to_string(ms) +
               " is no time in the years 1970 to 9999; expected milliseconds since 1970"};
  return false;
}

void DecodedRow::append_to(EventBatch& batch, int64_t timestamp_ms) const {
  const Schema& schema = *layout_.schema;
  for (size_t i = 0; i < cells_.size(); ++i) {
    const Cell& cell = cells_[i];
    POLLUX_CHECK(cell.present);
    Column& column = batch.column(i);
    if (cell.null) {
      column.append_null();
      continue;
    }
    switch (schema[i].type) {
      case AttributeType::kString:
      case AttributeType::kObject:
        batch.append_string(i, cell.text);
        break;
      case AttributeType::kInt:
        column.append(static_cast<int32_t>(cell.number.integer));
        break;
      case AttributeType::kLong:
        column.append(cell.number.integer);
        break;
      case AttributeType::kFloat:
        column.append(cell.number.float32);
        break;
      case AttributeType::kDouble:
        column.append(cell.number.float64);
        break;
      case AttributeType::kBool:
        column.append(static_cast<uint8_t>(cell.number.integer));
        break;
    }
  }
  batch.end_row(timestamp_ms);
}

}  // namespace pollux
