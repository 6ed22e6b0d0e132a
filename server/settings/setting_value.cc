// Texts of values: parsing, writing, describing.

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "absl/status/status.h"
#include "engine/language/diagnostics.h"
#include "server/formats/utf8.h"
#include "server/settings/setting_table.h"

namespace pollux {

namespace {

constexpr size_t kTextBytesMax = 4096;
/// By Dialect.
constexpr std::string_view kDialectNames[] = {"5.1", "3.1"};
constexpr std::string_view kSwitchNames[] = {"false", "true"};
/// By SyncMode.
constexpr std::string_view kSyncModeNames[] = {"every_commit", "interval", "never"};

struct Unit {
  std::string_view name;
  uint64_t size;
};
// The names that are written come first, largest first; the others are only read.
constexpr Unit kDurationUnits[] = {
    {"days", 86'400'000}, {"h", 3'600'000},    {"min", 60'000},
    {"s", 1'000},         {"ms", 1},           {"day", 86'400'000},
    {"d", 86'400'000},    {"hour", 3'600'000}, {"hours", 3'600'000},
    {"minute", 60'000},   {"minutes", 60'000}, {"sec", 1'000},
    {"second", 1'000},    {"seconds", 1'000},  {"millisec", 1},
    {"milliseconds", 1},
};
constexpr size_t kDurationUnitsWritten = 5;
constexpr Unit kBytesUnits[] = {
    {"TiB", uint64_t{1} << 40},
    {"GiB", uint64_t{1} << 30},
    {"MiB", uint64_t{1} << 20},
    {"KiB", uint64_t{1} << 10},
    {"bytes", 1},
};

std::span<const Unit> units_of(SettingType type) {
  if (type == SettingType::kDuration) return kDurationUnits;
  if (type == SettingType::kBytes) return kBytesUnits;
  return {};
}

std::span<const std::string_view> choices_of(SettingType type) {
  if (type == SettingType::kLogLevel) return kLogLevelNames;
  if (type == SettingType::kLogFormat) return kLogFormatNames;
  if (type == SettingType::kDialect) return kDialectNames;
  if (type == SettingType::kSwitch) return kSwitchNames;
  if (type == SettingType::kSyncMode) return kSyncModeNames;
  return {};
}

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    text += i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string number_text(SettingType type, uint64_t number) {
  std::span<const Unit> units = units_of(type);
  if (units.empty()) return std::to_string(number);
  if (type == SettingType::kDuration) units = units.first(kDurationUnitsWritten);
  if (number == 0) return type == SettingType::kDuration ? "0 s" : "0 bytes";
  for (const Unit& unit : units) {
    if (number % unit.size != 0) continue;
    const uint64_t count = number / unit.size;
    if (unit.name == "days" && count == 1) return "1 day";
    return std::to_string(count) + " " + std::string(unit.name);
  }
  return std::to_string(number);
}

absl::Status wrong(std::string message) { return absl::InvalidArgumentError(std::move(message)); }

absl::StatusOr<SettingValue> parse_choice(const Setting& setting, std::string_view text) {
  std::span<const std::string_view> choices = choices_of(setting.type);
  for (size_t i = 0; i < choices.size(); ++i) {
    if (choices[i] == text) return SettingValue(uint64_t{i});
  }
  const std::string nearest = nearest_name(std::string(text), {choices.begin(), choices.end()});
  return wrong(in_quotes(text) + " is not " + joined(choices) +
               (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
}

absl::StatusOr<SettingValue> parse_number(const Setting& setting, std::string_view text) {
  const std::span<const Unit> units = units_of(setting.type);
  const char* example = setting.type == SettingType::kDuration ? "250 ms, 30 s, 15 min, 2 h, 7 days"
                                                               : "bytes, KiB, MiB, GiB, TiB";
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc::invalid_argument) {
    return wrong(in_quotes(text) + " is no whole number" +
                 (units.empty() ? "" : " with a unit (" + std::string(example) + ")"));
  }
  std::string_view unit_name = text.substr(static_cast<size_t>(end - text.data()));
  unit_name.remove_prefix(std::min(unit_name.find_first_not_of(' '), unit_name.size()));
  uint64_t size = 1;
  // Of bytes the name already tells the unit; a bare duration would be a guess.
  const bool bare_is_fine = setting.type == SettingType::kBytes || units.empty() || count == 0;
  if (!unit_name.empty() || !bare_is_fine) {
    auto unit = std::find_if(units.begin(), units.end(),
                             [&](const Unit& known) { return known.name == unit_name; });
    if (unit == units.end() && units.empty()) return wrong(in_quotes(text) + " is no whole number");
    if (unit == units.end()) {
      return wrong(in_quotes(text) + (unit_name.empty() ? " has no unit" : " has an unknown unit") +
                   " (" + example + ")");
    }
    size = unit->size;
  }
  const bool fits =
      error == std::errc() && count <= setting.max / size && count * size >= setting.min;
  if (!fits) return wrong(in_quotes(text) + " is out of range: " + type_text(setting));
  return SettingValue(count * size);
}

absl::StatusOr<SettingValue> parse_text(const Setting& setting, std::string_view text) {
  if (text.size() > kTextBytesMax) {
    return wrong("longer than " + std::to_string(kTextBytesMax) + " bytes");
  }
  const bool is_clean = is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
                          return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
                        });
  if (!is_clean) return wrong(in_quotes(text) + " holds control characters or is no UTF-8");
  std::string owned(text);
  if (setting.type == SettingType::kAddress) {
    in6_addr address{};
    if (::inet_pton(AF_INET, owned.c_str(), &address) != 1 &&
        ::inet_pton(AF_INET6, owned.c_str(), &address) != 1) {
      return wrong(in_quotes(text) + " is no IPv4 or IPv6 address (0.0.0.0, 127.0.0.1, ::)");
    }
  }
  return SettingValue(std::move(owned));
}

}  // namespace

absl::StatusOr<SettingValue> parse_setting(const Setting& setting, std::string_view text) {
  switch (setting.type) {
    case SettingType::kText:
    case SettingType::kPath:
    case SettingType::kAddress:
      return parse_text(setting, text);
    case SettingType::kCount:
    case SettingType::kPort:
    case SettingType::kDuration:
    case SettingType::kBytes:
      return parse_number(setting, text);
    case SettingType::kLogLevel:
    case SettingType::kLogFormat:
    case SettingType::kDialect:
    case SettingType::kSwitch:
    case SettingType::kSyncMode:
      break;
  }
  return parse_choice(setting, text);
}

std::string setting_text(const Setting& setting, const SettingValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const uint64_t number = std::get<uint64_t>(value);
  const std::span<const std::string_view> choices = choices_of(setting.type);
  return choices.empty() ? number_text(setting.type, number) : std::string(choices[number]);
}

std::string shown_text(const Setting& setting, const SettingValue& value) {
  std::string text = setting_text(setting, value);
  return setting.secret && !text.empty() ? "***" : text;
}

std::string type_text(const Setting& setting) {
  const std::string range =
      number_text(setting.type, setting.min) + " to " + number_text(setting.type, setting.max);
  switch (setting.type) {
    case SettingType::kText:
      return "text";
    case SettingType::kPath:
      return "path";
    case SettingType::kAddress:
      return "IP address";
    case SettingType::kCount:
      return "whole number, " + range;
    case SettingType::kPort:
      return "port, " + range;
    case SettingType::kDuration:
      return "duration, " + range;
    case SettingType::kBytes:
      return "bytes, " + range;
    case SettingType::kLogLevel:
    case SettingType::kLogFormat:
    case SettingType::kDialect:
    case SettingType::kSwitch:
    case SettingType::kSyncMode:
      break;
  }
  return joined(choices_of(setting.type));
}

}  // namespace pollux
