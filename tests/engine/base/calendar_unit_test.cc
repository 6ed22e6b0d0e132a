#include "engine/base/calendar_unit.h"

#include <gtest/gtest.h>

#include "engine/base/civil_time.h"

namespace pollux {
namespace {

constexpr CalendarUnit kAll[] = {CalendarUnit::kSeconds, CalendarUnit::kMinutes,
                                 CalendarUnit::kHours,   CalendarUnit::kDays,
                                 CalendarUnit::kMonths,  CalendarUnit::kYears};

TEST(CalendarUnit, SpansCoverAllTimeWithoutGaps) {
  // Steps that are no multiple of anything, over leap years and centuries of both kinds.
  for (int64_t ms = days_to(1896, 1, 1) * kDayMs; ms < days_to(2104, 1, 1) * kDayMs;
       ms += 86'413'579) {
    for (CalendarUnit unit : kAll) {
      TimeRange span = span_of(unit, ms);
      ASSERT_LE(span.from_ms, ms);
      ASSERT_GT(span.to_ms, ms);
      EXPECT_EQ(span_of(unit, span.from_ms), span);
      EXPECT_EQ(span_of(unit, span.to_ms - 1), span);
      EXPECT_EQ(span_of(unit, span.to_ms).from_ms, span.to_ms);
    }
  }
}

TEST(CalendarUnit, SpansBeginWhereTheCalendarSays) {
  int64_t ms = (days_to(2024, 2, 29) * 24 + 13) * 3'600'000 + 14 * 60'000 + 15'016;
  auto begins = [ms](CalendarUnit unit) { return civil_time(span_of(unit, ms).from_ms); };
  EXPECT_EQ(begins(CalendarUnit::kSeconds).millisecond, 0);
  EXPECT_EQ(begins(CalendarUnit::kSeconds).second, 15);
  EXPECT_EQ(begins(CalendarUnit::kMinutes).minute, 14);
  EXPECT_EQ(begins(CalendarUnit::kHours).hour, 13);
  EXPECT_EQ(begins(CalendarUnit::kDays).day, 29);
  EXPECT_EQ(begins(CalendarUnit::kMonths).month, 2);
  EXPECT_EQ(begins(CalendarUnit::kMonths).day, 1);
  EXPECT_EQ(begins(CalendarUnit::kYears).year, 2024);
  EXPECT_EQ(begins(CalendarUnit::kYears).month, 1);
}

TEST(CalendarUnit, TheEndsOfTheCalendarHaveSpans) {
  for (CalendarUnit unit : kAll) {
    EXPECT_LE(span_of(unit, -kCalendarMsMax).from_ms, -kCalendarMsMax);
    EXPECT_GT(span_of(unit, kCalendarMsMax).to_ms, kCalendarMsMax);
  }
}

TEST(CalendarUnit, GoesByManyNames) {
  EXPECT_EQ(calendar_unit_from("sec"), CalendarUnit::kSeconds);
  EXPECT_EQ(calendar_unit_from("MINUTES"), CalendarUnit::kMinutes);
  EXPECT_EQ(calendar_unit_from("h"), CalendarUnit::kHours);
  EXPECT_EQ(calendar_unit_from("day"), CalendarUnit::kDays);
  EXPECT_EQ(calendar_unit_from("Months"), CalendarUnit::kMonths);
  EXPECT_EQ(calendar_unit_from("year"), CalendarUnit::kYears);
  for (const char* none : {"", "s", "week", "weeks", "sec ", "millisec"}) {
    EXPECT_EQ(calendar_unit_from(none), std::nullopt) << none;
  }
}

TEST(CalendarUnit, ReadsATimeOfOneUnit) {
  EXPECT_EQ(parse_unit_time("120 sec"), 120'000);
  EXPECT_EQ(parse_unit_time("2h"), 7'200'000);
  EXPECT_EQ(parse_unit_time("13  months"), 13 * 30 * kDayMs);
  EXPECT_EQ(parse_unit_time("1 year"), 365 * kDayMs);
  for (const char* none : {"", "5", "sec", "-1 sec", " 5 sec", "5 sec 3", "1.5 h", "1 hour 5 min",
                           "9999999999999999999 sec", "9223372036854775807 years"}) {
    EXPECT_EQ(parse_unit_time(none), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace pollux
