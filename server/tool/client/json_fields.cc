#include "server/tool/client/json_fields.h"

#include "server/tool/text_format.h"

namespace pollux::tool {

namespace {

using simdjson::dom::element;

}  // namespace

std::string text_at(const element& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

uint64_t number_at(const element& object, std::string_view key) {
  uint64_t number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? number : 0;
}

bool flag_at(const element& object, std::string_view key) {
  bool flag = false;
  return object[key].get(flag) == simdjson::SUCCESS && flag;
}

std::vector<element> list_at(const element& object, std::string_view key) {
  simdjson::dom::array array;
  if (object[key].get(array) != simdjson::SUCCESS) return {};
  return {array.begin(), array.end()};
}

std::string joined_texts_at(const element& object, std::string_view key) {
  std::string joined;
  for (const element& item : list_at(object, key)) {
    if (!joined.empty()) joined += ", ";
    joined += cell_text(item);
  }
  return joined;
}

std::string cell_text(const element& value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return printable(text);
  return simdjson::minify(value);
}

}  // namespace pollux::tool
