#include "engine/types/value.h"

#include "engine/base/number_text.h"
#include "engine/types/object_value.h"

namespace pollux {

std::string to_text(const Value& value) {
  struct Writer {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(int32_t number) const { return std::to_string(number); }
    std::string operator()(int64_t number) const { return std::to_string(number); }
    std::string operator()(float number) const { return number_text(number); }
    std::string operator()(double number) const { return number_text(number); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(const ObjectValue& object) const { return object_text(object.bytes); }
  };
  return std::visit(Writer{}, value);
}

}  // namespace pollux
