// The value types of SiddhiQL and their widths in a column.
//
// Enum values are frozen: they stand in encoded batches.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pollux {

enum class AttributeType : uint8_t {
  kString = 1,
  kInt = 2,
  kLong = 3,
  kFloat = 4,
  kDouble = 5,
  kBool = 6,
  kObject = 7,
};

/// Bytes that one value takes in a column: strings and objects are 16-byte views.
constexpr uint32_t width_of(AttributeType type) {
  switch (type) {
    case AttributeType::kString:
    case AttributeType::kObject:
      return 16;
    case AttributeType::kLong:
    case AttributeType::kDouble:
      return 8;
    case AttributeType::kInt:
    case AttributeType::kFloat:
      return 4;
    case AttributeType::kBool:
      return 1;
  }
  return 0;
}

constexpr bool is_numeric(AttributeType type) {
  return type == AttributeType::kInt || type == AttributeType::kLong ||
         type == AttributeType::kFloat || type == AttributeType::kDouble;
}

/// The name as it is written in a definition ("string", "int", ...).
std::string_view name_of(AttributeType type);

/// The type named by `text`, letter case ignored; empty when there is none.
std::optional<AttributeType> attribute_type_from(std::string_view text);

}  // namespace pollux
