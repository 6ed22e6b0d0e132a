#include "engine/planner/aggregation_times.h"

#include <algorithm>
#include <string>

#include "engine/expression/time_text.h"

namespace pollux {
namespace {

constexpr const char* kTimeForm =
    "a long of milliseconds, or 'yyyy-MM-dd HH:mm:ss' in UTC, or with an offset behind it such as "
    "+05:30";

std::string list_of(const std::vector<CalendarUnit>& units) {
  std::string text;
  for (CalendarUnit unit : units) {
    text += (text.empty() ? "'" : ", '") + std::string(name_of(unit)) + "'";
  }
  return text;
}

}  // namespace

std::optional<int64_t> AggregationTimes::time(const Value& bound, const Location& location) {
  if (const auto* number = std::get_if<int64_t>(&bound)) return *number;
  const auto* text = std::get_if<std::string>(&bound);
  std::optional<int64_t> ms = text != nullptr ? parse_time_text(*text) : std::nullopt;
  if (!ms) diagnostics_.push_back({location, "a bound of 'within' is no time", kTimeForm, {}});
  return ms;
}

std::optional<TimeRange> AggregationTimes::range(const std::vector<const Value*>& within,
                                                 const Location& location) {
  if (within.size() == 1) {
    const auto* text = std::get_if<std::string>(within[0]);
    std::optional<TimeRange> range = text != nullptr ? parse_time_pattern(*text) : std::nullopt;
    if (range) return range;
    diagnostics_.push_back({location,
                            "'within' is no time with stars for its last parts",
                            "'2017-06-01 04:05:**', '2017-06-** **:**:** +05:30' and the like",
                            {}});
    return std::nullopt;
  }
  std::optional<int64_t> from = time(*within[0], location);
  std::optional<int64_t> to = time(*within[1], location);
  if (!from || !to) return std::nullopt;
  if (*from < *to) return TimeRange{*from, *to};
  diagnostics_.push_back(
      {location, "'within' ends before it begins", "a start that is less than the end", {}});
  return std::nullopt;
}

std::optional<CalendarUnit> AggregationTimes::unit(const Value& per,
                                                   const std::vector<CalendarUnit>& units,
                                                   const Location& location) {
  const auto* text = std::get_if<std::string>(&per);
  std::optional<CalendarUnit> unit = text != nullptr ? calendar_unit_from(*text) : std::nullopt;
  if (unit && std::find(units.begin(), units.end(), *unit) != units.end()) return unit;
  diagnostics_.push_back(
      {location,
       unit ? "the aggregation has no " + std::string(name_of(*unit)) : "'per' is no unit of time",
       "one of: " + list_of(units),
       {}});
  return std::nullopt;
}

}  // namespace pollux
