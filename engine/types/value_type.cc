#include "engine/types/value_type.h"

#include <string>
#include <variant>

namespace pollux {

bool is_of_type(const Value& value, AttributeType type) {
  switch (type) {
    case AttributeType::kString:
      return std::holds_alternative<std::string>(value);
    case AttributeType::kInt:
      return std::holds_alternative<int32_t>(value);
    case AttributeType::kLong:
      return std::holds_alternative<int64_t>(value);
    case AttributeType::kFloat:
      return std::holds_alternative<float>(value);
    case AttributeType::kDouble:
      return std::holds_alternative<double>(value);
    case AttributeType::kBool:
      return std::holds_alternative<bool>(value);
    case AttributeType::kObject:
      return true;
  }
  return false;
}

}  // namespace pollux
