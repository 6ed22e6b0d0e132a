#include "engine/base/calendar_unit.h"

#include <array>
#include <charconv>
#include <string>

#include "engine/base/civil_time.h"

namespace pollux {
namespace {

struct UnitNames {
  std::string_view plural, singular, brief;
  int64_t usual_ms;  ///< of a month or year: a usual one's
};

constexpr std::array<UnitNames, 6> kUnits{{
    {"seconds", "second", "sec", 1000},
    {"minutes", "minute", "min", 60'000},
    {"hours", "hour", "h", 3'600'000},
    {"days", "day", "day", kDayMs},
    {"months", "month", "month", 30 * kDayMs},
    {"years", "year", "year", 365 * kDayMs},
}};

const UnitNames& names_of(CalendarUnit unit) { return kUnits[static_cast<size_t>(unit)]; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

std::string_view name_of(CalendarUnit unit) { return names_of(unit).plural; }

std::optional<CalendarUnit> calendar_unit_from(std::string_view name) {
  std::string text = lower(name);
  for (size_t i = 0; i < kUnits.size(); ++i) {
    const UnitNames& unit = kUnits[i];
    if (text == unit.plural || text == unit.singular || text == unit.brief) {
      return static_cast<CalendarUnit>(i);
    }
  }
  return std::nullopt;
}

TimeRange span_of(CalendarUnit unit, int64_t ms) {
  if (unit < CalendarUnit::kMonths) {
    int64_t extent = names_of(unit).usual_ms;
    int64_t from = floor_divide(ms, extent) * extent;
    return {from, from + extent};
  }
  CivilTime time = civil_time(ms);
  if (unit == CalendarUnit::kYears) {
    return {days_to(time.year, 1, 1) * kDayMs, days_to(time.year + 1, 1, 1) * kDayMs};
  }
  int64_t from = days_to(time.year, time.month, 1);
  return {from * kDayMs, (from + days_of_month(time.year, time.month)) * kDayMs};
}

std::optional<int64_t> parse_unit_time(std::string_view text) {
  int64_t amount = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || amount < 0) return std::nullopt;
  size_t at = text.find_first_not_of(' ', static_cast<size_t>(end - text.data()));
  if (at == std::string_view::npos) return std::nullopt;
  std::optional<CalendarUnit> unit = calendar_unit_from(text.substr(at));
  if (!unit || __builtin_mul_overflow(amount, names_of(*unit).usual_ms, &amount)) {
    return std::nullopt;
  }
  return amount;
}

}  // namespace pollux
