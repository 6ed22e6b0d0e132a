// Aggregators: state that grows with current events and shrinks with expired ones.
//
// Null leaves all but count and distinctCount alone. An empty state gives null (count 0).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/types/attribute_type.h"
#include "tests/oracle/value_ops.h"

namespace pollux::oracle {

enum class AggregatorFunction : uint8_t {
  kSum,
  kCount,
  kAvg,
  kMin,
  kMax,
  kDistinctCount,
  kStdDev,
  kMinForever,
  kMaxForever,
  kAnd,
  kOr,
};

struct AggregatorSpec {
  AggregatorFunction function = AggregatorFunction::kCount;
  AttributeType argument = AttributeType::kObject;
};

/// The aggregator of this name, if there is one.
std::optional<AggregatorFunction> aggregator_function(const std::string& name);

/// The type of its value; throws PlanError when the argument's type does not fit.
AttributeType aggregator_type(const AggregatorSpec& spec);

class AggregatorState {
 public:
  virtual ~AggregatorState() = default;
  virtual Value add(const Value& value) = 0;
  virtual Value remove(const Value& value) = 0;
};

/// The states of one query instance: by aggregator of its select, then by group.
class AggregatorBank {
 public:
  AggregatorState& state(int number, const std::string& group, const AggregatorSpec& spec);

  /// A batch begins anew: this aggregator forgets every group.
  void reset(int number);

 private:
  std::map<int, std::map<std::string, std::unique_ptr<AggregatorState>>> states_;
};

}  // namespace pollux::oracle
