#include "tests/conformance/answers.h"

#include <cmath>

#include "tests/conformance/observed.h"

namespace pollux::conformance {
namespace {

template <class Wrong>
void judge_rows(const CaseValues& values, Json expected, Json wanted, const std::vector<Row>& rows,
                Wrong&& wrong) {
  JsonArray all = JsonArray(wanted);
  if (all.size() != rows.size()) throw wrong(wanted);
  auto order = find(expected, "ordered");
  bool ordered = order && order->get_bool().value();
  for (size_t i = 0; i < rows.size(); ++i) {
    bool found = false;
    size_t j = 0;
    for (Json each : all) {
      bool here = !ordered || j++ == i;
      found = found || (here && values.row_equals(rows[i], each));
    }
    if (!found) throw wrong(wanted);
  }
}

template <class Wrong>
void judge_field(const CaseValues& values, Json each, const std::vector<Row>& rows, Wrong&& wrong) {
  auto row = static_cast<size_t>(whole_number(each["row"]));
  auto field = static_cast<size_t>(whole_number(each["field"]));
  if (row >= rows.size() || field >= rows[row].size()) throw wrong(each);
  const Value& actual = rows[row][field];
  if (auto near = find(each, "near")) {
    double distance = as_double(actual) - as_double(values.operand(*near, {}));
    if (std::abs(distance) > number(each["delta"])) throw wrong(each);
    return;
  }
  Json value = each["value"];
  bool numeric = find(each, "numeric").has_value() && is_number(actual);
  bool same = numeric ? as_double(actual) == as_double(values.operand(value, {}))
                      : values.same(actual, values.value(value));
  if (!same) throw wrong(each);
}

}  // namespace

void judge_answer(const CaseValues& values, Json expected, const std::vector<Row>& rows,
                  const std::string& query) {
  std::string got;
  for (const Row& row : rows) got += " " + shown(row);
  auto wrong = [&](Json what) {
    return Failure{query + ": got" + got + ", expected " + simdjson::minify(what)};
  };
  auto none = find(expected, "null");
  if (none && none->get_bool().value() != rows.empty()) throw wrong(expected);
  auto count = find(expected, "count");
  if (count && static_cast<size_t>(whole_number(*count)) != rows.size()) throw wrong(expected);
  if (auto wanted = find(expected, "rows")) judge_rows(values, expected, *wanted, rows, wrong);
  if (auto fields = find(expected, "fields")) {
    for (Json each : JsonArray(*fields)) judge_field(values, each, rows, wrong);
  }
  for (const char* key : {"row_at", "row_len"}) {
    auto all = find(expected, key);
    if (!all) continue;
    for (Json each : JsonArray(*all)) {
      auto index = static_cast<size_t>(whole_number(each["row"]));
      if (index >= rows.size()) throw wrong(each);
      Json value = each["value"];
      bool same = value.is_array() ? values.row_equals(rows[index], value)
                                   : static_cast<size_t>(whole_number(value)) == rows[index].size();
      if (!same) throw wrong(each);
    }
  }
  if (auto checks = find(expected, "count_checks")) {
    for (Json check : JsonArray(*checks)) {
      auto got_rows = static_cast<int64_t>(rows.size());
      JsonArray parts(check);
      if (!compares(text(parts.at(0)), got_rows, whole_number(parts.at(1)))) throw wrong(check);
    }
  }
}

}  // namespace pollux::conformance
