// One value on its own: for tools, tests and constants. The engine's paths work on columns.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "engine/types/attribute_type.h"

namespace pollux {

/// Null, or a value of one of the types (objects have no literal form).
using Value = std::variant<std::monostate, bool, int32_t, int64_t, float, double, std::string>;

inline bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }

/// The value as text the way SiddhiQL's string conversions write it ("true", "1", "1.0", "null").
std::string to_text(const Value& value);

}  // namespace pollux
