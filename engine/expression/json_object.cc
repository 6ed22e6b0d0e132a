#include "engine/expression/json_object.h"

#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/base/number_text.h"
#include "engine/expression/row_function.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

using Json = simdjson::dom::element;
using JsonType = simdjson::dom::element_type;

std::optional<std::string> object_of(Json json, int depth) {
  if (depth > kObjectDepthMax) return std::nullopt;
  switch (json.type()) {
    case JsonType::NULL_VALUE:
      return encode_object({});
    case JsonType::BOOL:
      return encode_object(json.get_bool().value_unsafe());
    case JsonType::STRING:
      return encode_text_object(json.get_string().value_unsafe());
    case JsonType::INT64: {
      int64_t whole = json.get_int64().value_unsafe();
      bool fits = whole == static_cast<int32_t>(whole);
      return fits ? encode_object(static_cast<int32_t>(whole)) : encode_object(whole);
    }
    case JsonType::UINT64:
      return encode_object(static_cast<double>(json.get_uint64().value_unsafe()));
    case JsonType::DOUBLE:
      return encode_object(json.get_double().value_unsafe());
    case JsonType::ARRAY: {
      std::vector<std::string> parts;
      simdjson::dom::array array = json.get_array().value_unsafe();
      for (Json part : array) {
        std::optional<std::string> object = object_of(part, depth + 1);
        if (!object) return std::nullopt;
        parts.push_back(std::move(*object));
      }
      return make_list({parts.begin(), parts.end()});
    }
    case JsonType::OBJECT: {
      std::vector<std::pair<std::string, std::string>> members;
      simdjson::dom::object object = json.get_object().value_unsafe();
      for (auto [key, value] : object) {
        std::optional<std::string> member = object_of(value, depth + 1);
        if (!member) return std::nullopt;
        members.emplace_back(encode_text_object(key), std::move(*member));
      }
      return make_map({members.begin(), members.end()});
    }
  }
  return std::nullopt;
}

template <class T>
std::string number_json(T number) {
  return std::isfinite(number) ? number_text(number) : "null";
}

void append_json(std::string_view object, std::string& to) {
  ObjectTag tag = tag_of(object);
  if (tag == ObjectTag::kMap) {
    to += '{';
    bool first = true;
    for (auto [key, value] : pairs_of(object)) {
      if (!first) to += ',';
      first = false;
      to += json_quoted(object_text(key)) + ":";
      append_json(value, to);
    }
    to += '}';
  } else if (tag == ObjectTag::kList || tag == ObjectTag::kSet) {
    to += '[';
    bool first = true;
    for (std::string_view part : parts_of(object)) {
      if (!first) to += ',';
      first = false;
      append_json(part, to);
    }
    to += ']';
  } else if (tag == ObjectTag::kString) {
    to += json_quoted(object.substr(1));
  } else if (tag == ObjectTag::kDouble) {
    to += number_json(std::get<double>(decode_object(object)));
  } else if (tag == ObjectTag::kFloat) {
    to += number_json(std::get<float>(decode_object(object)));
  } else {
    to += object_text(object);
  }
}

}  // namespace

std::optional<std::string> parse_json(std::string_view text) {
  if (text.size() > kObjectBytesMax) return std::nullopt;
  simdjson::dom::parser parser;
  Json json;
  // The copy has the room behind it that the parser reads into.
  if (parser.parse(simdjson::padded_string(text)).get(json) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return object_of(json, 0);
}

std::string json_text(std::string_view object) {
  std::string text;
  append_json(object, text);
  return text;
}

std::string json_quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  for (char c : text) {
    auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\r') {
      quoted += "\\r";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (byte < 0x20) {
      quoted += "\\u00";
      quoted += kHex[byte >> 4];
      quoted += kHex[byte & 15];
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::optional<std::string> json_at(const Column& column, uint32_t row) {
  StringRef object;
  if (column.is_null(row)) {
    object = column.stray(row);
  } else if (column.type() == AttributeType::kObject) {
    object = column.data<StringRef>()[row];
  }
  if (object.size() == 0) return std::nullopt;
  return json_text(object.view());
}

ExpressionPtr parsed_json(ExpressionPtr argument) {
  if (argument->type() == AttributeType::kObject) return argument;
  return make_row_function(AttributeType::kObject, {std::move(argument)},
                           [](const RowArguments& in, RowResult& out) {
                             if (!in.is_null(0)) out.put_made(parse_json(in.text(0)));
                           });
}

}  // namespace pollux
