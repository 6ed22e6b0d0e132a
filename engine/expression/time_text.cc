#include "engine/expression/time_text.h"

#include <array>
#include <cstddef>

#include "engine/base/civil_time.h"

namespace pollux {
namespace {

constexpr std::string_view kForm = "dddd-dd-dd dd:dd:dd";
constexpr std::string_view kOffsetForm = " sdd:dd";
/// Where the parts behind the year stand in the form: month, day, hour, minute, second.
constexpr std::array<size_t, 5> kPartPlaces = {5, 8, 11, 14, 17};

/// What was read: parts that are stars have their least value.
struct ReadTime {
  CivilTime time{};
  int64_t offset_minutes = 0;
  size_t stars = 0;  ///< how many parts are stars
};

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

int32_t digits(std::string_view text, size_t at, size_t count) {
  int32_t value = 0;
  for (char c : text.substr(at, count)) value = value * 10 + (c - '0');
  return value;
}

/// Takes the offset off the text; false when it is none.
bool take_offset(std::string_view& text, int64_t& minutes) {
  if (text.size() <= kForm.size()) return true;
  std::string_view offset = text.substr(kForm.size());
  if (!has_form(offset, kOffsetForm)) return false;
  minutes = digits(offset, 2, 2) * 60 + digits(offset, 5, 2);
  if (minutes > 18 * 60 || digits(offset, 5, 2) > 59) return false;
  if (offset[1] == '-') minutes = -minutes;
  text = text.substr(0, kForm.size());
  return true;
}

std::string_view without_blanks_around(std::string_view text) {
  size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

std::optional<ReadTime> read_time(std::string_view text) {
  ReadTime read;
  text = without_blanks_around(text);
  if (!take_offset(text, read.offset_minutes) || text.size() != kForm.size()) return std::nullopt;
  std::array<char, kForm.size()> form;
  kForm.copy(form.data(), form.size());
  while (read.stars < kPartPlaces.size()) {
    size_t place = kPartPlaces[kPartPlaces.size() - 1 - read.stars];
    if (text.substr(place, 2) != "**") break;
    form[place] = form[place + 1] = '*';
    ++read.stars;
  }
  if (!has_form(text, std::string_view(form.data(), form.size()))) return std::nullopt;
  size_t written = kPartPlaces.size() - read.stars;
  auto part = [&](size_t index, int32_t least) {
    return index < written ? digits(text, kPartPlaces[index], 2) : least;
  };
  CivilTime& time = read.time;
  time.year = digits(text, 0, 4);
  time.month = part(0, 1);
  time.day = part(1, 1);
  time.hour = part(2, 0);
  time.minute = part(3, 0);
  time.second = part(4, 0);
  if (time.month < 1 || time.month > 12) return std::nullopt;
  if (time.day < 1 || time.day > days_of_month(time.year, time.month)) return std::nullopt;
  if (time.hour > 23 || time.minute > 59 || time.second > 59) return std::nullopt;
  return read;
}

/// Milliseconds since 1970, as if the time were in UTC.
int64_t local_ms(const CivilTime& time) {
  int64_t minutes = (days_to(time.year, time.month, time.day) * 24 + time.hour) * 60 + time.minute;
  return (minutes * 60 + time.second) * 1000;
}

}  // namespace

std::optional<int64_t> parse_time_text(std::string_view text) {
  std::optional<ReadTime> read = read_time(text);
  if (!read || read->stars > 0) return std::nullopt;
  return local_ms(read->time) - read->offset_minutes * 60'000;
}

std::optional<TimeRange> parse_time_pattern(std::string_view text) {
  std::optional<ReadTime> read = read_time(text);
  if (!read) return std::nullopt;
  // As many stars as that, so coarse the span: seconds without any.
  TimeRange local = span_of(static_cast<CalendarUnit>(read->stars), local_ms(read->time));
  int64_t offset_ms = read->offset_minutes * 60'000;
  return TimeRange{local.from_ms - offset_ms, local.to_ms - offset_ms};
}

}  // namespace pollux
