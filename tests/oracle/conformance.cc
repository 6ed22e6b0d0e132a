#include "tests/oracle/conformance.h"

#include <simdjson.h>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "tests/oracle/expression.h"
#include "tests/oracle/oracle.h"

namespace pollux::oracle {

namespace {

using Json = simdjson::dom::element;
using JsonObject = simdjson::dom::object;
using JsonArray = simdjson::dom::array;

struct Skip {
  std::string why;
};
struct Failure {
  std::string why;
};

std::optional<Json> find(Json json, std::string_view key) {
  Json found;
  if (!json.is_object() || json[key].get(found) != simdjson::SUCCESS) return std::nullopt;
  if (found.is_null()) return std::nullopt;
  return found;
}

std::string text(Json json) { return std::string(std::string_view(json)); }

double number(Json json) {
  double value = 0;
  if (json.get(value) != simdjson::SUCCESS) throw Skip{"a number is expected"};
  return value;
}

double special_number(Json json) {
  if (!json.is_string()) return number(json);
  std::string name = text(json);
  if (name == "nan") return std::nan("");
  return name == "inf" ? INFINITY : -INFINITY;
}

std::string text(const Row& row) {
  std::string all = "[";
  for (const Value& value : row) all += (all.size() > 1 ? ", " : "") + java_text(value);
  return all + "]";
}

// What one callback has seen.
struct Callback {
  std::string target;
  bool query = false;
  std::vector<Row> in, removed;
  struct Call {
    size_t in, removed;
  };
  std::vector<Call> calls;
};

class Runner {
 public:
  explicit Runner(Json json) : json_(json) {}

  void run() {
    check_supported();
    oracle_ = std::make_unique<Oracle>(text(json_["app"]));
    bool must_fail = json_["expect"]["error"].get_bool().value();
    if (oracle_->syntax_error()) {
      if (must_fail) return;
      throw Failure{"does not parse: " + oracle_->error()};
    }
    if (must_fail) {
      if (oracle_->error().empty())
        throw Skip{"an error is expected that the oracle does not tell"};
      return;
    }
    if (!oracle_->error().empty()) throw Skip{oracle_->error()};
    oracle_->record_deliveries(true);
    for (Json callback : JsonArray(json_["expect"]["callbacks"])) {
      if (!find(callback, "target")) throw Skip{"several subscriptions"};
      callbacks_.push_back(
          {text(callback["target"]), text(callback["kind"]) == "query", {}, {}, {}});
    }
    playback_ = json_["playback"].get_bool().value();
    if (!playback_) oracle_->advance(now_);
    for (Json step : JsonArray(json_["steps"])) take(step);
    if (!playback_) oracle_->advance(now_);
    collect();
    judge();
  }

 private:
  void check_supported() {
    if (text(json_["lifecycle"]) != "simple") throw Skip{"explicit lifecycle"};
    if (JsonArray(json_["needs"]).size() != 0) throw Skip{"needs an extension"};
    if (!find(json_, "app")) throw Skip{"several apps"};
    if (text(json_["app"]).find("idle.time") != std::string::npos) {
      throw Skip{"playback that goes on when idle"};
    }
  }

  Value value(Json json) {
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
        throw Skip{"a value of an unknown kind"};
    }
    if (auto it = find(json, "long"))
      return static_cast<int64_t>(number(*it) == 0 ? 0 : int64_t(*it));
    if (auto it = find(json, "float")) return static_cast<float>(special_number(*it));
    if (auto it = find(json, "double")) return special_number(*it);
    if (auto it = find(json, "clock")) {
      auto add = find(json, "add");
      return clocks_[text(*it)] + (add ? int64_t(*add) : 0);
    }
    throw Skip{"a value of an unknown kind"};
  }

  Event event(Json json) {
    Event event;
    for (Json each : JsonArray(json["data"])) event.data.push_back(value(each));
    event.timestamp = now_;
    if (auto stamp = find(json, "ts")) {
      int64_t time = as_long(value(*stamp));
      if (time >= 0) event.timestamp = time;
    } else if (playback_) {
      throw Skip{"playback without timestamps"};
    }
    return event;
  }

  void take(Json step) {
    if (find(step, "error")) throw Skip{"a step must fail"};
    if (auto stream = find(step, "send")) {
      std::vector<Event> events;
      if (auto batch = find(step, "events")) {
        for (Json each : JsonArray(*batch)) events.push_back(event(each));
      } else {
        events.push_back(event(step));
      }
      if (!playback_) {
        oracle_->advance(now_);
      }
      oracle_->send_chunk(text(*stream), std::move(events));
      if (!oracle_->error().empty()) throw Skip{oracle_->error()};
    } else if (auto sleep = find(step, "sleep_ms")) {
      pass(int64_t(*sleep));
    } else if (auto clock = find(step, "clock")) {
      clocks_[text(*clock)] = now_;
    } else if (auto mark = find(step, "mark")) {
      collect();
      marks_[text(*mark)] = callbacks_;
    } else if (auto check = find(step, "check")) {
      collect();
      if (!holds(*check)) throw Failure{"a check in between does not hold"};
    } else if (auto wait = find(step, "wait")) {
      if (find(step, "sleep_first")) pass(int64_t(step["poll_ms"]));
      wait_for(*wait, int64_t(step["poll_ms"]), int64_t(step["timeout_ms"]));
    } else if (step["shutdown"].error() != simdjson::SUCCESS) {
      throw Skip{"a step of an unknown kind"};
    }
  }

  void pass(int64_t ms) {
    now_ += ms;
    if (playback_) return;
    // Live time passes through every deadline.
    for (auto due = oracle_->next_deadline(); due && *due <= now_; due = oracle_->next_deadline()) {
      oracle_->advance(*due);
    }
    oracle_->advance(now_);
  }

  void wait_for(Json check, int64_t poll, int64_t timeout) {
    for (int64_t waited = 0;; waited += poll) {
      collect();
      if (holds(check) || waited >= timeout) return;
      pass(poll);
    }
  }

  void collect() {
    for (; taken_ < oracle_->deliveries().size(); ++taken_) {
      const Delivery& delivery = oracle_->deliveries()[taken_];
      for (Callback& callback : callbacks_) {
        if (callback.target != delivery.target || callback.query != delivery.query) continue;
        Callback::Call call{0, 0};
        for (const Event& event : delivery.events) {
          bool removed = callback.query && event.kind == EventKind::kExpired;
          (removed ? callback.removed : callback.in).push_back(event.data);
          ++(removed ? call.removed : call.in);
        }
        callback.calls.push_back(call);
      }
    }
  }

  // ---- checks ----

  bool equals(const Value& actual, Json expected) { return same_value(actual, value(expected)); }

  static bool is_number(const Value& value) { return value.index() >= 2 && value.index() <= 5; }

  bool row_equals(const Row& actual, Json expected) {
    JsonArray row = JsonArray(expected);
    if (row.size() != actual.size()) return false;
    size_t i = 0;
    for (Json each : row) {
      if (!equals(actual[i++], each)) return false;
    }
    return true;
  }

  Value evaluate(Json predicate, const Row& row) {
    if (auto it = find(predicate, "field")) return row.at(static_cast<size_t>(int64_t(*it)));
    Json constant;
    if (predicate["const"].get(constant) == simdjson::SUCCESS) return value(constant);
    for (auto [key, arguments] : JsonObject(predicate)) {
      std::vector<Value> values;
      std::string op(key);
      if (op == "not" || op == "tostring" || op == "abs" || op == "round") {
        values.push_back(evaluate(arguments, row));
      } else if (arguments.is_array() && op != "in" && op != "instanceof") {
        for (Json argument : JsonArray(arguments)) {
          values.push_back(argument.is_object() || op == "near" ? operand(argument, row)
                                                                : value(argument));
        }
      } else {
        throw Skip{"a predicate of an unknown kind"};
      }
      return apply(op, values);
    }
    throw Skip{"an empty predicate"};
  }

  Value operand(Json json, const Row& row) {
    if (!json.is_object()) return json.is_double() ? Value(number(json)) : value(json);
    for (const char* literal : {"long", "float", "double", "clock"}) {
      if (find(json, literal)) return value(json);
    }
    return evaluate(json, row);
  }

  static Value apply(const std::string& op, const std::vector<Value>& values) {
    using Kind = ast::Expression::Kind;
    if (op == "not") return !is_true(values[0]);
    if (op == "tostring") return java_text(values[0]);
    if (op == "&&") return is_true(values[0]) && is_true(values[1]);
    if (op == "||") return is_true(values[0]) || is_true(values[1]);
    if (op == "==") {
      if (is_number(values[0]) && is_number(values[1])) {
        return as_double(values[0]) == as_double(values[1]);
      }
      return same_value(values[0], values[1]);
    }
    if (op == "near") {
      return std::abs(as_double(values[0]) - as_double(values[1])) <= as_double(values[2]);
    }
    static const std::map<std::string, Kind> kCompare = {{"<", Kind::kLess},
                                                         {">", Kind::kGreater},
                                                         {"<=", Kind::kLessEqual},
                                                         {">=", Kind::kGreaterEqual}};
    auto found = kCompare.find(op);
    if (found == kCompare.end()) throw Skip{"a predicate of an unknown kind"};
    return compare(found->second, values[0], values[1]);
  }

  // The rows and calls of a callback that a term looks at.
  struct View {
    std::vector<Row> in, removed;
    std::vector<Callback::Call> calls;
  };

  View view(Json term) {
    const Callback& all = callbacks_.at(static_cast<size_t>(int64_t(term["cb"])));
    View view{all.in, all.removed, all.calls};
    if (auto since = find(term, "since")) {
      const Callback& before = marks_.at(text(*since)).at(static_cast<size_t>(int64_t(term["cb"])));
      view.in.erase(view.in.begin(), view.in.begin() + static_cast<long>(before.in.size()));
      view.removed.erase(view.removed.begin(),
                         view.removed.begin() + static_cast<long>(before.removed.size()));
      view.calls.erase(view.calls.begin(),
                       view.calls.begin() + static_cast<long>(before.calls.size()));
    }
    return view;
  }

  std::vector<Row> rows(Json term) {
    View all = view(term);
    std::string of = text(term["of"]);
    if (of == "removed") return all.removed;
    if (of == "both") all.in.insert(all.in.end(), all.removed.begin(), all.removed.end());
    return all.in;
  }

  int64_t count(Json term) {
    std::string of = text(term["of"]);
    if (of == "in" || of == "removed" || of == "both") {
      int64_t total = 0;
      auto where = find(term, "where");
      for (const Row& row : rows(term)) total += !where || is_true(evaluate(*where, row));
      return total;
    }
    static const std::map<std::string, std::function<bool(const Callback::Call&)>> kCalls = {
        {"calls", [](const auto&) { return true; }},
        {"in_calls", [](const auto& call) { return call.in > 0; }},
        {"removed_calls", [](const auto& call) { return call.removed > 0; }},
        {"in_and_removed_calls", [](const auto& call) { return call.in > 0 && call.removed > 0; }},
        {"removed_with_in", [](const auto& call) { return call.in > 0 && call.removed > 0; }}};
    auto found = kCalls.find(of);
    if (found == kCalls.end()) throw Skip{"a count of an unknown kind"};
    int64_t total = 0;
    for (const Callback::Call& call : view(term).calls) total += found->second(call);
    return total;
  }

  bool holds(Json check) {
    if (auto any = find(check, "any")) {
      for (Json each : JsonArray(*any)) {
        if (holds(each)) return true;
      }
      return false;
    }
    if (auto sum = find(check, "sum")) {
      int64_t total = 0;
      for (Json term : JsonArray(*sum)) {
        auto factor = find(term, "coef");
        total += count(term) * (factor ? int64_t(*factor) : 1);
      }
      Value left(total), right(static_cast<int64_t>(number(check["value"])));
      std::string op = text(check["op"]);
      if (op == "!=") return !same_value(left, right);
      return is_true(apply(op, {left, right}));
    }
    if (auto last = find(check, "last")) {
      std::vector<Row> all = rows(*last);
      if (all.empty()) return false;
      const Value& actual = all.back().at(static_cast<size_t>(int64_t((*last)["field"])));
      Value wanted = operand(check["value"], {});
      if (auto delta = find(check, "delta")) {
        return std::abs(as_double(actual) - as_double(wanted)) <= number(*delta);
      }
      return is_true(apply("==", {actual, wanted}));
    }
    if (auto expected = find(check, "rows")) return holds_rows(check, *expected);
    throw Skip{"a check of an unknown kind"};
  }

  bool holds_rows(Json check, Json expected) {
    Json of = check["of"];
    std::vector<Row> actual = rows(of);
    if (auto to = find(of, "to"))
      actual.resize(std::min<size_t>(actual.size(), size_t(int64_t(*to))));
    if (auto from = find(of, "from")) {
      actual.erase(actual.begin(),
                   actual.begin() + std::min<long>(long(int64_t(*from)), long(actual.size())));
    }
    JsonArray wanted = JsonArray(expected);
    if (wanted.size() != actual.size()) return false;
    bool ordered = check["ordered"].get_bool().value();
    size_t i = 0;
    for (const Row& row : actual) {
      bool found = false;
      size_t j = 0;
      for (Json each : wanted) {
        if (ordered && j++ != i) continue;
        found |= row_equals(row, each);
      }
      if (!found) return false;
      ++i;
    }
    return true;
  }

  // ---- the end ----

  void judge_fact(Json fact, const Row& row, const std::string& where) {
    auto wrong = [&] {
      return Failure{where + ": got " + text(row) + ", expected " + simdjson::minify(fact)};
    };
    if (fact.is_null()) return;
    if (fact.is_array()) {
      if (!row_equals(row, fact)) throw wrong();
      return;
    }
    if (auto whole = find(fact, "row"); whole && !row_equals(row, *whole)) throw wrong();
    if (auto length = find(fact, "length"); length && int64_t(*length) != int64_t(row.size())) {
      throw wrong();
    }
    auto each = [&](const char* kind, const std::function<bool(const Value&, Json)>& good) {
      auto fields = find(fact, kind);
      if (!fields) return;
      for (auto [key, wanted] : JsonObject(*fields)) {
        auto index = static_cast<size_t>(std::stoul(std::string(key)));
        if (index >= row.size() || !good(row[index], wanted)) throw wrong();
      }
    };
    each("fields", [&](const Value& actual, Json wanted) { return equals(actual, wanted); });
    each("numeric", [&](const Value& actual, Json wanted) {
      return is_number(actual) && as_double(actual) == as_double(operand(wanted, {}));
    });
    each("near", [&](const Value& actual, Json wanted) {
      return is_number(actual) &&
             std::abs(as_double(actual) - as_double(operand(wanted["value"], {}))) <=
                 number(wanted["delta"]);
    });
    if (auto where_all = find(fact, "where")) {
      for (Json predicate : JsonArray(*where_all)) {
        if (!is_true(evaluate(predicate, row))) throw wrong();
      }
    }
  }

  void judge_list(Json expected, const char* key, const std::vector<Row>& rows,
                  const std::string& where) {
    auto facts = find(expected, key);
    if (!facts) return;
    size_t i = 0;
    for (Json fact : JsonArray(*facts)) {
      if (i < rows.size()) judge_fact(fact, rows[i], where + " " + key + " " + std::to_string(i));
      ++i;
    }
  }

  void judge() {
    size_t number_of = 0;
    for (Json expected : JsonArray(json_["expect"]["callbacks"])) {
      const Callback& actual = callbacks_[number_of++];
      std::string where = actual.target;
      auto same_count = [&](const char* key, size_t count) {
        auto wanted = find(expected, key);
        if (wanted && int64_t(*wanted) != int64_t(count)) {
          std::string all;
          for (const Row& row : actual.in) all += " " + text(row);
          all += " removed";
          for (const Row& row : actual.removed) all += " " + text(row);
          throw Failure{where + " " + key + ": got " + std::to_string(count) + ", expected " +
                        std::to_string(int64_t(*wanted)) + ":" + all};
        }
      };
      same_count("in_count", actual.in.size());
      same_count("removed_count", actual.removed.size());
      judge_list(expected, "events", actual.in, where);
      judge_list(expected, "removed_events", actual.removed, where);
      bool single = true;
      std::vector<size_t> chunks;
      for (const Callback::Call& call : actual.calls) {
        single &= call.in <= 1;
        if (call.in > 0) chunks.push_back(call.in);
      }
      if (single) judge_list(expected, "events_if_single", actual.in, where);
      if (chunks.size() == 1) judge_list(expected, "events_if_one_chunk", actual.in, where);
      if (auto sizes = find(expected, "in_chunks")) {
        std::vector<size_t> wanted;
        for (Json size : JsonArray(*sizes)) wanted.push_back(static_cast<size_t>(int64_t(size)));
        if (wanted != chunks) throw Failure{where + ": other chunks"};
      }
    }
  }

  Json json_;
  std::unique_ptr<Oracle> oracle_;
  bool playback_ = false;
  int64_t now_ = 1700000000000;
  size_t taken_ = 0;
  std::vector<Callback> callbacks_;
  std::map<std::string, int64_t> clocks_;
  std::map<std::string, std::vector<Callback>> marks_;
};

}  // namespace

CaseOutcome run_case(std::string_view json_line) {
  simdjson::dom::parser parser;
  CaseOutcome outcome;
  try {
    Json json = parser.parse(simdjson::padded_string(json_line));
    outcome.id = text(json["id"]);
    Runner(json).run();
  } catch (const Skip& skip) {
    outcome.kind = CaseOutcome::Kind::kSkipped;
    outcome.why = skip.why;
  } catch (const Failure& failure) {
    outcome.kind = CaseOutcome::Kind::kFailed;
    outcome.why = failure.why;
  } catch (const simdjson::simdjson_error& error) {
    outcome.kind = CaseOutcome::Kind::kFailed;
    outcome.why = std::string("the case cannot be read: ") + error.what();
  } catch (const std::bad_variant_access&) {
    outcome.kind = CaseOutcome::Kind::kSkipped;
    outcome.why = "values of other types than the stream's";
  }
  return outcome;
}

}  // namespace pollux::oracle
