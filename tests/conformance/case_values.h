// JSON of language cases as values, and the predicates over rows that their checks use.
#pragma once

#include <simdjson.h>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tests/conformance/subject.h"

namespace pollux::conformance {

using Json = simdjson::dom::element;
using JsonObject = simdjson::dom::object;
using JsonArray = simdjson::dom::array;

/// The member; empty when it is missing or null.
std::optional<Json> find(Json json, std::string_view key);
std::string text(Json json);
int64_t whole_number(Json json);
/// A number, or "nan", "inf", "-inf".
double number(Json json);

std::string shown(const Row& row);
bool is_number(const Value& value);
double as_double(const Value& value);
bool is_true(const Value& value);
/// Equal type and value; two NaN are equal.
bool same_value(const Value& left, const Value& right);

class CaseValues {
 public:
  /// From here on a number equals one of another type, and a text what is written like it.
  void ignore_types() { types_matter_ = false; }
  bool same(const Value& left, const Value& right) const;

  void set_clock(const std::string& name, int64_t now_ms) { clocks_[name] = now_ms; }

  /// Throws Unsupported for values that SiddhiQL has no literal for.
  Value value(Json json) const;
  /// A value where a predicate may stand as well.
  Value operand(Json json, const Row& row) const;
  /// A PRED of the cases' format over a row.
  Value evaluate(Json predicate, const Row& row) const;
  bool row_equals(const Row& actual, Json expected) const;

 private:
  Value apply(const std::string& op, const std::vector<Value>& values) const;

  std::map<std::string, int64_t> clocks_;
  bool types_matter_ = true;
};

}  // namespace pollux::conformance
