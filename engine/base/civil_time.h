// Moments as dates of the proleptic Gregorian calendar, in UTC.
#pragma once

#include <cstdint>

namespace pollux {

inline constexpr int64_t kDayMs = 86'400'000;

struct CivilTime {
  int64_t year;
  int32_t month, day, hour, minute, second, millisecond;
};

inline int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// A moment as date and time of day (H. Hinnant, "chrono-compatible low-level date algorithms").
inline CivilTime civil_time(int64_t ms) {
  int64_t days = floor_divide(ms, kDayMs);
  int64_t in_day = ms - days * kDayMs;
  int64_t z = days + 719'468;
  int64_t era = floor_divide(z, 146'097);
  int64_t day_of_era = z - era * 146'097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted_month = (5 * day_of_year + 2) / 153;
  CivilTime time{};
  time.day = static_cast<int32_t>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  time.month = static_cast<int32_t>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  time.year = year_of_era + era * 400 + (time.month <= 2 ? 1 : 0);
  time.hour = static_cast<int32_t>(in_day / 3'600'000);
  time.minute = static_cast<int32_t>(in_day / 60'000 % 60);
  time.second = static_cast<int32_t>(in_day / 1000 % 60);
  time.millisecond = static_cast<int32_t>(in_day % 1000);
  return time;
}

/// Days from 1970-01-01 to a date (the same source).
inline int64_t days_to(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) --year;
  int64_t era = floor_divide(year, 400);
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

/// 0 for a Sunday to 6 for a Saturday, of a day that many days from 1970-01-01.
inline int32_t weekday_of(int64_t days) {
  return static_cast<int32_t>(days + 4 - floor_divide(days + 4, 7) * 7);
}

/// Days of a month, 1 to 12.
inline int32_t days_of_month(int64_t year, int32_t month) {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

}  // namespace pollux
