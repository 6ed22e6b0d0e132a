#include "engine/operators/aggregator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <type_traits>

#include "engine/base/number_order.h"
#include "engine/base/ring.h"
#include "engine/operators/aggregator_table.h"
#include "engine/operators/distinct_count.h"

namespace pollux {
namespace {

/// A result of a step: a value or null.
template <class R>
struct Outcome {
  R value;
  bool null;
};

/// Drives a state machine `S` with members add(T), remove(T), result(), reset(), fresh().
/// Null arguments leave the state alone.
template <class S>
class StateAggregator final : public Aggregator {
 public:
  using T = typename S::Argument;
  using R = typename S::Result;

  explicit StateAggregator(AttributeType result_type, bool empty_is_zero = false)
      : Aggregator(result_type), empty_is_zero_(empty_is_zero) {}

  void run(const AggregateSteps& steps, Column& results) override {
    uint32_t first = results.size();
    R* to = results.extend<R>(steps.count);
    for (uint32_t i = 0; i < steps.count; ++i) {
      uint32_t group = steps.groups[i];
      if (group >= states_.size()) states_.resize(group + 1);
      S& state = states_[group];
      bool removed = steps.removes != nullptr && steps.removes[i] != 0;
      if (!steps.argument.is_null(i)) {
        T value = steps.argument.at<T>(i);
        if (removed) {
          state.remove(value);
        } else {
          state.add(value);
        }
      }
      if (removed && !steps.removes_seen) {
        to[i] = R{};
        continue;
      }
      Outcome<R> outcome = state.result();
      to[i] = outcome.value;
      if (outcome.null && !empty_is_zero_) results.set_null(first + i);
    }
  }

  void read(const uint32_t* groups, uint32_t count, Column& results) const override {
    uint32_t first = results.size();
    R* to = results.extend<R>(count);
    for (uint32_t i = 0; i < count; ++i) {
      Outcome<R> outcome = groups[i] < states_.size() ? states_[groups[i]].result() : S().result();
      to[i] = outcome.value;
      if (outcome.null) results.set_null(first + i);
    }
  }

  void begin_with(uint32_t group, const Column& results, uint32_t row) override {
    if constexpr (requires(S & s, R r) { s.begin_with(r); }) {
      if (group >= states_.size()) states_.resize(group + 1);
      if (!results.is_null(row)) states_[group].begin_with(results.data<R>()[row]);
    } else {
      Aggregator::begin_with(group, results, row);
    }
  }

  void reset(uint32_t group) override {
    if (group < states_.size()) states_[group].reset();
  }
  void release(uint32_t group) override {
    if (group < states_.size()) states_[group] = S();
  }
  bool is_fresh(uint32_t group) const override {
    return group >= states_.size() || states_[group].fresh();
  }
  size_t state_bytes() const override {
    size_t bytes = states_.capacity() * sizeof(S);
    if constexpr (requires(const S& s) { s.bytes(); }) {
      for (const S& state : states_) bytes += state.bytes();
    }
    return bytes;
  }
  void archive_state(StateArchive& archive) override { archive(states_); }

 private:
  bool empty_is_zero_;
  std::vector<S> states_;
};

template <class T, class R>
struct Sum {
  using Argument = T;
  using Result = R;
  R sum = 0;
  int64_t count = 0;

  void add(T value) {
    sum = plus(sum, static_cast<R>(value));
    ++count;
  }
  void remove(T value) {
    sum = plus(sum, static_cast<R>(-static_cast<R>(value)));
    --count;
    // What rounding left must not come back, so that an empty state may be dropped unseen.
    if (count == 0 && std::is_floating_point_v<R>) sum = 0;
  }
  Outcome<R> result() const { return {sum, count == 0}; }
  /// Nothing is removed from it, so that it is enough to know that there was a value.
  void begin_with(R result) {
    sum = result;
    count = 1;
  }
  void reset() { *this = {}; }
  bool fresh() const { return count == 0 && sum == 0; }
  void archive(StateArchive& archive) { archive(sum, count); }

  static R plus(R a, R b) {
    if constexpr (std::is_integral_v<R>) {
      return static_cast<R>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
    } else {
      return a + b;
    }
  }
};

template <class T>
struct Average {
  using Argument = T;
  using Result = double;
  double sum = 0;
  int64_t count = 0;

  void add(T value) {
    sum += static_cast<double>(value);
    ++count;
  }
  void remove(T value) {
    sum -= static_cast<double>(value);
    if (--count == 0) sum = 0;
  }
  Outcome<double> result() const {
    return {count == 0 ? 0.0 : sum / static_cast<double>(count), count == 0};
  }
  void reset() { *this = {}; }
  bool fresh() const { return count == 0 && sum == 0; }
  void archive(StateArchive& archive) { archive(sum, count); }
};

/// Population deviation by a running mean.
template <class T>
struct Deviation {
  using Argument = T;
  using Result = double;
  double mean = 0, squares = 0, sum = 0;
  int64_t count = 0;

  void add(T argument) {
    auto value = static_cast<double>(argument);
    ++count;
    if (count == 0) return;  // a join may have taken out what never came in
    if (count == 1) {
      sum = mean = value;
      squares = 0;
      return;
    }
    double old_mean = mean;
    sum += value;
    mean = sum / static_cast<double>(count);
    squares += (value - old_mean) * (value - mean);
  }
  void remove(T argument) {
    auto value = static_cast<double>(argument);
    --count;
    if (count == 0) {
      *this = {};
      return;
    }
    double old_mean = mean;
    sum -= value;
    mean = sum / static_cast<double>(count);
    squares -= (value - old_mean) * (value - mean);
  }
  Outcome<double> result() const {
    if (count == 0) return {0, true};
    if (count == 1) return {0, false};
    return {std::sqrt(squares / static_cast<double>(count)), false};
  }
  void reset() { *this = {}; }
  bool fresh() const { return count == 0 && sum == 0 && mean == 0 && squares == 0; }
  void archive(StateArchive& archive) { archive(mean, squares, sum, count); }
};

/// Least or greatest of what is in the window: a monotonic queue of candidates, in order of
/// arrival. Values leave in the order they came; one that is no candidate any more was beaten by a
/// later one and leaves no trace.
template <class T, bool kLeast>
struct Extreme {
  using Argument = T;
  using Result = T;
  Ring<T> candidates;

  static bool beats(T a, T b) {
    return kLeast ? order_of_numbers(a, b) < 0 : order_of_numbers(a, b) > 0;
  }

  void add(T value) {
    while (!candidates.empty() && beats(value, candidates.back())) candidates.pop_back();
    candidates.push(value);
  }
  void remove(T value) {
    if (!candidates.empty() && order_of_numbers(candidates.front(), value) == 0) candidates.pop();
  }
  Outcome<T> result() const {
    return {candidates.empty() ? T{} : candidates.front(), candidates.empty()};
  }
  void reset() { candidates.clear(); }
  bool fresh() const { return candidates.empty(); }
  void archive(StateArchive& archive) { archive(candidates); }
  size_t bytes() const { return candidates.bytes(); }
};

/// The same where values leave in any order, as from joins: all of them, counted. One that leaves
/// without having come changes nothing.
template <class T, bool kLeast>
struct ExtremeOfAnyOrder {
  using Argument = T;
  using Result = T;
  struct Better {
    bool operator()(T a, T b) const {
      return kLeast ? order_of_numbers(a, b) < 0 : order_of_numbers(a, b) > 0;
    }
  };
  std::map<T, int64_t, Better> values;

  void add(T value) { ++values[value]; }
  void remove(T value) {
    auto found = values.find(value);
    if (found != values.end() && --found->second == 0) values.erase(found);
  }
  Outcome<T> result() const {
    return {values.empty() ? T{} : values.begin()->first, values.empty()};
  }
  void reset() { values.clear(); }
  bool fresh() const { return values.empty(); }
  void archive(StateArchive& archive) { archive(values); }
  size_t bytes() const { return values.size() * (sizeof(T) + 5 * sizeof(void*)); }
};

/// `kOutlivesBatches`: as in plans of 3.1; in those of 5.1 it begins afresh with a batch.
template <class T, bool kLeast, bool kOutlivesBatches>
struct ExtremeForever {
  using Argument = T;
  using Result = T;
  std::optional<T> best;

  void add(T value) {
    int order = best ? order_of_numbers(value, *best) : 0;
    if (!best || (kLeast ? order < 0 : order > 0)) best = value;
  }
  void remove(T value) { add(value); }
  Outcome<T> result() const { return {best.value_or(T{}), !best}; }
  void begin_with(T result) { best = result; }
  void reset() {
    if (!kOutlivesBatches) best.reset();
  }
  bool fresh() const { return !best; }
  void archive(StateArchive& archive) { archive(best); }
};

/// Conjunction and disjunction of what is in the window.
template <bool kAll>
struct Truth {
  using Argument = uint8_t;
  using Result = uint8_t;
  int64_t trues = 0, falses = 0;

  void add(uint8_t value) { ++(value != 0 ? trues : falses); }
  void remove(uint8_t value) { --(value != 0 ? trues : falses); }
  Outcome<uint8_t> result() const {
    return {static_cast<uint8_t>(kAll ? trues > 0 && falses == 0 : trues > 0), false};
  }
  void reset() { *this = {}; }
  bool fresh() const { return trues == 0 && falses == 0; }
  void archive(StateArchive& archive) { archive(trues, falses); }
};

/// Counts events, whether their argument is null or not.
class Count final : public Aggregator {
 public:
  Count() : Aggregator(AttributeType::kLong) {}

  void run(const AggregateSteps& steps, Column& results) override {
    auto* to = results.extend<int64_t>(steps.count);
    for (uint32_t i = 0; i < steps.count; ++i) {
      uint32_t group = steps.groups[i];
      if (group >= counts_.size()) counts_.resize(group + 1);
      counts_[group] += steps.removes != nullptr && steps.removes[i] != 0 ? -1 : 1;
      to[i] = counts_[group];
    }
  }
  void read(const uint32_t* groups, uint32_t count, Column& results) const override {
    auto* to = results.extend<int64_t>(count);
    for (uint32_t i = 0; i < count; ++i) {
      to[i] = groups[i] < counts_.size() ? counts_[groups[i]] : 0;
    }
  }
  void begin_with(uint32_t group, const Column& results, uint32_t row) override {
    if (group >= counts_.size()) counts_.resize(group + 1);
    counts_[group] = results.data<int64_t>()[row];
  }
  void reset(uint32_t group) override {
    if (group < counts_.size()) counts_[group] = 0;
  }
  void release(uint32_t group) override { reset(group); }
  bool is_fresh(uint32_t group) const override {
    return group >= counts_.size() || counts_[group] == 0;
  }
  size_t state_bytes() const override { return counts_.capacity() * sizeof(int64_t); }
  void archive_state(StateArchive& archive) override { archive(counts_); }

 private:
  std::vector<int64_t> counts_;
};

template <template <class> class S>
std::unique_ptr<Aggregator> for_number(AttributeType argument, AttributeType result,
                                       bool empty_is_zero = false) {
  switch (argument) {
    case AttributeType::kInt:
      return std::make_unique<StateAggregator<S<int32_t>>>(result, empty_is_zero);
    case AttributeType::kLong:
      return std::make_unique<StateAggregator<S<int64_t>>>(result, empty_is_zero);
    case AttributeType::kFloat:
      return std::make_unique<StateAggregator<S<float>>>(result, empty_is_zero);
    default:
      return std::make_unique<StateAggregator<S<double>>>(result, empty_is_zero);
  }
}

template <class T>
using LongSum = Sum<T, int64_t>;
template <class T>
using DoubleSum = Sum<T, double>;
template <class T>
using Least = Extreme<T, true>;
template <class T>
using Greatest = Extreme<T, false>;
template <class T>
using LeastOfAnyOrder = ExtremeOfAnyOrder<T, true>;
template <class T>
using GreatestOfAnyOrder = ExtremeOfAnyOrder<T, false>;
template <class T>
using LeastForever = ExtremeForever<T, true, false>;
template <class T>
using LeastEver = ExtremeForever<T, true, true>;
template <class T>
using GreatestForever = ExtremeForever<T, false, false>;
template <class T>
using GreatestEver = ExtremeForever<T, false, true>;

using MakeForNumber = std::unique_ptr<Aggregator> (*)(AttributeType argument,
                                                      const AggregateCall& call);

/// A call with one number.
template <MakeForNumber kMake>
AggregateResult with_number(AggregateCall call) {
  if (call.arguments.size() != 1 || !is_numeric(call.arguments[0]->type())) {
    return std::string("one number");
  }
  return MadeAggregate{kMake(call.arguments[0]->type(), call), call.arguments[0]};
}

/// Of nothing it is null, or 0 in plans of 3.1.
template <template <class> class S>
std::unique_ptr<Aggregator> make_total(AttributeType type, AttributeType result,
                                       const AggregateCall& call) {
  return for_number<S>(type, result, call.dialect == Dialect::k31);
}
std::unique_ptr<Aggregator> make_sum(AttributeType type, const AggregateCall& call) {
  bool whole = type == AttributeType::kInt || type == AttributeType::kLong;
  if (whole) return make_total<LongSum>(type, AttributeType::kLong, call);
  return make_total<DoubleSum>(type, AttributeType::kDouble, call);
}
std::unique_ptr<Aggregator> make_average(AttributeType type, const AggregateCall& call) {
  return make_total<Average>(type, AttributeType::kDouble, call);
}
std::unique_ptr<Aggregator> make_deviation(AttributeType type, const AggregateCall& call) {
  return make_total<Deviation>(type, AttributeType::kDouble, call);
}
std::unique_ptr<Aggregator> make_min(AttributeType type, const AggregateCall& call) {
  return call.in_order ? for_number<Least>(type, type) : for_number<LeastOfAnyOrder>(type, type);
}
std::unique_ptr<Aggregator> make_max(AttributeType type, const AggregateCall& call) {
  return call.in_order ? for_number<Greatest>(type, type)
                       : for_number<GreatestOfAnyOrder>(type, type);
}
std::unique_ptr<Aggregator> make_min_forever(AttributeType type, const AggregateCall& call) {
  return call.dialect == Dialect::k31 ? for_number<LeastEver>(type, type)
                                      : for_number<LeastForever>(type, type);
}
std::unique_ptr<Aggregator> make_max_forever(AttributeType type, const AggregateCall& call) {
  return call.dialect == Dialect::k31 ? for_number<GreatestEver>(type, type)
                                      : for_number<GreatestForever>(type, type);
}

template <bool kAll>
AggregateResult make_truth(AggregateCall call) {
  if (call.arguments.size() != 1 || call.arguments[0]->type() != AttributeType::kBool) {
    return std::string("a bool");
  }
  return MadeAggregate{std::make_unique<StateAggregator<Truth<kAll>>>(AttributeType::kBool),
                       call.arguments[0]};
}

AggregateResult make_count(AggregateCall call) {
  bool any_number = call.dialect == Dialect::k31;
  if (call.arguments.size() > 1 && !any_number) return std::string("one argument, or none");
  return MadeAggregate{std::make_unique<Count>(), nullptr};
}

AggregateResult make_distinct_count(AggregateCall call) {
  if (call.arguments.size() != 1 || call.arguments[0]->type() == AttributeType::kObject) {
    return std::string("one value of a plain type");
  }
  return MadeAggregate{std::make_unique<DistinctCount>(call.arguments[0]->type(), call.strings),
                       call.arguments[0]};
}

}  // namespace

std::vector<AggregatorEntry> core_aggregators() {
  return {
      {"", "sum", "(<number> value) <long|double>", "Sum; long for int and long, else double.",
       with_number<make_sum>},
      {"", "count", "([<any> value]) <long>", "Number of events.", make_count},
      {"", "avg", "(<number> value) <double>", "Mean.", with_number<make_average>},
      {"", "min", "(<number> value) <number>", "Least value in the window.", with_number<make_min>},
      {"", "max", "(<number> value) <number>", "Greatest value in the window.",
       with_number<make_max>},
      {"", "minForever", "(<number> value) <number>", "Least value ever, whatever left the window.",
       with_number<make_min_forever>},
      {"", "maxForever", "(<number> value) <number>", "Greatest value ever.",
       with_number<make_max_forever>},
      {"", "distinctCount", "(<any> value) <long>", "Number of different values; null is one.",
       make_distinct_count},
      {"", "stdDev", "(<number> value) <double>", "Population standard deviation.",
       with_number<make_deviation>},
      {"", "and", "(<bool> value) <bool>", "Whether all are true.", make_truth<true>},
      {"", "or", "(<bool> value) <bool>", "Whether any is true.", make_truth<false>},
  };
}

}  // namespace pollux
