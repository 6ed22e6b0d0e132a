#include "engine/base/cron.h"

#include <charconv>
#include <limits>
#include <vector>

#include "engine/base/civil_time.h"

namespace pollux {
namespace {

constexpr std::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                        "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kWeekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return parts;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::vector<std::string> fields_of(std::string_view text) {
  std::vector<std::string> fields;
  bool inside = false;
  for (char c : text) {
    if (is_space(c)) {
      inside = false;
      continue;
    }
    if (!inside) fields.emplace_back();
    inside = true;
    fields.back() += c;
  }
  return fields;
}

/// Days since 1970-01-01, a Thursday; 1 is Sunday.
unsigned quartz_weekday(int64_t day) { return static_cast<unsigned>(weekday_of(day)) + 1; }

/// The weekday next to a day of the month, in the same month. `first`: the month's first day, since
/// 1970.
unsigned nearest_weekday(int64_t first, unsigned day, unsigned last) {
  unsigned weekday = quartz_weekday(first + day - 1);
  if (weekday == 7) return day > 1 ? day - 1 : day + 2;     // Saturday
  if (weekday == 1) return day < last ? day + 1 : day - 2;  // Sunday
  return day;
}

}  // namespace

/// Reads one field into a set.
class CronSchedule::Reader {
 public:
  Reader(const char* what, int least, int most, const std::string_view* names, int first_named,
         int named)
      : what_(what),
        least_(least),
        most_(most),
        names_(names),
        first_named_(first_named),
        named_(named) {}

  template <class Set>
  bool read(const std::string& field, int offset, Set& set, std::string& error) const {
    for (const std::string& part : split(field, ',')) {
      if (!read_part(part, offset, set)) {
        error = std::string("'") + field + "' is no " + what_ + " of a cron expression";
        return false;
      }
    }
    return true;
  }

  bool number(std::string_view text, int& value) const {
    for (int i = 0; i < named_; ++i) {
      if (names_[i] != text) continue;
      value = first_named_ + i;
      return true;
    }
    auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool whole = wrong == std::errc() && end == text.data() + text.size() && !text.empty();
    return whole && value >= least_ && value <= most_;
  }

 private:
  template <class Set>
  bool read_part(const std::string& part, int offset, Set& set) const {
    std::vector<std::string> stepped = split(part, '/');
    if (stepped.size() > 2) return false;
    int step = 1;
    bool has_step = stepped.size() == 2;
    if (has_step) {
      const std::string& text = stepped[1];
      auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), step);
      if (wrong != std::errc() || end != text.data() + text.size() || step <= 0) return false;
    }
    int from = least_;
    int to = most_;
    if (stepped[0] != "*") {
      std::vector<std::string> range = split(stepped[0], '-');
      if (range.size() > 2 || !number(range[0], from)) return false;
      if (range.size() == 2) {
        if (!number(range[1], to)) return false;
      } else if (!has_step) {
        to = from;
      }
    }
    int count = to >= from ? to - from + 1 : most_ - from + 1 + to - least_ + 1;  // FRI-MON
    for (int i = 0; i < count; i += step) {
      int value = from + i;
      if (value > most_) value -= most_ - least_ + 1;
      set.set(static_cast<size_t>(value - offset));
    }
    return true;
  }

  const char* what_;
  int least_, most_;
  const std::string_view* names_;
  int first_named_, named_;
};

std::optional<CronSchedule> CronSchedule::parse(std::string_view text, std::string& error) {
  std::vector<std::string> fields = fields_of(text);
  if (fields.size() != 6 && fields.size() != 7) {
    error = "a cron expression has 6 or 7 fields, not " + std::to_string(fields.size());
    return std::nullopt;
  }
  const Reader seconds("second", 0, 59, nullptr, 0, 0);
  const Reader minutes("minute", 0, 59, nullptr, 0, 0);
  const Reader hours("hour", 0, 23, nullptr, 0, 0);
  const Reader days("day of a month", 1, 31, nullptr, 0, 0);
  const Reader months("month", 1, 12, kMonths, 1, 12);
  const Reader weekdays("day of a week", 1, 7, kWeekdays, 1, 7);
  const Reader years("year", kFirstYear, kLastYear, nullptr, 0, 0);
  CronSchedule cron;
  bool good = seconds.read(fields[0], 0, cron.seconds_, error) &&
              minutes.read(fields[1], 0, cron.minutes_, error) &&
              hours.read(fields[2], 0, cron.hours_, error) &&
              months.read(fields[4], 0, cron.months_, error) &&
              years.read(fields.size() == 7 ? fields[6] : "*", kFirstYear, cron.years_, error);
  if (!good) return std::nullopt;
  const std::string day = split(fields[3], ' ')[0];
  const std::string weekday = split(fields[5], ' ')[0];
  if ((day == "?") == (weekday == "?")) {
    error = "one of the day of the month and the day of the week must be '?'";
    return std::nullopt;
  }
  cron.by_weekday_ = day == "?";
  int number = 0;
  if (!cron.by_weekday_) {
    if (day == "L") {
      cron.last_day_ = true;
    } else if (day.size() > 1 && day.back() == 'W' &&
               days.number(std::string_view(day).substr(0, day.size() - 1), number)) {
      cron.nearest_to_ = static_cast<unsigned>(number);
    } else if (!days.read(day, 0, cron.days_, error)) {
      return std::nullopt;
    }
    return cron;
  }
  std::vector<std::string> nth = split(weekday, '#');
  int which = 0;
  if (nth.size() == 2 && weekdays.number(nth[0], number) && nth[1].size() == 1 &&
      (which = nth[1][0] - '0') >= 1 && which <= 5) {
    cron.nth_ = static_cast<unsigned>(which);
    cron.weekdays_.set(static_cast<size_t>(number));
  } else if (weekday.size() > 1 && weekday.back() == 'L' &&
             weekdays.number(std::string_view(weekday).substr(0, weekday.size() - 1), number)) {
    cron.last_weekday_ = true;
    cron.weekdays_.set(static_cast<size_t>(number));
  } else if (!weekdays.read(weekday, 0, cron.weekdays_, error)) {
    return std::nullopt;
  }
  return cron;
}

/// Days since 1970-01-01.
bool CronSchedule::is_day(int64_t day) const {
  CivilTime date = civil_time(day * kDayMs);
  auto in_month = static_cast<unsigned>(date.day);
  auto last = static_cast<unsigned>(days_of_month(date.year, date.month));
  if (!years_.test(static_cast<size_t>(date.year - kFirstYear))) return false;
  if (!months_.test(static_cast<size_t>(date.month))) return false;
  if (!by_weekday_) {
    if (last_day_) return in_month == last;
    if (nearest_to_ == 0) return days_.test(in_month);
    int64_t first = day - in_month + 1;
    return nearest_to_ <= last && in_month == nearest_weekday(first, nearest_to_, last);
  }
  if (!weekdays_.test(quartz_weekday(day))) return false;
  if (nth_ != 0) return (in_month - 1) / 7 + 1 == nth_;
  return !last_weekday_ || in_month + 7 > last;
}

int64_t CronSchedule::next_after(int64_t ms) const {
  constexpr int64_t kEndMs = 7258118400000;  // 2200
  constexpr int64_t kDaySeconds = kDayMs / 1000;
  if (ms >= kEndMs) return std::numeric_limits<int64_t>::max();
  int64_t second = ms < 0 ? 0 : ms / 1000 + 1;
  int64_t in_day = second % kDaySeconds;
  for (int64_t day = second / kDaySeconds; day * kDayMs < kEndMs; ++day, in_day = 0) {
    if (!is_day(day)) continue;
    int64_t found = next_in_day(in_day);
    if (found < kDaySeconds) return day * kDayMs + found * 1000;
  }
  return std::numeric_limits<int64_t>::max();
}

/// The first second of a day from `second` on; a day's seconds when there is none.
int64_t CronSchedule::next_in_day(int64_t second) const {
  for (int64_t hour = second / 3600; hour < 24; ++hour, second = hour * 3600) {
    if (!hours_.test(static_cast<size_t>(hour))) continue;
    for (int64_t minute = second / 60 % 60; minute < 60; ++minute) {
      if (!minutes_.test(static_cast<size_t>(minute))) continue;
      bool first = hour * 60 + minute == second / 60;
      for (int64_t s = first ? second % 60 : 0; s < 60; ++s) {
        if (seconds_.test(static_cast<size_t>(s))) return hour * 3600 + minute * 60 + s;
      }
    }
  }
  return kDayMs / 1000;
}

}  // namespace pollux
