#include "engine/expression/date_pattern.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/civil_time.h"

namespace pollux {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::string_view kLetters = "GyMdDEuaHkKhmsSzZXw";
constexpr size_t kWidthMax = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string padded(int64_t value, size_t width) {
  std::string digits = std::to_string(value < 0 ? -value : value);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return value < 0 ? "-" + digits : digits;
}

std::string zone_text(char letter, size_t width, int32_t offset) {
  int32_t minutes = offset < 0 ? -offset : offset;
  std::string sign = offset < 0 ? "-" : "+";
  std::string hours = padded(minutes / 60, 2);
  std::string rest = padded(minutes % 60, 2);
  if (letter == 'Z') return sign + hours + rest;
  if (letter == 'X') {
    if (offset == 0) return "Z";
    if (width == 1) return sign + hours;
    return sign + hours + (width == 2 ? "" : ":") + rest;
  }
  return offset == 0 ? "UTC" : "GMT" + sign + hours + ":" + rest;
}

bool same_letters(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return (x | 0x20) == (y | 0x20);
         });
}

/// Takes the longest of the names, or their first three letters; its number, or -1.
template <size_t kCount>
int64_t take_name(const std::array<std::string_view, kCount>& names, std::string_view& text) {
  for (bool whole : {true, false}) {
    for (size_t i = 0; i < kCount; ++i) {
      std::string_view name = whole ? names[i] : names[i].substr(0, 3);
      if (!same_letters(text.substr(0, name.size()), name)) continue;
      text.remove_prefix(name.size());
      return static_cast<int64_t>(i);
    }
  }
  return -1;
}

/// Takes the digits of a number; empty when there are none.
std::optional<int64_t> take_number(std::string_view& text, size_t digits_max) {
  size_t digits = 0;
  int64_t value = 0;
  while (digits < std::min(text.size(), digits_max) && is_digit(text[digits])) {
    value = value * 10 + (text[digits++] - '0');
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

/// Takes Z, UTC, GMT, +hh, +hhmm, +hh:mm or the latter behind GMT.
std::optional<int32_t> take_zone(std::string_view& text) {
  size_t end = 0;
  while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]) || text[end] == ':' ||
                               text[end] == '+' || text[end] == '-')) {
    ++end;
  }
  for (; end > 0; --end) {
    std::optional<int32_t> offset = zone_offset(text.substr(0, end));
    if (!offset) continue;
    text.remove_prefix(end);
    return offset;
  }
  return std::nullopt;
}

/// What was read, before it is one moment.
struct Fields {
  int64_t year = 1970, month = 1, day = 1, day_of_year = 0;
  int64_t hour = 0, minute = 0, second = 0, millisecond = 0;
  int64_t half_day_hour = -1;
  bool afternoon = false;
  bool before_christ = false;
};

std::optional<int64_t> moment_of(Fields fields, int32_t offset) {
  if (fields.half_day_hour >= 0) fields.hour = fields.half_day_hour + (fields.afternoon ? 12 : 0);
  if (fields.before_christ) fields.year = 1 - fields.year;
  bool good = fields.year <= DatePattern::kYearMax && fields.month >= 1 && fields.month <= 12 &&
              fields.hour <= 23 && fields.minute <= 59 && fields.second <= 59 &&
              fields.millisecond <= 999 && fields.day >= 1 &&
              fields.day <= days_of_month(fields.year, static_cast<int32_t>(fields.month)) &&
              fields.day_of_year <= 366;
  if (!good) return std::nullopt;
  int64_t days = fields.day_of_year > 0 ? days_to(fields.year, 1, 1) + fields.day_of_year - 1
                                        : days_to(fields.year, fields.month, fields.day);
  int64_t minutes = (days * 24 + fields.hour) * 60 + fields.minute - offset;
  return (minutes * 60 + fields.second) * 1000 + fields.millisecond;
}

}  // namespace

std::optional<DatePattern> DatePattern::parse(std::string_view text) {
  DatePattern pattern;
  for (size_t i = 0; i < text.size();) {
    char c = text[i];
    if (c == '\'') {
      size_t end = text.find('\'', i + 1);
      if (end == std::string_view::npos) return std::nullopt;
      std::string quoted(text.substr(i + 1, end - i - 1));
      pattern.parts_.push_back({0, 0, quoted.empty() ? "'" : quoted});
      i = end + 1;
    } else if (is_letter(c)) {
      size_t end = i;
      while (end < text.size() && text[end] == c) ++end;
      if (kLetters.find(c) == std::string_view::npos || end - i > kWidthMax) return std::nullopt;
      pattern.parts_.push_back({c, end - i, {}});
      i = end;
    } else {
      pattern.parts_.push_back({0, 0, std::string(1, c)});
      ++i;
    }
  }
  return pattern;
}

std::string DatePattern::format(int64_t ms, int32_t offset_minutes) const {
  int64_t local = ms + int64_t{offset_minutes} * 60'000;
  CivilTime time = civil_time(local);
  int64_t days = floor_divide(local, kDayMs);
  int64_t era_year = time.year > 0 ? time.year : 1 - time.year;
  std::string text;
  for (const Part& part : parts_) {
    auto number = [&](int64_t value) { text += padded(value, part.width); };
    switch (part.letter) {
      case 'G':
        text += time.year > 0 ? "AD" : "BC";
        break;
      case 'y':
        number(part.width == 2 ? era_year % 100 : era_year);
        break;
      case 'M': {
        std::string_view name = kMonths[static_cast<size_t>(time.month - 1)];
        if (part.width < 3) {
          number(time.month);
        } else {
          text += part.width == 3 ? name.substr(0, 3) : name;
        }
        break;
      }
      case 'd':
        number(time.day);
        break;
      case 'D':
        number(days - days_to(time.year, 1, 1) + 1);
        break;
      case 'E': {
        std::string_view name = kDays[static_cast<size_t>(weekday_of(days))];
        text += part.width < 4 ? name.substr(0, 3) : name;
        break;
      }
      case 'u':
        number(weekday_of(days) == 0 ? 7 : weekday_of(days));
        break;
      case 'a':
        text += time.hour < 12 ? "AM" : "PM";
        break;
      case 'H':
        number(time.hour);
        break;
      case 'k':
        number(time.hour == 0 ? 24 : time.hour);
        break;
      case 'K':
        number(time.hour % 12);
        break;
      case 'h':
        number(time.hour % 12 == 0 ? 12 : time.hour % 12);
        break;
      case 'm':
        number(time.minute);
        break;
      case 's':
        number(time.second);
        break;
      case 'S':
        number(time.millisecond);
        break;
      case 'w':
        number(week_of_year(local));
        break;
      case 0:
        text += part.text;
        break;
      default:
        text += zone_text(part.letter, part.width, offset_minutes);
    }
  }
  return text;
}

std::optional<int64_t> DatePattern::read(std::string_view text, int32_t offset_minutes) const {
  Fields fields;
  for (size_t p = 0; p < parts_.size(); ++p) {
    const Part& part = parts_[p];
    if (part.letter == 0) {
      if (text.substr(0, part.text.size()) != part.text) return std::nullopt;
      text.remove_prefix(part.text.size());
      continue;
    }
    if (part.letter == 'G') {
      std::string_view era = text.substr(0, 2);
      if (!same_letters(era, "AD") && !same_letters(era, "BC")) return std::nullopt;
      fields.before_christ = same_letters(era, "BC");
      text.remove_prefix(2);
      continue;
    }
    if (part.letter == 'a') {
      std::string_view half = text.substr(0, 2);
      if (!same_letters(half, "AM") && !same_letters(half, "PM")) return std::nullopt;
      fields.afternoon = same_letters(half, "PM");
      text.remove_prefix(2);
      continue;
    }
    if (part.letter == 'z' || part.letter == 'Z' || part.letter == 'X') {
      std::optional<int32_t> offset = take_zone(text);
      if (!offset) return std::nullopt;
      offset_minutes = *offset;
      continue;
    }
    if (part.letter == 'E') {
      if (take_name(kDays, text) < 0) return std::nullopt;
      continue;
    }
    if (part.letter == 'M' && part.width >= 3) {
      fields.month = take_name(kMonths, text) + 1;
      if (fields.month == 0) return std::nullopt;
      continue;
    }
    // Numbers side by side have their pattern's width; others all their digits.
    constexpr size_t kDigitsMax = 9;
    const Part* next = p + 1 < parts_.size() ? &parts_[p + 1] : nullptr;
    bool adjacent = next != nullptr &&
                    std::string_view("yMdDuHkKhmsSw").find(next->letter) != std::string_view::npos;
    if (adjacent && next->letter == 'M' && next->width >= 3) adjacent = false;
    size_t digits = text.size();
    std::optional<int64_t> value =
        take_number(text, adjacent ? std::min(part.width, kDigitsMax) : kDigitsMax);
    if (!value) return std::nullopt;
    digits -= text.size();
    switch (part.letter) {
      case 'y':
        fields.year = *value;
        if (part.width == 2 && digits == 2) fields.year += *value < 70 ? 2000 : 1900;
        break;
      case 'M':
        fields.month = *value;
        break;
      case 'd':
        fields.day = *value;
        break;
      case 'D':
        fields.day_of_year = *value;
        break;
      case 'H':
        fields.hour = *value;
        break;
      case 'k':
        fields.hour = *value == 24 ? 0 : *value;
        break;
      case 'K':
        fields.half_day_hour = *value;
        break;
      case 'h':
        fields.half_day_hour = *value == 12 ? 0 : *value;
        break;
      case 'm':
        fields.minute = *value;
        break;
      case 's':
        fields.second = *value;
        break;
      case 'S':
        fields.millisecond = *value;
        break;
      default:
        break;  // the day of the week and the week say nothing that the date does not
    }
  }
  return moment_of(fields, offset_minutes);
}

std::optional<int32_t> zone_offset(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, int32_t>, 17> kZones = {{
      {"UTC", 0},
      {"GMT", 0},
      {"Z", 0},
      {"Etc/UTC", 0},
      {"EST", -300},
      {"MST", -420},
      {"HST", -600},
      {"PNT", -420},
      {"IST", 330},
      {"Asia/Kolkata", 330},
      {"Asia/Colombo", 330},
      {"JST", 540},
      {"Asia/Tokyo", 540},
      {"CTT", 480},
      {"Asia/Shanghai", 480},
      {"Asia/Singapore", 480},
      {"Asia/Dubai", 240},
  }};
  for (const auto& [zone, minutes] : kZones) {
    if (zone == name) return minutes;
  }
  if (name.substr(0, 3) == "GMT" || name.substr(0, 3) == "UTC") name.remove_prefix(3);
  if (name.size() < 2 || (name[0] != '+' && name[0] != '-')) return std::nullopt;
  bool west = name[0] == '-';
  name.remove_prefix(1);
  bool colon = name.find(':') != std::string_view::npos;
  std::optional<int64_t> hours = take_number(name, 2);
  int64_t minutes = 0;
  if (colon && (name.empty() || name[0] != ':')) return std::nullopt;
  if (colon) name.remove_prefix(1);
  if (!name.empty() || colon) {
    if (name.size() != 2) return std::nullopt;
    std::optional<int64_t> taken = take_number(name, 2);
    if (!taken || !name.empty()) return std::nullopt;
    minutes = *taken;
  }
  if (!hours || *hours > 18 || minutes > 59) return std::nullopt;
  auto offset = static_cast<int32_t>(*hours * 60 + minutes);
  return west ? -offset : offset;
}

int32_t week_of_year(int64_t ms) {
  int64_t days = floor_divide(ms, kDayMs);
  int64_t year = civil_time(ms).year;
  int64_t next = days_to(year + 1, 1, 1);
  if (days >= next - weekday_of(next)) return 1;  // the week of the next January 1st
  int64_t first = days_to(year, 1, 1);
  return static_cast<int32_t>((days - first + weekday_of(first)) / 7 + 1);
}

}  // namespace pollux
