// `within` and `per` where they are constants: what they mean, or what is wrong with them.
#pragma once

#include <optional>
#include <vector>

#include "engine/base/calendar_unit.h"
#include "engine/language/diagnostics.h"
#include "engine/types/value.h"

namespace pollux {

constexpr const char* kAggregationReadForm =
    "within '2017-06-** **:**:**' or within <start>, <end>, then per 'hours'";

class AggregationTimes {
 public:
  explicit AggregationTimes(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  /// One pattern, or two times; empty, and told, when they are none.
  std::optional<TimeRange> range(const std::vector<const Value*>& within, const Location& location);
  /// One of the aggregation's units; empty, and told, when it is none.
  std::optional<CalendarUnit> unit(const Value& per, const std::vector<CalendarUnit>& units,
                                   const Location& location);

 private:
  std::optional<int64_t> time(const Value& bound, const Location& location);

  Diagnostics& diagnostics_;
};

}  // namespace pollux
