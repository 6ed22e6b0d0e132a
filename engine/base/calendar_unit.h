// Seconds to years as the spans that aggregations are kept for: where a span that holds a moment
// begins and ends. Months and years are those of the calendar, in UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pollux {

/// Finest first.
enum class CalendarUnit : uint8_t { kSeconds, kMinutes, kHours, kDays, kMonths, kYears };

/// Moments further from 1970 than this have no calendar here: some 270,000 years.
inline constexpr int64_t kCalendarMsMax = 8'640'000'000'000'000;

/// Times from `from_ms` up to but not including `to_ms`.
struct TimeRange {
  int64_t from_ms = INT64_MIN;
  int64_t to_ms = INT64_MAX;
  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

/// The name in plans and messages: "seconds" .. "years".
std::string_view name_of(CalendarUnit unit);

/// A unit by any of its names, letter case ignored: sec, second, seconds, h, hours ...
std::optional<CalendarUnit> calendar_unit_from(std::string_view name);

/// The span of the unit that holds the moment, which is at most kCalendarMsMax away from 1970.
TimeRange span_of(CalendarUnit unit, int64_t ms);

/// "120 sec", "25 h", "13 months": one number and one unit in milliseconds, a month being 30 days
/// and a year 365. Empty when the text is none.
std::optional<int64_t> parse_unit_time(std::string_view text);

}  // namespace pollux
