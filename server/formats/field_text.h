// From a field's text to a value of an attribute's type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/types/attribute_type.h"
#include "server/formats/row_error.h"

namespace pollux {

enum class FieldFault : uint8_t { kNone, kWrongType, kOutOfRange };

// Blanks around the text and a leading '+' are allowed; a float or double may be NaN or Infinity
// in any letter case; a bool is true or false in any letter case. `value` is set for kNone only.
FieldFault parse_field(std::string_view text, int32_t& value);
FieldFault parse_field(std::string_view text, int64_t& value);
FieldFault parse_field(std::string_view text, float& value);
FieldFault parse_field(std::string_view text, double& value);
FieldFault parse_field(std::string_view text, bool& value);

/// What to say about a text that is no value of `type`; `shown` is the text, fit for a message.
RowError field_error(FieldFault fault, std::string shown, AttributeType type);

}  // namespace pollux
