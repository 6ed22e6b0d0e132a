// Aggregates that keep all values of the window: as a set, a list, a map, a text, sorted.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/number_order.h"
#include "engine/expression/constant_arguments.h"
#include "engine/expression/json_object.h"
#include "engine/operators/aggregator_table.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

/// Drives a state `S` with members add(value), remove(value), result(), empty() over values of type
/// string or object. A null value leaves the state alone; a result that is empty is null.
template <class S>
class Collecting final : public Aggregator {
 public:
  Collecting(AttributeType result_type, S fresh)
      : Aggregator(result_type), fresh_(std::move(fresh)) {}

  void run(const AggregateSteps& steps, Column& results) override {
    uint32_t first = results.size();
    auto* to = results.extend<StringRef>(steps.count);
    if (steps.last_seen) find_last(steps);
    for (uint32_t i = 0; i < steps.count; ++i) {
      uint32_t group = steps.groups[i];
      if (group >= states_.size()) states_.resize(group + 1, fresh_);
      S& state = states_[group];
      bool removed = steps.removes != nullptr && steps.removes[i] != 0;
      if (!steps.argument.is_null(i)) {
        std::string_view value = steps.argument.template at<StringRef>(i).view();
        if (removed) {
          state.remove(value);
        } else {
          state.add(value);
        }
      }
      to[i] = StringRef();
      bool seen = (!removed || steps.removes_seen) && (!steps.last_seen || last_[group] == i);
      if (!seen) continue;
      std::optional<std::string> result = state.result();
      if (result) to[i] = steps.texts->store(*result);
      if (!result) results.set_null(first + i);
    }
  }

  void reset(uint32_t group) override {
    if (group < states_.size()) states_[group] = fresh_;
  }
  void release(uint32_t group) override { reset(group); }
  bool is_fresh(uint32_t group) const override {
    return group >= states_.size() || states_[group].empty();
  }
  size_t state_bytes() const override {
    size_t bytes = states_.capacity() * sizeof(S);
    for (const S& state : states_) bytes += state.bytes();
    return bytes;
  }
  void archive_state(StateArchive& archive) override {
    archive.list(states_, [&](S& state) {
      if (archive.loads()) state = fresh_;
      state.archive(archive);
    });
  }

 private:
  void find_last(const AggregateSteps& steps) {
    for (uint32_t i = 0; i < steps.count; ++i) {
      if (steps.groups[i] >= last_.size()) last_.resize(steps.groups[i] + 1);
      last_[steps.groups[i]] = i;
    }
  }

  S fresh_;
  std::vector<S> states_;
  std::vector<uint32_t> last_;  ///< by group: its last step
};

/// What is loaded must be an object before anybody reads it as one.
void check_object(StateArchive& archive, std::string_view bytes) {
  if (archive.loads() && !is_object(bytes)) archive.fail();
}

constexpr size_t kNodeBytes = 64;  ///< of a map's entry, roughly

/// unionSet: how many of the sets in the window hold each element.
struct Union {
  std::map<std::string, int64_t, std::less<>> counts;
  size_t held = 0;

  void add(std::string_view set) {
    if (tag_of(set) != ObjectTag::kSet) return;
    for (std::string_view element : parts_of(set)) {
      auto [at, fresh] = counts.try_emplace(std::string(element), 0);
      if (fresh) held += element.size() + kNodeBytes;
      ++at->second;
    }
  }
  void remove(std::string_view set) {
    if (tag_of(set) != ObjectTag::kSet) return;
    for (std::string_view element : parts_of(set)) {
      auto at = counts.find(element);
      if (at == counts.end() || --at->second != 0) continue;
      held -= element.size() + kNodeBytes;
      counts.erase(at);
    }
  }
  std::optional<std::string> result() const {
    std::vector<std::string_view> elements;
    for (const auto& [element, count] : counts) elements.push_back(element);
    return make_set(std::move(elements));
  }
  bool empty() const { return counts.empty(); }
  size_t bytes() const { return held; }
  void archive(StateArchive& archive) {
    archive(counts, held);
    for (const auto& [element, count] : counts) check_object(archive, element);
    if (archive.failed()) counts.clear();
  }
};

/// Values in order of arrival, or in their own order, with or without repetitions.
struct Values {
  enum class Order : uint8_t { kArrival, kAscending, kDescending };
  enum class Form : uint8_t { kList, kText, kJsonText };

  Order order = Order::kArrival;
  Form form = Form::kList;
  bool distinct = false;
  bool merges = false;      ///< what comes are lists, whose elements are the values
  std::string enclosing;    ///< JSON: name of the object's one member; empty: none
  std::string separator{};  ///< text
  std::vector<std::string> values{};
  size_t held = 0;

  template <class F>
  void each(std::string_view given, F use) {
    if (!merges) return use(given);
    if (tag_of(given) != ObjectTag::kList) return;
    for (std::string_view part : parts_of(given)) use(part);
  }
  void add(std::string_view given) {
    each(given, [this](std::string_view value) {
      auto before = [this](std::string_view a, const std::string& b) {
        return order == Order::kAscending ? a < b : a > b;
      };
      auto at = order == Order::kArrival
                    ? values.end()
                    : std::upper_bound(values.begin(), values.end(), value, before);
      values.insert(at, std::string(value));
      held += value.size();
    });
  }
  void remove(std::string_view given) {
    each(given, [this](std::string_view value) {
      auto at = std::find(values.begin(), values.end(), value);
      if (at == values.end()) return;
      held -= value.size();
      values.erase(at);
    });
  }
  std::vector<std::string_view> shown() const {
    std::vector<std::string_view> shown;
    std::map<std::string_view, bool> seen;
    for (const std::string& value : values) {
      if (!distinct || seen.emplace(value, true).second) shown.emplace_back(value);
    }
    return shown;
  }
  std::optional<std::string> result() const {
    if (form == Form::kText) return joined();
    std::optional<std::string> list = make_list(shown());
    std::string name = encode_text_object(enclosing);
    if (list && !enclosing.empty()) list = make_map({{name, *list}});
    if (list && form == Form::kJsonText) return json_text(*list);
    return list;
  }
  std::optional<std::string> joined() const {
    std::string text;
    bool first = true;
    for (std::string_view value : shown()) {
      if (!first) text += separator;
      first = false;
      text += value;
      if (text.size() > kObjectBytesMax) return std::nullopt;
    }
    return text;
  }
  bool empty() const { return values.empty(); }
  void archive(StateArchive& archive) {
    archive(values, held);
    if (form == Form::kText) return;
    for (const std::string& value : values) check_object(archive, value);
    if (archive.failed()) values.clear();
  }
  size_t bytes() const { return values.capacity() * sizeof(std::string) + held; }
};

/// map:collect and map:merge: the values that came for each key, the last of which counts.
struct Entries {
  bool merges = false;  ///< what comes are maps; else lists of a key and a value
  std::map<std::string, std::vector<std::string>, std::less<>> entries{};
  size_t held = 0;

  std::vector<ObjectPair> pairs(std::string_view given) const {
    if (merges) return pairs_of(given);
    std::vector<std::string_view> parts = parts_of(given);
    return {{parts.at(0), parts.at(1)}};
  }
  void add(std::string_view given) {
    for (auto [key, value] : pairs(given)) {
      entries[std::string(key)].emplace_back(value);
      held += key.size() + value.size() + kNodeBytes;
    }
  }
  void remove(std::string_view given) {
    for (auto [key, value] : pairs(given)) {
      auto at = entries.find(key);
      if (at == entries.end()) continue;
      auto place = std::find(at->second.begin(), at->second.end(), value);
      if (place == at->second.end()) continue;
      held -= key.size() + value.size() + kNodeBytes;
      at->second.erase(place);
      if (at->second.empty()) entries.erase(at);
    }
  }
  std::optional<std::string> result() const {
    std::vector<ObjectPair> pairs;
    for (const auto& [key, values] : entries) pairs.emplace_back(key, values.back());
    return make_map(std::move(pairs));
  }
  bool empty() const { return entries.empty(); }
  size_t bytes() const { return held; }
  void archive(StateArchive& archive) {
    archive(entries, held);
    for (const auto& [key, values] : entries) {
      check_object(archive, key);
      if (values.empty()) archive.fail();
      for (const std::string& value : values) check_object(archive, value);
    }
    if (archive.failed()) entries.clear();
  }
};

template <class S>
MadeAggregate collecting(AttributeType result, S fresh, ExpressionPtr argument) {
  return {std::make_unique<Collecting<S>>(result, std::move(fresh)), std::move(argument)};
}

bool has_object(const AggregateCall& call, size_t count) {
  return call.arguments.size() == count && call.arguments[0]->type() == AttributeType::kObject;
}

AggregateResult make_union(AggregateCall call) {
  if (!has_object(call, 1)) return std::string("one object that is a set");
  return collecting(AttributeType::kObject, Union{}, call.arguments[0]);
}

AggregateResult make_list_collect(AggregateCall call) {
  Values values;
  bool good = call.arguments.size() == 1 || call.arguments.size() == 2;
  if (call.arguments.size() == 2) {
    std::optional<bool> distinct = constant_bool(call.arguments[1]);
    good = distinct.has_value();
    values.distinct = distinct.value_or(false);
  }
  if (!good) return std::string("a value and whether each is listed once, a constant");
  return collecting(AttributeType::kObject, values, as_object(call.arguments[0]));
}

AggregateResult make_list_merge(AggregateCall call) {
  Values values;
  values.merges = true;
  bool good = has_object(call, 1);
  if (has_object(call, 2)) {
    std::optional<bool> distinct = constant_bool(call.arguments[1]);
    good = distinct.has_value();
    values.distinct = distinct.value_or(false);
  }
  if (!good) return std::string("an object and whether each element is listed once, a constant");
  return collecting(AttributeType::kObject, values, call.arguments[0]);
}

AggregateResult make_map_collect(AggregateCall call) {
  if (call.arguments.size() != 2) return std::string("a key and a value");
  return collecting(AttributeType::kObject, Entries{}, pack_arguments(std::move(call.arguments)));
}

AggregateResult make_map_merge(AggregateCall call) {
  if (!has_object(call, 1)) return std::string("one object that is a map");
  Entries entries;
  entries.merges = true;
  return collecting(AttributeType::kObject, entries, call.arguments[0]);
}

AggregateResult make_group_concat(AggregateCall call) {
  const std::string expected =
      "(<string> value, [<string> separator, [<bool> distinct, ['ASC' | 'DESC']]]), constants but "
      "for the first";
  size_t count = call.arguments.size();
  if (count < 1 || count > 4 || call.arguments[0]->type() != AttributeType::kString) {
    return expected;
  }
  Values values;
  values.form = Values::Form::kText;
  values.separator = ",";
  if (count > 1) {
    std::optional<std::string> separator = constant_text(call.arguments[1]);
    if (!separator) return expected;
    values.separator = *separator;
  }
  if (count > 2) {
    std::optional<bool> distinct = constant_bool(call.arguments[2]);
    if (!distinct) return expected;
    values.distinct = *distinct;
  }
  if (count > 3) {
    std::string order = constant_text(call.arguments[3]).value_or("");
    for (char& c : order) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    if (order != "ASC" && order != "DESC") return expected;
    values.order = order == "ASC" ? Values::Order::kAscending : Values::Order::kDescending;
  }
  return collecting(AttributeType::kString, values, call.arguments[0]);
}

template <Values::Form kForm>
AggregateResult make_json_group(AggregateCall call) {
  const std::string expected =
      "(<string|object> json, [<string> enclosing element], [<bool> distinct]), constants but for "
      "the first";
  size_t count = call.arguments.size();
  if (count < 1 || count > 3) return expected;
  AttributeType type = call.arguments[0]->type();
  if (type != AttributeType::kString && type != AttributeType::kObject) return expected;
  Values values;
  values.form = kForm;
  size_t next = 1;
  if (next < count) {
    std::optional<std::string> enclosing = constant_text(call.arguments[next]);
    values.enclosing = enclosing.value_or("");
    if (enclosing) ++next;
  }
  if (next < count) {
    std::optional<bool> distinct = constant_bool(call.arguments[next]);
    if (!distinct) return expected;
    values.distinct = *distinct;
    ++next;
  }
  if (next != count) return expected;
  AttributeType result =
      kForm == Values::Form::kList ? AttributeType::kObject : AttributeType::kString;
  return collecting(result, values, parsed_json(call.arguments[0]));
}

/// math:percentile: the values of each group in their order.
class Percentile final : public Aggregator {
 public:
  explicit Percentile(double percent) : Aggregator(AttributeType::kDouble), percent_(percent) {}

  void run(const AggregateSteps& steps, Column& results) override {
    uint32_t first = results.size();
    auto* to = results.extend<double>(steps.count);
    for (uint32_t i = 0; i < steps.count; ++i) {
      uint32_t group = steps.groups[i];
      if (group >= groups_.size()) groups_.resize(group + 1);
      std::vector<double>& values = groups_[group];
      if (!steps.argument.is_null(i)) {
        auto value = steps.argument.at<double>(i);
        bool removed = steps.removes != nullptr && steps.removes[i] != 0;
        auto at = std::lower_bound(values.begin(), values.end(), value, before);
        if (!removed) {
          values.insert(at, value);
        } else if (at != values.end() && !before(value, *at)) {
          values.erase(at);
        }
      }
      to[i] = values.empty() ? 0 : percentile(values);
      if (values.empty()) results.set_null(first + i);
    }
  }

  void reset(uint32_t group) override {
    if (group < groups_.size()) groups_[group].clear();
  }
  void release(uint32_t group) override {
    if (group < groups_.size()) groups_[group] = {};
  }
  bool is_fresh(uint32_t group) const override {
    return group >= groups_.size() || groups_[group].empty();
  }
  size_t state_bytes() const override {
    size_t bytes = groups_.capacity() * sizeof(std::vector<double>);
    for (const std::vector<double>& values : groups_) bytes += values.capacity() * sizeof(double);
    return bytes;
  }
  void archive_state(StateArchive& archive) override { archive(groups_); }

 private:
  static bool before(double a, double b) { return order_of_numbers(a, b) < 0; }

  /// The value at the rank of `percent_`: between two values that it falls between, else the
  /// nearer.
  double percentile(const std::vector<double>& values) const {
    double rank = percent_ * static_cast<double>(values.size()) / 100;
    auto place = static_cast<size_t>(std::floor(rank + 0.5));
    if (rank != std::floor(rank)) return values[place == 0 ? 0 : place - 1];
    if (place == values.size()) return values.back();
    return (values[place - 1] + values[place]) / 2;
  }

  double percent_;
  std::vector<std::vector<double>> groups_;
};

AggregateResult make_percentile(AggregateCall call) {
  std::optional<double> percent =
      call.arguments.size() == 2 ? constant_number(call.arguments[1]) : std::nullopt;
  if (!percent || !(*percent > 0 && *percent <= 100) || !is_numeric(call.arguments[0]->type())) {
    return std::string("a number, and a constant above 0 and not above 100");
  }
  return MadeAggregate{std::make_unique<Percentile>(*percent), as_double(call.arguments[0])};
}

}  // namespace

std::vector<AggregatorEntry> collecting_aggregators() {
  return {
      {"", "unionSet", "(<object> set) <object>", "All elements of the sets in the window.",
       make_union},
      {"json", "group", "(<string|object> json, [<string> element], [<bool> distinct]) <string>",
       "The JSON values in the window as the text of an array, or of an object with the array as "
       "its one element.",
       make_json_group<Values::Form::kJsonText>},
      {"json", "groupAsObject",
       "(<string|object> json, [<string> element], [<bool> distinct]) <object>",
       "The same as an object.", make_json_group<Values::Form::kList>},
      {"list", "collect", "(<any> value, [<bool> distinct]) <object>",
       "The values in the window as a list, in order of arrival.", make_list_collect},
      {"list", "merge", "(<object> list, [<bool> distinct]) <object>",
       "The elements of the lists in the window as one list.", make_list_merge},
      {"map", "collect", "(<any> key, <any> value) <object>",
       "A map of the keys and values in the window; of one key's values the last one counts.",
       make_map_collect},
      {"map", "merge", "(<object> map) <object>",
       "The maps in the window as one; of one key's values the last one counts.", make_map_merge},
      {"math", "percentile", "(<number> value, <double> percent) <double>",
       "The value that so many percent of the values in the window do not exceed.",
       make_percentile},
      {"str", "groupConcat",
       "(<string> value, [<string> separator, [<bool> distinct, [<string> order]]]) <string>",
       "The values in the window one behind the other, with a comma or another separator between "
       "them, in order of arrival or in their own ('ASC', 'DESC').",
       make_group_concat},
  };
}

}  // namespace pollux
