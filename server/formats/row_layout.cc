#include "server/formats/row_layout.h"

#include <string>

#include "server/formats/field_text.h"
#include "server/formats/utf8.h"

namespace pollux {

namespace {

template <class T>
FieldFault parse_value(std::string_view text, Value& value) {
  T parsed{};
  FieldFault fault = parse_field(text, parsed);
  if (fault == FieldFault::kNone) value = parsed;
  return fault;
}

FieldFault parse_value(std::string_view text, AttributeType type, Value& value) {
  switch (type) {
    case AttributeType::kString:
    case AttributeType::kObject:
      value = std::string(text);
      return is_utf8(text) ? FieldFault::kNone : FieldFault::kWrongType;
    case AttributeType::kInt:
      return parse_value<int32_t>(text, value);
    case AttributeType::kLong:
      return parse_value<int64_t>(text, value);
    case AttributeType::kFloat:
      return parse_value<float>(text, value);
    case AttributeType::kDouble:
      return parse_value<double>(text, value);
    case AttributeType::kBool:
      return parse_value<bool>(text, value);
  }
  return FieldFault::kWrongType;
}

}  // namespace

std::optional<size_t> usual_timestamp_attribute(const Schema& schema) {
  for (std::string_view name : {"_timestamp", "timestamp", "ts"}) {
    std::optional<size_t> found = schema.find(name);
    if (found && schema[*found].type == AttributeType::kLong) return found;
  }
  return std::nullopt;
}

bool set_constant(RowLayout& layout, size_t attribute, std::string_view text, RowError& error) {
  const Attribute& to = (*layout.schema)[attribute];
  Value value;
  if (!text.empty()) {
    FieldFault fault = parse_value(text, to.type, value);
    if (fault != FieldFault::kNone) {
      error = field_error(fault, quoted_for_message(text), to.type);
      error.field = to.name;
      return false;
    }
  }
  layout.constants[attribute] = std::move(value);
  return true;
}

}  // namespace pollux
