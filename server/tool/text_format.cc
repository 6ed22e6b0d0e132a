#include "server/tool/text_format.h"

#include <charconv>
#include <iterator>

namespace pollux::tool {

namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kMinuteMs = 60 * kSecondMs;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr int64_t kDurationMsMax = 3650 * kDayMs;

int64_t unit_ms(std::string_view unit) {
  struct Unit {
    std::string_view name;
    int64_t ms;
  };
  constexpr Unit kUnits[] = {
      {"ms", 1},
      {"millisec", 1},
      {"milliseconds", 1},
      {"s", kSecondMs},
      {"sec", kSecondMs},
      {"second", kSecondMs},
      {"seconds", kSecondMs},
      {"min", kMinuteMs},
      {"minute", kMinuteMs},
      {"minutes", kMinuteMs},
      {"h", kHourMs},
      {"hour", kHourMs},
      {"hours", kHourMs},
      {"d", kDayMs},
      {"day", kDayMs},
      {"days", kDayMs},
  };
  for (const Unit& known : kUnits) {
    if (known.name == unit) return known.ms;
  }
  return 0;
}

}  // namespace

std::string with_thousands(uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string counted(uint64_t value, std::string_view noun) {
  std::string text = value == 0 ? "no" : with_thousands(value);
  text += ' ';
  text += noun;
  if (value != 1) text += 's';
  return text;
}

std::optional<int64_t> parse_duration_ms(std::string_view text) {
  int64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  int64_t unit = unit_ms(text);
  if (unit == 0 || count > kDurationMsMax / unit) return std::nullopt;
  return count * unit;
}

std::string duration_text(uint64_t ms) {
  struct Unit {
    int64_t ms;
    const char* name;
  };
  constexpr Unit kUnits[] = {
      {kDayMs, " d"}, {kHourMs, " h"}, {kMinuteMs, " min"}, {kSecondMs, " s"}, {1, " ms"}};
  for (size_t i = 0; i < std::size(kUnits); ++i) {
    const auto unit_ms = static_cast<uint64_t>(kUnits[i].ms);
    if (ms < unit_ms && i + 1 < std::size(kUnits)) continue;
    std::string text = std::to_string(ms / unit_ms) + kUnits[i].name;
    if (unit_ms <= kSecondMs) return text;
    const auto next_ms = static_cast<uint64_t>(kUnits[i + 1].ms);
    const uint64_t rest = ms % unit_ms / next_ms;
    return rest == 0 ? text : text + " " + std::to_string(rest) + kUnits[i + 1].name;
  }
  return {};
}

std::string printable(std::string_view text) {
  std::string clean(text);
  for (size_t i = 0; i < clean.size(); ++i) {
    const auto byte = static_cast<unsigned char>(clean[i]);
    if (byte < 0x20 || byte == 0x7F) {
      clean[i] = '?';
    } else if (byte == 0xC2 && i + 1 < clean.size() &&
               static_cast<unsigned char>(clean[i + 1]) < 0xA0) {
      clean[i++] = '?';  // a control character of the upper half, in UTF-8
      clean[i] = '?';
    }
  }
  return clean;
}

}  // namespace pollux::tool
