// The time: namespace. Without another zone everything is in UTC, whatever the host's zone is: both
// nodes of a pair must agree.
#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/civil_time.h"
#include "engine/expression/constant_arguments.h"
#include "engine/expression/date_pattern.h"
#include "engine/expression/function_registry.h"
#include "engine/expression/signature.h"

namespace pollux {
namespace {

using Arguments = std::vector<ExpressionPtr>;

constexpr std::string_view kDefaultPattern = "yyyy-MM-dd HH:mm:ss.SSS";
constexpr int64_t kTimeMaxMs = 366 * kDayMs * DatePattern::kYearMax;

bool has_date(int64_t ms) { return ms > -kTimeMaxMs && ms < kTimeMaxMs; }

/// A pattern of a call: known when the plan is made, or that of the last row.
class Pattern {
 public:
  const DatePattern* of(std::string_view text) {
    if (!known_ || text_ != text) {
      text_ = text;
      pattern_ = DatePattern::parse(text);
      known_ = true;
    }
    return pattern_ ? &*pattern_ : nullptr;
  }
  std::optional<int64_t> read(std::string_view pattern, std::string_view text) {
    const DatePattern* found = of(pattern);
    return found != nullptr ? found->read(text, 0) : std::nullopt;
  }

 private:
  bool known_ = false;
  std::string text_;
  std::optional<DatePattern> pattern_;
};

CallError no_pattern(const std::string& text) {
  return {"'" + text + "' is no pattern of a date", "a pattern such as yyyy-MM-dd HH:mm:ss"};
}

/// What is wrong with the constants among the arguments at these places, which are patterns.
std::optional<CallError> check_patterns(const Arguments& arguments,
                                        std::initializer_list<size_t> places) {
  for (size_t place : places) {
    if (place >= arguments.size()) continue;
    std::optional<std::string> text = constant_text(arguments[place]);
    if (text && !DatePattern::parse(*text)) return no_pattern(*text);
  }
  return std::nullopt;
}

using Patterns = std::shared_ptr<std::array<Pattern, 2>>;
Patterns make_patterns() { return std::make_shared<std::array<Pattern, 2>>(); }

std::string_view pattern_at(const RowArguments& in, size_t place) {
  return place < in.size() ? in.text(place) : kDefaultPattern;
}

// ---- units ----

enum class Unit : uint8_t { kYear, kMonth, kDay, kHour, kMinute, kSecond, kWeek, kQuarter };

std::optional<Unit> unit_of(const ExpressionPtr& argument) {
  constexpr std::array<std::string_view, 8> kUnits = {"YEAR",   "MONTH",  "DAY",  "HOUR",
                                                      "MINUTE", "SECOND", "WEEK", "QUARTER"};
  std::string name = constant_text(argument).value_or("");
  for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  for (size_t i = 0; i < kUnits.size(); ++i) {
    if (kUnits[i] == name) return static_cast<Unit>(i);
  }
  return std::nullopt;
}

const CallError kNoUnit{"the unit is no constant, or none of those known",
                        "'year', 'quarter', 'month', 'week', 'day', 'hour', 'minute' or 'second'"};

int32_t part_of(int64_t ms, Unit unit) {
  CivilTime time = civil_time(ms);
  switch (unit) {
    case Unit::kYear:
      return static_cast<int32_t>(time.year);
    case Unit::kMonth:
      return time.month;
    case Unit::kDay:
      return time.day;
    case Unit::kHour:
      return time.hour;
    case Unit::kMinute:
      return time.minute;
    case Unit::kSecond:
      return time.second;
    case Unit::kWeek:
      return week_of_year(ms);
    case Unit::kQuarter:
      return (time.month - 1) / 3 + 1;
  }
  return 0;
}

/// Months later, on the same day or the last one that the month has.
std::optional<int64_t> months_later(int64_t ms, int64_t months) {
  CivilTime time = civil_time(ms);
  int64_t month = time.year * 12 + time.month - 1 + months;
  int64_t year = floor_divide(month, 12);
  if (year < -DatePattern::kYearMax || year > DatePattern::kYearMax) return std::nullopt;
  auto month_of_year = static_cast<int32_t>(month - year * 12 + 1);
  int64_t day = std::min(time.day, days_of_month(year, month_of_year));
  int64_t in_day = ms - floor_divide(ms, kDayMs) * kDayMs;
  return days_to(year, month_of_year, day) * kDayMs + in_day;
}

std::optional<int64_t> later(int64_t ms, int64_t amount, Unit unit) {
  if (!has_date(ms)) return std::nullopt;
  switch (unit) {
    case Unit::kYear:
      return months_later(ms, amount * 12);
    case Unit::kQuarter:
      return months_later(ms, amount * 3);
    case Unit::kMonth:
      return months_later(ms, amount);
    case Unit::kWeek:
      return ms + amount * 7 * kDayMs;
    case Unit::kDay:
      return ms + amount * kDayMs;
    case Unit::kHour:
      return ms + amount * 3'600'000;
    case Unit::kMinute:
      return ms + amount * 60'000;
    case Unit::kSecond:
      return ms + amount * 1000;
  }
  return std::nullopt;
}

// ---- functions ----

/// (time, unit) or (unit, text, [pattern]), both with a locale that means nothing here.
CallResult make_extract(Arguments arguments) {
  bool by_time = !arguments.empty() && arguments[0]->type() != AttributeType::kString;
  auto checked = check_arguments(
      by_time ? "(<long> time, <string> unit, [<string> locale]) <int>"
              : "(<string> unit, <string> text, [<string> pattern, [<string> locale]]) <int>",
      std::move(arguments));
  if (auto* error = std::get_if<CallError>(&checked)) return *error;
  auto& fitting = std::get<Arguments>(checked);
  std::optional<Unit> unit = unit_of(fitting[by_time ? 1 : 0]);
  if (!unit) return kNoUnit;
  if (by_time) {
    return make_row_function(AttributeType::kInt, {fitting[0]},
                             [unit](const RowArguments& in, RowResult& out) {
                               if (in.is_null(0) || !has_date(in.get<int64_t>(0))) return;
                               out.put(part_of(in.get<int64_t>(0), *unit));
                             });
  }
  fitting.erase(fitting.begin());
  if (fitting.size() > 2) fitting.pop_back();
  if (auto error = check_patterns(fitting, {1})) return *error;
  return make_row_function(
      AttributeType::kInt, std::move(fitting),
      [unit, patterns = make_patterns()](const RowArguments& in, RowResult& out) {
        if (in.is_null(0) || (in.size() > 1 && in.is_null(1))) return;
        std::optional<int64_t> ms = (*patterns)[0].read(pattern_at(in, 1), in.text(0));
        if (ms) out.put(part_of(*ms, *unit));
      });
}

/// (time, pattern) or (text, pattern, [pattern of the text]).
CallResult make_date_format(Arguments arguments) {
  bool by_time = !arguments.empty() && arguments[0]->type() != AttributeType::kString;
  auto checked = check_arguments(
      by_time ? "(<long> time, <string> pattern) <string>"
              : "(<string> text, <string> pattern, [<string> pattern of text]) <string>",
      std::move(arguments));
  if (auto* error = std::get_if<CallError>(&checked)) return *error;
  auto& fitting = std::get<Arguments>(checked);
  if (auto error = check_patterns(fitting, {1, 2})) return *error;
  return make_row_function(
      AttributeType::kString, std::move(fitting),
      [by_time, patterns = make_patterns()](const RowArguments& in, RowResult& out) {
        for (size_t i = 0; i < in.size(); ++i) {
          if (in.is_null(i)) return;
        }
        std::optional<int64_t> ms =
            by_time ? in.get<int64_t>(0) : (*patterns)[1].read(pattern_at(in, 2), in.text(0));
        const DatePattern* pattern = (*patterns)[0].of(in.text(1));
        if (ms && has_date(*ms) && pattern != nullptr) out.put_text(pattern->format(*ms, 0));
      });
}

/// (text, amount, unit, [pattern]) gives a text like it; (time, amount, unit) the time's digits.
template <int kSign>
CallResult make_date_shift(Arguments arguments) {
  bool by_time = !arguments.empty() && arguments[0]->type() != AttributeType::kString;
  auto checked = check_arguments(
      by_time ? "(<long> time, <int> amount, <string> unit) <string>"
              : "(<string> text, <int> amount, <string> unit, [<string> pattern]) <string>",
      std::move(arguments));
  if (auto* error = std::get_if<CallError>(&checked)) return *error;
  auto& fitting = std::get<Arguments>(checked);
  std::optional<Unit> unit = unit_of(fitting[2]);
  if (!unit) return kNoUnit;
  fitting.erase(fitting.begin() + 2);
  if (auto error = check_patterns(fitting, {2})) return *error;
  return make_row_function(
      AttributeType::kString, std::move(fitting),
      [unit, by_time, patterns = make_patterns()](const RowArguments& in, RowResult& out) {
        for (size_t i = 0; i < in.size(); ++i) {
          if (in.is_null(i)) return;
        }
        std::optional<int64_t> ms =
            by_time ? in.get<int64_t>(0) : (*patterns)[0].read(pattern_at(in, 2), in.text(0));
        if (ms) ms = later(*ms, int64_t{in.get<int32_t>(1)} * kSign, *unit);
        if (!ms || !has_date(*ms)) return;
        const DatePattern* pattern = by_time ? nullptr : (*patterns)[0].of(pattern_at(in, 2));
        out.put_text(by_time ? std::to_string(*ms) : pattern->format(*ms, 0));
      });
}

/// Days from the second moment to the first, as whole dates.
CallResult make_date_difference(Arguments arguments) {
  bool by_time = !arguments.empty() && arguments[0]->type() != AttributeType::kString;
  auto checked = check_arguments(
      by_time ? "(<long> time, <long> other) <int>"
              : "(<string> text, <string> other, [<string> pattern, [<string> pattern of other]]) "
                "<int>",
      std::move(arguments));
  if (auto* error = std::get_if<CallError>(&checked)) return *error;
  auto& fitting = std::get<Arguments>(checked);
  if (auto error = check_patterns(fitting, {2, 3})) return *error;
  return make_row_function(
      AttributeType::kInt, std::move(fitting),
      [by_time, patterns = make_patterns()](const RowArguments& in, RowResult& out) {
        for (size_t i = 0; i < in.size(); ++i) {
          if (in.is_null(i)) return;
        }
        std::optional<int64_t> a, b;
        if (by_time) {
          a = in.get<int64_t>(0);
          b = in.get<int64_t>(1);
        } else {
          a = (*patterns)[0].read(pattern_at(in, 2), in.text(0));
          b = (*patterns)[1].read(pattern_at(in, 3), in.text(1));
        }
        if (!a || !b) return;
        int64_t days = floor_divide(*a, kDayMs) - floor_divide(*b, kDayMs);
        if (days == static_cast<int32_t>(days)) out.put(static_cast<int32_t>(days));
      });
}

using ReadBody = void (*)(int64_t ms, RowResult& out);

/// An entry over a text and its pattern.
FunctionEntry read_entry(std::string_view name, std::string_view signature, std::string_view doc,
                         ReadBody body) {
  auto make = [signature, body](Arguments arguments) -> CallResult {
    if (auto error = check_patterns(arguments, {1})) return *error;
    auto read = [body, patterns = make_patterns()](const RowArguments& in, RowResult& out) {
      std::optional<int64_t> ms = (*patterns)[0].read(pattern_at(in, 1), in.text(0));
      if (ms) body(*ms, out);
    };
    return call_by_signature(signature, std::move(arguments), read, Nulls::kGiveNull);
  };
  return {"time", name, signature, doc, make};
}

void put_formatted(std::string_view pattern, int64_t ms, RowResult& out) {
  out.put_text(DatePattern::parse(pattern)->format(ms, 0));
}

void put_date(int64_t ms, RowResult& out) { put_formatted("yyyy-MM-dd", ms, out); }
void put_weekday(int64_t ms, RowResult& out) { put_formatted("EEEE", ms, out); }
void put_time(int64_t ms, RowResult& out) { out.put(ms); }

CallResult make_timestamp(Arguments arguments) {
  if (arguments.empty()) {
    return make_row_function(AttributeType::kLong, {}, [](const RowArguments& in, RowResult& out) {
      out.put(in.clock_ms());
    });
  }
  return read_entry("timestampInMilliseconds", "(<string> text, [<string> pattern]) <long>", "",
                    put_time)
      .make(std::move(arguments));
}

FunctionEntry clock_entry(std::string_view name, std::string_view doc, std::string_view pattern) {
  FunctionEntry entry = row_entry("time", name, "() <string>", doc,
                                  [pattern](const RowArguments& in, RowResult& out) {
                                    put_formatted(pattern, in.clock_ms(), out);
                                  });
  entry.reads_clock = true;
  return entry;
}

CallError no_zone(const std::string& name) {
  return {"'" + name + "' is no time zone that is known here",
          "UTC, an offset such as +05:30, or the name of a zone without summer time"};
}

CallResult make_current_timestamp(Arguments arguments) {
  for (const ExpressionPtr& argument : arguments) {
    std::optional<std::string> zone = constant_text(argument);
    if (zone && !zone_offset(*zone)) return no_zone(*zone);
  }
  return call_by_signature(
      "([<string> zone]) <string>", std::move(arguments),
      [](const RowArguments& in, RowResult& out) {
        auto offset = in.size() > 0 ? zone_offset(in.text(0)) : 0;
        auto pattern = DatePattern::parse("yyyy-MM-dd HH:mm:ss");
        if (offset) out.put_text(pattern->format(in.clock_ms(), *offset));
      },
      Nulls::kGiveNull);
}

CallResult make_zone_change(Arguments arguments) {
  constexpr std::string_view kSignature =
      "(<string> text, <string> pattern, <string> to zone, [<string> from zone]) <string>";
  if (auto error = check_patterns(arguments, {1})) return *error;
  for (size_t place : {2, 3}) {
    if (place >= arguments.size()) continue;
    std::optional<std::string> zone = constant_text(arguments[place]);
    if (zone && !zone_offset(*zone)) return no_zone(*zone);
  }
  return call_by_signature(
      kSignature, std::move(arguments),
      [patterns = make_patterns()](const RowArguments& in, RowResult& out) {
        std::optional<int32_t> to = zone_offset(in.text(2));
        std::optional<int32_t> from = in.size() > 3 ? zone_offset(in.text(3)) : 0;
        const DatePattern* pattern = (*patterns)[0].of(in.text(1));
        if (!to || !from || pattern == nullptr) return;
        std::optional<int64_t> ms = pattern->read(in.text(0), *from);
        if (ms) out.put_text(pattern->format(*ms, *to));
      },
      Nulls::kGiveNull);
}

}  // namespace

std::vector<FunctionEntry> time_functions() {
  return {
      clock_entry("currentDate", "The engine's date: yyyy-MM-dd.", "yyyy-MM-dd"),
      clock_entry("currentTime", "The engine's time of day: HH:mm:ss.", "HH:mm:ss"),
      {"time", "currentTimestamp", "([<string> zone]) <string>",
       "The engine's time, in UTC or another zone: yyyy-MM-dd HH:mm:ss.", make_current_timestamp,
       true},
      read_entry("date", "(<string> text, [<string> pattern]) <string>",
                 "The date of a time that is read by a pattern: yyyy-MM-dd.", put_date),
      {"time", "dateAdd",
       "(<string> text, <int> amount, <string> unit, [<string> pattern]) <string>, "
       "(<long> time, <int> amount, <string> unit) <string>",
       "The time so many years, quarters, months, weeks, days, hours, minutes or seconds later.",
       make_date_shift<1>},
      {"time", "dateDiff",
       "(<string> text, <string> other, [<string> pattern, [<string> pattern of other]]) <int>, "
       "(<long> time, <long> other) <int>",
       "Days from the second date to the first.", make_date_difference},
      {"time", "dateFormat",
       "(<long> time, <string> pattern) <string>, "
       "(<string> text, <string> pattern, [<string> pattern of text]) <string>",
       "A time as text, by a pattern such as yyyy-MM-dd HH:mm:ss.", make_date_format},
      {"time", "dateSub",
       "(<string> text, <int> amount, <string> unit, [<string> pattern]) <string>, "
       "(<long> time, <int> amount, <string> unit) <string>",
       "The time so many units earlier.", make_date_shift<-1>},
      read_entry("dayOfWeek", "(<string> text, [<string> pattern]) <string>",
                 "The name of the day of a time that is read by a pattern.", put_weekday),
      {"time", "extract",
       "(<long> time, <string> unit, [<string> locale]) <int>, "
       "(<string> unit, <string> text, [<string> pattern, [<string> locale]]) <int>",
       "A part of a time in UTC: year, quarter, month (1-12), week, day, hour (0-23), minute or "
       "second.",
       make_extract},
      clock_entry("now", "The same as currentTimestamp().", "yyyy-MM-dd HH:mm:ss"),
      {"time", "timestampInMilliseconds", "([<string> text, [<string> pattern]]) <long>",
       "The time that a text is read as by a pattern, or the engine's time.", make_timestamp, true},
      {"time", "timezoneConvert",
       "(<string> text, <string> pattern, <string> to zone, [<string> from zone]) <string>",
       "A time of one zone, UTC where it is not named, as that of another.", make_zone_change},
      clock_entry("utcTimestamp", "The engine's time in UTC: yyyy-MM-dd HH:mm:ss.",
                  "yyyy-MM-dd HH:mm:ss"),
  };
}

}  // namespace pollux
