#include "engine/types/attribute_type.h"

#include <array>
#include <cctype>
#include <utility>

namespace pollux {
namespace {

constexpr std::array<std::pair<AttributeType, std::string_view>, 7> kNames{{
    {AttributeType::kString, "string"},
    {AttributeType::kInt, "int"},
    {AttributeType::kLong, "long"},
    {AttributeType::kFloat, "float"},
    {AttributeType::kDouble, "double"},
    {AttributeType::kBool, "bool"},
    {AttributeType::kObject, "object"},
}};

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) !=
        std::tolower(static_cast<unsigned char>(b[i]))) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string_view name_of(AttributeType type) {
  for (const auto& [known, name] : kNames) {
    if (known == type) return name;
  }
  return "unknown";
}

std::optional<AttributeType> attribute_type_from(std::string_view text) {
  for (const auto& [type, name] : kNames) {
    if (equals_ignoring_case(name, text)) return type;
  }
  return std::nullopt;
}

}  // namespace pollux
