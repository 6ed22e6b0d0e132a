// One value on its own: for tools, tests and constants. The engine's paths work on columns.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <variant>

#include "engine/types/attribute_type.h"

namespace pollux {

/// A list, a set or a map, as engine/types/object_value.h encodes it.
struct ObjectValue {
  std::string bytes;
  friend auto operator<=>(const ObjectValue&, const ObjectValue&) = default;
};

/// Null, or a value of one of the types. A value of type object is the plain value that it holds,
/// or an ObjectValue.
using Value =
    std::variant<std::monostate, bool, int32_t, int64_t, float, double, std::string, ObjectValue>;

inline bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }

/// The value as text the way SiddhiQL's string conversions write it ("true", "1", "1.0", "null").
std::string to_text(const Value& value);

}  // namespace pollux
