#include "tests/oracle/aggregator.h"

#include <algorithm>
#include <cmath>

#include "tests/oracle/expression.h"

namespace pollux::oracle {

namespace {

class LongSum : public AggregatorState {
 public:
  Value add(const Value& value) override {
    if (!is_null(value)) {
      sum_ += static_cast<uint64_t>(as_long(value));
      ++count_;
    }
    return current();
  }
  Value remove(const Value& value) override {
    if (!is_null(value)) {
      sum_ -= static_cast<uint64_t>(as_long(value));
      --count_;
    }
    return current();
  }

 private:
  Value current() const { return count_ == 0 ? Value() : Value(static_cast<int64_t>(sum_)); }
  uint64_t sum_ = 0;
  int64_t count_ = 0;
};

class DoubleSum : public AggregatorState {
 public:
  explicit DoubleSum(bool average) : average_(average) {}
  Value add(const Value& value) override {
    if (!is_null(value)) {
      sum_ += as_double(value);
      ++count_;
    }
    return current();
  }
  Value remove(const Value& value) override {
    if (!is_null(value)) {
      sum_ -= as_double(value);
      // What rounding left must not come back: nobody can tell then whether an empty state was
      // dropped meanwhile.
      if (--count_ == 0) sum_ = 0;
    }
    return current();
  }

 private:
  Value current() const {
    if (count_ == 0) return {};
    return average_ ? sum_ / static_cast<double>(count_) : sum_;
  }
  bool average_;
  double sum_ = 0;
  int64_t count_ = 0;
};

class Count : public AggregatorState {
 public:
  Value add(const Value&) override { return ++count_; }
  Value remove(const Value&) override { return --count_; }

 private:
  int64_t count_ = 0;
};

class DistinctCount : public AggregatorState {
 public:
  Value add(const Value& value) override {
    ++counts_[key(value)];
    return static_cast<int64_t>(counts_.size());
  }
  Value remove(const Value& value) override {
    auto found = counts_.find(key(value));
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
    return static_cast<int64_t>(counts_.size());
  }

 private:
  // Null is a value of its own here; text tells numbers of one type apart exactly.
  static std::pair<bool, std::string> key(const Value& value) {
    return {is_null(value), java_text(value)};
  }
  std::map<std::pair<bool, std::string>, int64_t> counts_;
};

// The running algorithm of the original, not the textbook sum of squares: results are compared
// bit by bit.
class StdDev : public AggregatorState {
 public:
  Value add(const Value& value) override {
    if (is_null(value)) return current();
    double number = as_double(value);
    ++count_;
    if (count_ == 0) return {};  // as in the original: what never came in had been taken out
    if (count_ == 1) {
      sum_ = mean_ = number;
      deviation_ = 0;
    } else {
      double old_mean = mean_;
      sum_ += number;
      mean_ = sum_ / static_cast<double>(count_);
      deviation_ += (number - old_mean) * (number - mean_);
    }
    return current();
  }
  Value remove(const Value& value) override {
    if (is_null(value)) return current();
    double number = as_double(value);
    --count_;
    if (count_ == 0) {
      sum_ = mean_ = deviation_ = 0;
    } else {
      double old_mean = mean_;
      sum_ -= number;
      mean_ = sum_ / static_cast<double>(count_);
      deviation_ -= (number - old_mean) * (number - mean_);
    }
    return current();
  }

 private:
  Value current() const {
    if (count_ == 0) return {};
    if (count_ == 1) return 0.0;
    return std::sqrt(deviation_ / static_cast<double>(count_));
  }
  double mean_ = 0, deviation_ = 0, sum_ = 0;
  int64_t count_ = 0;
};

// In the order of `order by`, where -0.0 and not-a-number have places of their own. (The original
// compares them as numbers, so that it is chance which zero comes out.)
bool beats(bool minimum, const Value& value, const Value& best) {
  int order = order_of(value, best);
  return minimum ? order < 0 : order > 0;
}

// Of the values that are there. (The original's queue loses an equal later value with one that
// expires; a removal without its addition, as joins make them, changes nothing in either.)
class Extremum : public AggregatorState {
 public:
  explicit Extremum(bool minimum) : minimum_(minimum) {}
  Value add(const Value& value) override {
    if (!is_null(value)) values_.push_back(value);
    return current();
  }
  Value remove(const Value& value) override {
    if (is_null(value)) return current();
    auto found = std::find_if(values_.begin(), values_.end(),
                              [&](const Value& held) { return order_of(held, value) == 0; });
    if (found != values_.end()) values_.erase(found);
    return current();
  }

 private:
  Value current() const {
    Value best;
    for (const Value& value : values_) {
      if (is_null(best) || beats(minimum_, value, best)) best = value;
    }
    return best;
  }
  bool minimum_;
  std::deque<Value> values_;
};

class ForeverExtremum : public AggregatorState {
 public:
  explicit ForeverExtremum(bool minimum) : minimum_(minimum) {}
  Value add(const Value& value) override {
    if (is_null(value)) return best_;
    if (is_null(best_) || beats(minimum_, value, best_)) best_ = value;
    return best_;
  }
  Value remove(const Value& value) override { return add(value); }

 private:
  bool minimum_;
  Value best_;
};

class Logic : public AggregatorState {
 public:
  explicit Logic(bool conjunction) : conjunction_(conjunction) {}
  Value add(const Value& value) override { return change(value, 1); }
  Value remove(const Value& value) override { return change(value, -1); }

 private:
  Value change(const Value& value, int by) {
    (is_true(value) ? true_ : false_) += by;
    return conjunction_ ? true_ > 0 && false_ == 0 : true_ > 0;
  }
  bool conjunction_;
  int64_t true_ = 0, false_ = 0;
};

}  // namespace

std::optional<AggregatorFunction> aggregator_function(const std::string& name) {
  static const std::map<std::string, AggregatorFunction> kFunctions = {
      {"sum", AggregatorFunction::kSum},
      {"count", AggregatorFunction::kCount},
      {"avg", AggregatorFunction::kAvg},
      {"min", AggregatorFunction::kMin},
      {"max", AggregatorFunction::kMax},
      {"distinctcount", AggregatorFunction::kDistinctCount},
      {"stddev", AggregatorFunction::kStdDev},
      {"minforever", AggregatorFunction::kMinForever},
      {"maxforever", AggregatorFunction::kMaxForever},
      {"and", AggregatorFunction::kAnd},
      {"or", AggregatorFunction::kOr}};
  auto found = kFunctions.find(lower_case(name));
  if (found == kFunctions.end()) return std::nullopt;
  return found->second;
}

AttributeType aggregator_type(const AggregatorSpec& spec) {
  AttributeType type = spec.argument;
  switch (spec.function) {
    case AggregatorFunction::kCount:
    case AggregatorFunction::kDistinctCount:
      return AttributeType::kLong;
    case AggregatorFunction::kAnd:
    case AggregatorFunction::kOr:
      if (type != AttributeType::kBool) throw PlanError{"and, or take a bool"};
      return AttributeType::kBool;
    default:
      break;
  }
  if (!is_numeric(type)) throw PlanError{"the aggregator takes a number"};
  switch (spec.function) {
    case AggregatorFunction::kSum:
      return type == AttributeType::kInt || type == AttributeType::kLong ? AttributeType::kLong
                                                                         : AttributeType::kDouble;
    case AggregatorFunction::kAvg:
    case AggregatorFunction::kStdDev:
      return AttributeType::kDouble;
    default:
      return type;
  }
}

namespace {

std::unique_ptr<AggregatorState> make_state(const AggregatorSpec& spec) {
  switch (spec.function) {
    case AggregatorFunction::kSum:
      if (aggregator_type(spec) == AttributeType::kLong) return std::make_unique<LongSum>();
      return std::make_unique<DoubleSum>(false);
    case AggregatorFunction::kCount:
      return std::make_unique<Count>();
    case AggregatorFunction::kAvg:
      return std::make_unique<DoubleSum>(true);
    case AggregatorFunction::kMin:
    case AggregatorFunction::kMax:
      return std::make_unique<Extremum>(spec.function == AggregatorFunction::kMin);
    case AggregatorFunction::kDistinctCount:
      return std::make_unique<DistinctCount>();
    case AggregatorFunction::kStdDev:
      return std::make_unique<StdDev>();
    case AggregatorFunction::kMinForever:
    case AggregatorFunction::kMaxForever:
      return std::make_unique<ForeverExtremum>(spec.function == AggregatorFunction::kMinForever);
    default:
      return std::make_unique<Logic>(spec.function == AggregatorFunction::kAnd);
  }
}

}  // namespace

AggregatorState& AggregatorBank::state(int number, const std::string& group,
                                       const AggregatorSpec& spec) {
  auto& state = states_[number][group];
  if (state == nullptr) state = make_state(spec);
  return *state;
}

void AggregatorBank::reset(int number) { states_.erase(number); }

}  // namespace pollux::oracle
