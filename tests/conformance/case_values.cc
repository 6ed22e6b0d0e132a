#include "tests/conformance/case_values.h"

#include <cmath>
#include <limits>

#include "engine/types/object_value.h"

namespace pollux::conformance {
namespace {

bool is_whole(const Value& value) {
  return std::holds_alternative<int32_t>(value) || std::holds_alternative<int64_t>(value);
}

int64_t as_whole(const Value& value) {
  if (const auto* small = std::get_if<int32_t>(&value)) return *small;
  return std::get<int64_t>(value);
}

Value arithmetic(const std::string& op, const Value& left, const Value& right) {
  if (is_whole(left) && is_whole(right)) {
    int64_t a = as_whole(left);
    int64_t b = as_whole(right);
    if (op == "+") return a + b;
    if (op == "-") return a - b;
    if (op == "*") return a * b;
    return b == 0 ? Value() : Value(a / b);
  }
  double a = as_double(left);
  double b = as_double(right);
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  return a / b;
}

/// The JSON of lists, sets and maps.
std::optional<std::string> container(const CaseValues& values, Json json) {
  std::vector<std::string> parts;
  auto add = [&](Json part) { parts.push_back(encode_object(values.value(part))); };
  auto list = find(json, "list");
  auto set = find(json, "set");
  if (list || set) {
    for (Json part : JsonArray(list ? *list : *set)) add(part);
    std::vector<std::string_view> views(parts.begin(), parts.end());
    return list ? make_list(views) : make_set(views);
  }
  auto map = find(json, "map");
  if (!map) return std::nullopt;
  for (Json pair : JsonArray(*map)) {
    add(JsonArray(pair).at(0));
    add(JsonArray(pair).at(1));
  }
  std::vector<ObjectPair> pairs;
  for (size_t i = 0; i < parts.size(); i += 2) pairs.emplace_back(parts[i], parts[i + 1]);
  return make_map(pairs);
}

bool is_instance(const Value& value, const std::string& java_class) {
  static const std::map<std::string, size_t> kIndex = {
      {"Boolean", 1}, {"Integer", 2}, {"Long", 3}, {"Float", 4}, {"Double", 5}, {"String", 6}};
  std::string name = java_class.substr(java_class.rfind('.') + 1);
  if (const auto* object = std::get_if<ObjectValue>(&value)) {
    ObjectTag tag = tag_of(object->bytes);
    if (name == "Object") return true;
    if (tag == ObjectTag::kList) return name == "List" || name == "ArrayList";
    if (tag == ObjectTag::kSet) return name == "Set" || name == "HashSet";
    return name == "Map" || name == "HashMap";
  }
  auto at = kIndex.find(name);
  if (at == kIndex.end()) throw Unsupported{"a value of class " + name};
  return value.index() == at->second;
}

}  // namespace

std::optional<Json> find(Json json, std::string_view key) {
  Json found;
  if (!json.is_object() || json[key].get(found) != simdjson::SUCCESS) return std::nullopt;
  if (found.is_null()) return std::nullopt;
  return found;
}

std::string text(Json json) { return std::string(std::string_view(json)); }

int64_t whole_number(Json json) { return int64_t(json); }

double number(Json json) {
  if (!json.is_string()) return double(json);
  std::string name = text(json);
  if (name == "nan") return std::nan("");
  return name == "inf" ? std::numeric_limits<double>::infinity()
                       : -std::numeric_limits<double>::infinity();
}

std::string shown(const Row& row) {
  std::string all = "[";
  for (const Value& value : row) all += (all.size() > 1 ? ", " : "") + to_text(value);
  return all + "]";
}

bool is_number(const Value& value) { return value.index() >= 2 && value.index() <= 5; }

double as_double(const Value& value) {
  if (is_whole(value)) return static_cast<double>(as_whole(value));
  if (const auto* narrow = std::get_if<float>(&value)) return *narrow;
  if (const auto* wide = std::get_if<double>(&value)) return *wide;
  throw Unsupported{"a number is expected, not " + to_text(value)};
}

bool is_true(const Value& value) {
  const bool* flag = std::get_if<bool>(&value);
  return flag != nullptr && *flag;
}

bool same_value(const Value& left, const Value& right) {
  if (left.index() != right.index()) return false;
  if (const auto* a = std::get_if<double>(&left); a != nullptr && std::isnan(*a)) {
    return std::isnan(std::get<double>(right));
  }
  if (const auto* a = std::get_if<float>(&left); a != nullptr && std::isnan(*a)) {
    return std::isnan(std::get<float>(right));
  }
  return left == right;
}

bool CaseValues::same(const Value& left, const Value& right) const {
  if (types_matter_) return same_value(left, right);
  if (is_number(left) && is_number(right)) return as_double(left) == as_double(right);
  return is_null(left) == is_null(right) && to_text(left) == to_text(right);
}

Value CaseValues::value(Json json) const {
  switch (json.type()) {
    case simdjson::dom::element_type::NULL_VALUE:
      return {};
    case simdjson::dom::element_type::BOOL:
      return bool(json);
    case simdjson::dom::element_type::STRING:
      return text(json);
    case simdjson::dom::element_type::INT64:
      return static_cast<int32_t>(int64_t(json));
    case simdjson::dom::element_type::OBJECT:
      break;
    default:
      throw Unsupported{"a value of an unknown kind: " + simdjson::minify(json)};
  }
  if (auto it = find(json, "long")) return whole_number(*it);
  if (auto it = find(json, "float")) return static_cast<float>(number(*it));
  if (auto it = find(json, "double")) return number(*it);
  if (auto it = find(json, "char")) return text(*it);
  if (auto it = find(json, "clock")) {
    auto add = find(json, "add");
    return clocks_.at(text(*it)) + (add ? whole_number(*add) : 0);
  }
  if (auto object = container(*this, json)) return ObjectValue{*object};
  throw Unsupported{"a value of an unknown kind: " + simdjson::minify(json)};
}

Value CaseValues::operand(Json json, const Row& row) const {
  if (!json.is_object()) return json.is_double() ? Value(double(json)) : value(json);
  for (const char* literal : {"long", "float", "double", "clock", "char", "list", "set", "map"}) {
    if (find(json, literal)) return value(json);
  }
  return evaluate(json, row);
}

Value CaseValues::evaluate(Json predicate, const Row& row) const {
  if (auto it = find(predicate, "field")) {
    auto index = static_cast<size_t>(whole_number(*it));
    if (index >= row.size()) throw Unsupported{"a field that the row does not have"};
    return row[index];
  }
  Json constant;
  if (predicate["const"].get(constant) == simdjson::SUCCESS) return value(constant);
  for (auto [key, arguments] : JsonObject(predicate)) {
    std::string op(key);
    if (op == "in") {
      Value wanted = operand(JsonArray(arguments).at(0), row);
      for (Json each : JsonArray(JsonArray(arguments).at(1))) {
        if (is_true(apply("==", {wanted, operand(each, row)}))) return true;
      }
      return false;
    }
    if (op == "instanceof") {
      return is_instance(operand(JsonArray(arguments).at(0), row),
                         text(JsonArray(arguments).at(1)));
    }
    std::vector<Value> values;
    if (arguments.is_array()) {
      for (Json argument : JsonArray(arguments)) values.push_back(operand(argument, row));
    } else {
      values.push_back(operand(arguments, row));
    }
    return apply(op, values);
  }
  throw Unsupported{"an empty predicate"};
}

Value CaseValues::apply(const std::string& op, const std::vector<Value>& values) const {
  if (op == "not") return !is_true(values.at(0));
  if (op == "tostring") return to_text(values.at(0));
  if (op == "abs") return std::abs(as_double(values.at(0)));
  if (op == "round") return std::floor(as_double(values.at(0)) + 0.5);
  if (op == "&&") return is_true(values.at(0)) && is_true(values.at(1));
  if (op == "||") return is_true(values.at(0)) || is_true(values.at(1));
  const Value& left = values.at(0);
  const Value& right = values.at(1);
  if (op == "==") {
    if (is_number(left) && is_number(right)) return as_double(left) == as_double(right);
    return same(left, right);
  }
  if (op == "near") return std::abs(as_double(left) - as_double(right)) <= as_double(values.at(2));
  if (op == "+" || op == "-" || op == "*" || op == "/") return arithmetic(op, left, right);
  double a = as_double(left);
  double b = as_double(right);
  if (op == "<") return a < b;
  if (op == ">") return a > b;
  if (op == "<=") return a <= b;
  if (op == ">=") return a >= b;
  throw Unsupported{"a predicate of an unknown kind: " + op};
}

bool CaseValues::row_equals(const Row& actual, Json expected) const {
  JsonArray row = JsonArray(expected);
  if (row.size() != actual.size()) return false;
  size_t i = 0;
  for (Json each : row) {
    if (!same(actual[i++], value(each))) return false;
  }
  return true;
}

}  // namespace pollux::conformance
