// JSON as objects and back: objects are maps with strings as keys, arrays are lists.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/expression/expression.h"

namespace pollux {

/// A whole number is an int, or a long where an int is too small; other numbers are doubles. Empty
/// when the text is no JSON (RFC 8259), or too large or too deep for an object.
std::optional<std::string> parse_json(std::string_view text);

/// Sets are written as arrays, and keys of maps as strings; NaN and the infinities as null.
std::string json_text(std::string_view object);
/// A JSON string with its quotes.
std::string json_quoted(std::string_view text);

/// The JSON of a value that is an object: in a column of objects, or a stray in any. Empty for
/// other values.
std::optional<std::string> json_at(const Column& column, uint32_t row);

/// The values of an argument of type string or object, strings read as JSON (null where they are
/// none).
ExpressionPtr parsed_json(ExpressionPtr argument);

}  // namespace pollux
