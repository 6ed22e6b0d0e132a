#include "tests/conformance/observed.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace pollux::conformance {

bool compares(const std::string& op, int64_t left, int64_t right) {
  if (op == "==") return left == right;
  if (op == "!=") return left != right;
  if (op == "<") return left < right;
  if (op == "<=") return left <= right;
  if (op == ">") return left > right;
  if (op == ">=") return left >= right;
  throw Unsupported{"a comparison of an unknown kind: " + op};
}
namespace {

std::string all_rows(const Callback& callback) {
  std::string all;
  for (const Row& row : callback.in) all += " " + shown(row);
  all += " removed";
  for (const Row& row : callback.removed) all += " " + shown(row);
  return all;
}

template <class T>
std::vector<T> behind(const std::vector<T>& all, size_t first) {
  return {all.begin() + static_cast<std::ptrdiff_t>(std::min(first, all.size())), all.end()};
}

}  // namespace

size_t Observed::add(Callback callback) {
  callbacks_.push_back(std::move(callback));
  return callbacks_.size() - 1;
}

void Observed::subscribe(size_t callback, Callback::Target target) {
  callbacks_.at(callback).targets.push_back(std::move(target));
}

void Observed::take(int64_t runtime, const Delivery& delivery) {
  for (Callback& callback : callbacks_) {
    if (callback.query != delivery.query) continue;
    for (const Callback::Target& target : callback.targets) {
      if (target.runtime != runtime || target.name != delivery.target) continue;
      Callback::Call call;
      for (const Delivery::Event& event : delivery.events) {
        bool removed = callback.query && event.expired;
        (removed ? callback.removed : callback.in).push_back(event.row);
        ++(removed ? call.removed : call.in);
      }
      callback.calls.push_back(call);
    }
  }
}

const Callback* Observed::before(Json term) const {
  auto since = find(term, "since");
  if (!since) return nullptr;
  return &marks_.at(text(*since)).at(static_cast<size_t>(whole_number(term["cb"])));
}

std::vector<Row> Observed::rows(Json term) const {
  const Callback& all = callbacks_.at(static_cast<size_t>(whole_number(term["cb"])));
  const Callback* earlier = before(term);
  std::vector<Row> in = behind(all.in, earlier != nullptr ? earlier->in.size() : 0);
  std::vector<Row> removed = behind(all.removed, earlier != nullptr ? earlier->removed.size() : 0);
  std::string of = text(term["of"]);
  if (of == "removed") return removed;
  if (of == "all") in.insert(in.end(), removed.begin(), removed.end());
  return in;
}

std::vector<Callback::Call> Observed::calls(Json term) const {
  const Callback& all = callbacks_.at(static_cast<size_t>(whole_number(term["cb"])));
  const Callback* earlier = before(term);
  return behind(all.calls, earlier != nullptr ? earlier->calls.size() : 0);
}

int64_t Observed::count(Json term) const {
  std::string of = text(term["of"]);
  if (of == "in" || of == "removed" || of == "all") {
    auto where = find(term, "where");
    auto counts = [&](const Row& row) { return !where || is_true(values_.evaluate(*where, row)); };
    const std::vector<Row> all = rows(term);
    return std::count_if(all.begin(), all.end(), counts);
  }
  using Call = Callback::Call;
  static const std::map<std::string, std::function<bool(const Call&)>> kCalls = {
      {"calls", [](const Call&) { return true; }},
      {"in_calls", [](const Call& call) { return call.in > 0; }},
      {"removed_calls", [](const Call& call) { return call.removed > 0; }},
      {"in_and_removed_calls", [](const Call& call) { return call.in > 0 && call.removed > 0; }},
      {"in_without_removed", [](const Call& call) { return call.in > 0 && call.removed == 0; }}};
  if (of == "removed_with_in" || of == "removed_without_in") {  // events, by what came with them
    int64_t removed = 0;
    for (const Call& call : calls(term)) {
      if ((call.in > 0) == (of == "removed_with_in")) removed += static_cast<int64_t>(call.removed);
    }
    return removed;
  }
  auto found = kCalls.find(of);
  if (found == kCalls.end()) throw Unsupported{"a count of an unknown kind: " + of};
  const std::vector<Call> all = calls(term);
  return std::count_if(all.begin(), all.end(), found->second);
}

bool Observed::holds_last(Json check, Json last) const {
  std::vector<Row> all = rows(last);
  if (all.empty()) return false;
  const Value& actual = all.back().at(static_cast<size_t>(whole_number(last["field"])));
  Value wanted = values_.operand(check["value"], {});
  if (auto delta = find(check, "delta")) {
    return std::abs(as_double(actual) - as_double(wanted)) <= number(*delta);
  }
  if (is_number(actual) && is_number(wanted)) return as_double(actual) == as_double(wanted);
  return values_.same(actual, wanted);
}

bool Observed::holds_rows(Json check, Json expected) const {
  Json of = check["of"];
  std::vector<Row> actual = rows(of);
  if (auto to = find(of, "to")) {
    actual.resize(std::min(actual.size(), static_cast<size_t>(whole_number(*to))));
  }
  if (auto from = find(of, "from")) {
    actual = behind(actual, static_cast<size_t>(whole_number(*from)));
  }
  JsonArray wanted = JsonArray(expected);
  if (wanted.size() != actual.size()) return false;
  bool ordered = check["ordered"].get_bool().value();
  for (size_t i = 0; i < actual.size(); ++i) {
    bool found = false;
    size_t j = 0;
    for (Json each : wanted) {
      bool here = !ordered || j++ == i;
      found = found || (here && values_.row_equals(actual[i], each));
    }
    if (!found) return false;
  }
  return true;
}

bool Observed::holds(Json check) const {
  if (auto any = find(check, "any")) {
    JsonArray each = JsonArray(*any);
    return std::any_of(each.begin(), each.end(), [this](Json one) { return holds(one); });
  }
  if (auto sum = find(check, "sum")) {
    int64_t total = 0;
    for (Json term : JsonArray(*sum)) {
      auto factor = find(term, "coef");
      total += count(term) * (factor ? whole_number(*factor) : 1);
    }
    int64_t value = whole_number(check["value"]);
    return compares(text(check["op"]), total, value);
  }
  if (auto last = find(check, "last")) return holds_last(check, *last);
  if (auto expected = find(check, "rows")) return holds_rows(check, *expected);
  throw Unsupported{"a check of an unknown kind: " + simdjson::minify(check)};
}

void Observed::judge_fact(Json fact, const Row& row, const std::string& where) const {
  auto wrong = [&] {
    return Failure{where + ": got " + shown(row) + ", expected " + simdjson::minify(fact)};
  };
  if (fact.is_null()) return;
  if (fact.is_array()) {
    if (!values_.row_equals(row, fact)) throw wrong();
    return;
  }
  if (auto whole = find(fact, "row"); whole && !values_.row_equals(row, *whole)) throw wrong();
  auto length = find(fact, "length");
  if (length && static_cast<size_t>(whole_number(*length)) != row.size()) throw wrong();
  auto each = [&](const char* kind, const std::function<bool(const Value&, Json)>& good) {
    auto fields = find(fact, kind);
    if (!fields) return;
    for (auto [key, wanted] : JsonObject(*fields)) {
      auto index = static_cast<size_t>(std::stoul(std::string(key)));
      if (index >= row.size() || !good(row[index], wanted)) throw wrong();
    }
  };
  each("fields", [&](const Value& actual, Json wanted) {
    return values_.same(actual, values_.value(wanted));
  });
  each("numeric", [&](const Value& actual, Json wanted) {
    return is_number(actual) && as_double(actual) == as_double(values_.operand(wanted, {}));
  });
  each("near", [&](const Value& actual, Json wanted) {
    return is_number(actual) &&
           std::abs(as_double(actual) - as_double(values_.operand(wanted["value"], {}))) <=
               number(wanted["delta"]);
  });
  if (auto where_all = find(fact, "where")) {
    for (Json predicate : JsonArray(*where_all)) {
      if (!is_true(values_.evaluate(predicate, row))) throw wrong();
    }
  }
}

void Observed::judge_list(Json expected, const char* key, const std::vector<Row>& rows,
                          const std::string& where) const {
  auto facts = find(expected, key);
  if (!facts) return;
  size_t i = 0;
  for (Json fact : JsonArray(*facts)) {
    if (i < rows.size()) judge_fact(fact, rows[i], where + " " + key + " " + std::to_string(i));
    ++i;
  }
}

void Observed::judge_callback(Json expected, const Callback& actual) const {
  std::string where = actual.targets.empty() ? "a callback" : actual.targets[0].name;
  auto same_count = [&](const char* key, size_t count) {
    auto wanted = find(expected, key);
    if (!wanted || static_cast<size_t>(whole_number(*wanted)) == count) return;
    throw Failure{where + " " + key + ": got " + std::to_string(count) + ", expected " +
                  simdjson::minify(*wanted) + ":" + all_rows(actual)};
  };
  same_count("in_count", actual.in.size());
  same_count("removed_count", actual.removed.size());
  judge_list(expected, "events", actual.in, where);
  judge_list(expected, "removed_events", actual.removed, where);
  bool single = true;
  std::vector<size_t> chunks;
  for (const Callback::Call& call : actual.calls) {
    single = single && call.in <= 1;
    if (call.in > 0) chunks.push_back(call.in);
  }
  if (single) judge_list(expected, "events_if_single", actual.in, where);
  if (chunks.size() == 1) judge_list(expected, "events_if_one_chunk", actual.in, where);
  if (auto sizes = find(expected, "in_chunks")) {
    std::vector<size_t> wanted;
    for (Json size : JsonArray(*sizes)) wanted.push_back(static_cast<size_t>(whole_number(size)));
    if (wanted != chunks) throw Failure{where + ": chunks of other sizes:" + all_rows(actual)};
  }
}

void Observed::judge(Json expect) const {
  size_t index = 0;
  for (Json expected : JsonArray(expect["callbacks"])) {
    judge_callback(expected, callbacks_.at(index++));
  }
}

}  // namespace pollux::conformance
