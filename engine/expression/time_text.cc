#include "engine/expression/time_text.h"

namespace pollux {
namespace {

constexpr std::string_view kForm = "dddd-dd-dd dd:dd:dd";
constexpr std::string_view kOffsetForm = " sdd:dd";

bool has_form(std::string_view text, std::string_view form) {
  if (text.size() != form.size()) return false;
  for (size_t i = 0; i < form.size(); ++i) {
    char c = text[i];
    bool good = form[i] == 'd'   ? c >= '0' && c <= '9'
                : form[i] == 's' ? c == '+' || c == '-'
                                 : c == form[i];
    if (!good) return false;
  }
  return true;
}

int64_t digits(std::string_view text, size_t at, size_t count) {
  int64_t value = 0;
  for (char c : text.substr(at, count)) value = value * 10 + (c - '0');
  return value;
}

int64_t days_in_month(int64_t year, int64_t month) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Days from 1970-01-01 to a date (H. Hinnant, "chrono-compatible low-level date algorithms").
int64_t days_to(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) --year;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

}  // namespace

std::optional<int64_t> parse_time_text(std::string_view text) {
  int64_t offset_minutes = 0;
  if (text.size() > kForm.size()) {
    std::string_view offset = text.substr(kForm.size());
    if (!has_form(offset, kOffsetForm)) return std::nullopt;
    offset_minutes = digits(offset, 2, 2) * 60 + digits(offset, 5, 2);
    if (offset_minutes > 18 * 60 || digits(offset, 5, 2) > 59) return std::nullopt;
    if (offset[1] == '-') offset_minutes = -offset_minutes;
    text = text.substr(0, kForm.size());
  }
  if (!has_form(text, kForm)) return std::nullopt;
  int64_t year = digits(text, 0, 4);
  int64_t month = digits(text, 5, 2);
  int64_t day = digits(text, 8, 2);
  int64_t hour = digits(text, 11, 2);
  int64_t minute = digits(text, 14, 2);
  int64_t second = digits(text, 17, 2);
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  int64_t minutes = (days_to(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
  return (minutes * 60 + second) * 1000;
}

}  // namespace pollux
