#include "server/tool/journal/object_json.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "engine/types/object_value.h"
#include "server/formats/json_text.h"
#include "server/formats/utf8.h"

namespace pollux::tool {
namespace {

using simdjson::dom::element;

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

template <class T>
std::string number_text(T value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// Of finite numbers.
template <class T>
std::string fractional_text(T value) {
  std::string text = number_text(value);
  // Without it a reader would take a whole number, and -0 for 0.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string finite_text(double value) { return fractional_text(value); }

/// The short text when a reader of doubles comes to the same float by it.
std::string finite_text(float value) {
  std::string text = fractional_text(value);
  double read = 0;
  std::from_chars(text.data(), text.data() + text.size(), read);
  return static_cast<float>(read) == value ? text : fractional_text(static_cast<double>(value));
}

template <class T>
void append_fractional(std::string& out, T value) {
  auto bits = std::bit_cast<BitsOf<T>>(value);
  if (std::isfinite(value)) {
    out += finite_text(value);
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else if (bits == std::bit_cast<BitsOf<T>>(std::numeric_limits<T>::quiet_NaN())) {
    out += "\"NaN\"";
  } else {
    char text[16];
    out += "{\"bits\":\"";
    out.append(text, std::to_chars(text, text + sizeof text, bits, 16).ptr);
    out += "\"}";
  }
}

std::string base64_of(std::string_view bytes) {
  return absl::Base64Escape(absl::string_view(bytes.data(), bytes.size()));
}

std::optional<std::string> from_base64(const element& json) {
  std::string_view text;
  std::string bytes;
  if (json.get(text) != simdjson::SUCCESS ||
      !absl::Base64Unescape(absl::string_view(text.data(), text.size()), &bytes)) {
    return std::nullopt;
  }
  return bytes;
}

/// The value in {"name": value}.
std::optional<element> only_member(const element& json, std::string_view name) {
  simdjson::dom::object object;
  if (json.get(object) != simdjson::SUCCESS || object.size() != 1) return std::nullopt;
  element member;
  if (object.at_key(name).get(member) != simdjson::SUCCESS) return std::nullopt;
  return member;
}

template <class T>
std::optional<T> from_bits(const element& json) {
  std::optional<element> member = only_member(json, "bits");
  std::string_view text;
  BitsOf<T> bits = 0;
  if (!member || member->get(text) != simdjson::SUCCESS) return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  T value = std::bit_cast<T>(bits);
  return std::isnan(value) ? std::optional(value) : std::nullopt;
}

template <class T>
std::optional<T> fractional_from(const element& json) {
  double number = 0;
  if (json.get(number) == simdjson::SUCCESS) {
    T value = static_cast<T>(number);
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
  }
  std::string_view text;
  if (json.get(text) != simdjson::SUCCESS) return from_bits<T>(json);
  if (text == "NaN") return std::numeric_limits<T>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<T>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<T>::infinity();
  return std::nullopt;
}

// ---- objects ----

std::string readable_json(std::string_view object);

std::string joined_json(const std::vector<std::string_view>& parts) {
  std::string text = "[";
  for (std::string_view part : parts) {
    if (text.size() > 1) text += ',';
    text += readable_json(part);
  }
  return text + "]";
}

std::string map_json(std::string_view map) {
  std::string text = "{\"map\":[";
  bool first = true;
  for (const auto& [key, value] : pairs_of(map)) {
    if (!first) text += ',';
    first = false;
    text += "[" + readable_json(key) + "," + readable_json(value) + "]";
  }
  return text + "]}";
}

struct ReadableJson {
  std::string_view object;

  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(int32_t number) const { return "{\"int\":" + number_text(number) + "}"; }
  std::string operator()(int64_t number) const { return "{\"long\":" + number_text(number) + "}"; }
  std::string operator()(float number) const {
    std::string text = "{\"float\":";
    append_fractional(text, number);
    return text + "}";
  }
  std::string operator()(double number) const {
    std::string text = "{\"double\":";
    append_fractional(text, number);
    return text + "}";
  }
  std::string operator()(const std::string& text) const {
    std::string json;
    append_text_json(json, text);
    return json;
  }
  std::string operator()(const ObjectValue&) const {
    ObjectTag tag = tag_of(object);
    if (tag == ObjectTag::kMap) return map_json(object);
    std::string name = tag == ObjectTag::kSet ? "{\"set\":" : "{\"list\":";
    return name + joined_json(parts_of(object)) + "}";
  }
};

std::string readable_json(std::string_view object) {
  return std::visit(ReadableJson{object}, decode_object(object));
}

std::optional<std::string> scalar_from(std::string_view name, const element& json) {
  int64_t whole = 0;
  if (name == "int" && json.get(whole) == simdjson::SUCCESS && std::in_range<int32_t>(whole)) {
    return encode_object(static_cast<int32_t>(whole));
  }
  if (name == "long" && json.get(whole) == simdjson::SUCCESS) return encode_object(whole);
  if (name == "float") {
    if (auto number = fractional_from<float>(json)) return encode_object(*number);
  }
  if (name == "double") {
    if (auto number = fractional_from<double>(json)) return encode_object(*number);
  }
  if (name == "object") {
    auto bytes = from_base64(json);
    return bytes && is_object(*bytes) ? bytes : std::nullopt;
  }
  return std::nullopt;
}

/// The objects of an array, one behind the other.
std::optional<std::vector<std::string>> objects_from(const element& json) {
  simdjson::dom::array array;
  if (json.get(array) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string> objects;
  for (const element& item : array) {
    auto object = object_from(item);
    if (!object) return std::nullopt;
    objects.push_back(*std::move(object));
  }
  return objects;
}

std::optional<std::string> map_from(const element& json) {
  simdjson::dom::array array;
  if (json.get(array) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::vector<std::string>> kept;
  std::vector<ObjectPair> pairs;
  for (const element& item : array) {
    auto pair = objects_from(item);
    if (!pair || pair->size() != 2) return std::nullopt;
    kept.push_back(*std::move(pair));
  }
  for (const auto& pair : kept) pairs.emplace_back(pair[0], pair[1]);
  return make_map(std::move(pairs));
}

std::optional<std::string> container_from(std::string_view name, const element& json) {
  if (name == "map") return map_from(json);
  auto objects = objects_from(json);
  if (!objects) return std::nullopt;
  std::vector<std::string_view> parts(objects->begin(), objects->end());
  return name == "set" ? make_set(std::move(parts)) : make_list(parts);
}

}  // namespace

void append_text_json(std::string& out, std::string_view text) {
  if (is_utf8(text)) {
    out += json_string(text);
  } else {
    out += "{\"base64\":\"" + base64_of(text) + "\"}";
  }
}

void append_float_json(std::string& out, float value) { append_fractional(out, value); }
void append_double_json(std::string& out, double value) { append_fractional(out, value); }

void append_object_json(std::string& out, std::string_view object) {
  std::string readable = readable_json(object);
  simdjson::dom::parser parser;
  element json;
  // A null object is not the null of its row.
  bool same = tag_of(object) != ObjectTag::kNull &&
              parser.parse(readable).get(json) == simdjson::SUCCESS && object_from(json) == object;
  out += same ? readable : "{\"object\":\"" + base64_of(object) + "\"}";
}

std::optional<std::string> text_from(const element& json) {
  std::string_view text;
  if (json.get(text) == simdjson::SUCCESS) return std::string(text);
  std::optional<element> member = only_member(json, "base64");
  return member ? from_base64(*member) : std::nullopt;
}

std::optional<float> float_from(const element& json) { return fractional_from<float>(json); }
std::optional<double> double_from(const element& json) { return fractional_from<double>(json); }

std::optional<std::string> object_from(const element& json) {
  bool flag = false;
  if (json.is_null()) return encode_object({});
  if (json.get(flag) == simdjson::SUCCESS) return encode_object(flag);
  if (auto text = text_from(json)) return encode_text_object(*text);
  simdjson::dom::object object;
  if (json.get(object) != simdjson::SUCCESS || object.size() != 1) return std::nullopt;
  simdjson::dom::key_value_pair member = *object.begin();
  bool container = member.key == "list" || member.key == "set" || member.key == "map";
  return container ? container_from(member.key, member.value)
                   : scalar_from(member.key, member.value);
}

}  // namespace pollux::tool
