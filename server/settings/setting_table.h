// The table of settings, and values of its types as text. Thread: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "server/settings/settings.h"

namespace pollux {

enum class SettingType : uint8_t {
  kText,
  kPath,
  kAddress,
  kCount,
  kPort,
  kDuration,
  kBytes,
  kLogLevel,
  kLogFormat,
  kDialect,
  kSwitch,
  kSyncMode,
};

/// Numbers are in ms, bytes, or plain; a choice is its number among choices().
using SettingValue = std::variant<std::string, uint64_t>;

struct Setting {
  std::string_view name;  ///< "section.key", or "key"
  SettingType type = SettingType::kText;
  std::string_view default_text;
  std::string_view doc;
  void (*store)(Settings& settings, const SettingValue& value) = nullptr;
  SettingValue (*fetch)(const Settings& settings) = nullptr;
  uint64_t min = 0;
  uint64_t max = 0;
  bool secret = false;      ///< shown as ***; may be given as NAME_file
  bool reloadable = false;  ///< SIGHUP takes it over; others need a restart
};
using SettingTable = std::span<const Setting>;

struct SettingsSection {
  std::string_view name;
  std::string_view doc;
};

struct ComponentListInfo {
  std::string_view name;
  std::string_view doc;
  std::string_view example;
  ComponentList Settings::*member = nullptr;
  bool has_stream = true;  ///< each item names a stream
};

struct TextMapInfo {
  std::string_view name;
  std::string_view doc;
  std::string_view example;
  TextMap Settings::*member = nullptr;
};

/// Settings in no section come first; those of a section stand together.
SettingTable setting_table();
std::span<const SettingsSection> settings_sections();
std::span<const ComponentListInfo> component_lists();
std::span<const TextMapInfo> text_maps();

/// The value that `text` means; the error says what is wrong with it, and what would be right.
absl::StatusOr<SettingValue> parse_setting(const Setting& setting, std::string_view text);
/// As one would write it: "10 s", "64 MiB", "info". parse_setting() reads it back.
std::string setting_text(const Setting& setting, const SettingValue& value);
/// The same for people: *** for a secret that is not empty.
std::string shown_text(const Setting& setting, const SettingValue& value);
/// "duration, 100 ms to 1 h", "text or json".
std::string type_text(const Setting& setting);
/// "POLLUX__HTTP__PORT"
std::string environment_name(std::string_view setting_name);

}  // namespace pollux
