// The settings as the code uses them. Members come from setting_table.def, section by section:
// settings.http.port, settings.data_dir, ...
//
// A value: made by load(), complete and checked. Thread: any, as for any value.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/language/dialect.h"
#include "server/log/log_level.h"

namespace pollux {

/// When what the journal takes is made to last.
enum class SyncMode : uint8_t { kEveryCommit, kInterval, kNever };

/// What a setting of each SettingType is for the code.
namespace setting_type {
using Text = std::string;
using Path = std::string;
using Address = std::string;  ///< IPv4 or IPv6
using Count = uint64_t;
using Port = uint16_t;
using Duration = std::chrono::milliseconds;
using Bytes = uint64_t;
using LogLevel = pollux::LogLevel;
using LogFormat = pollux::LogFormat;
using Dialect = pollux::Dialect;
using Switch = bool;
using SyncMode = pollux::SyncMode;
}  // namespace setting_type

/// Where something was said: file and line; or a variable of the environment and line 0; or
/// nowhere.
struct SettingPlace {
  std::string name;
  int line = 0;
};
/// "FILE:LINE", "POLLUX__HTTP__PORT", "default".
std::string to_text(const SettingPlace& place);

struct ComponentOption {
  std::string name;
  std::string value;
  SettingPlace place;
  /// Never to be shown: its name ends in password, secret, token or authorization.
  bool secret = false;
  friend bool operator==(const ComponentOption& a, const ComponentOption& b) {
    return a.name == b.name && a.value == b.value;
  }
};

/// One receiver, sink or event store. What types there are, and what options, its maker checks;
/// errors name the places that stand here.
struct ComponentSettings {
  std::string name;  ///< unique in its list
  std::string type;
  std::string stream;
  std::vector<ComponentOption> options;  ///< in the file's order, each name once
  SettingPlace place;

  const ComponentOption* option(const std::string& option_name) const;
  friend bool operator==(const ComponentSettings& a, const ComponentSettings& b) {
    return a.name == b.name && a.type == b.type && a.stream == b.stream && a.options == b.options;
  }
};
using ComponentList = std::vector<ComponentSettings>;

/// Names with a text each.
using TextMap = std::map<std::string, std::string>;

struct Settings {
#define ROOT_SETTING(key, Type, ...) setting_type::Type key{};
#define SETTINGS_SECTION(section, StructName, doc) struct StructName {
#define SETTING(section, key, Type, ...) setting_type::Type key{};
#define SETTINGS_SECTION_END(section) \
  }                                   \
  section;
#define COMPONENT_LIST(key, ...) ComponentList key;
#define TEXT_MAP(key, ...) TextMap key;
#include "server/settings/setting_table.def"
};

/// A port as it is to be opened: moved by settings.port_offset, 0 stays 0.
uint16_t moved_port(uint16_t port, const Settings& settings);

}  // namespace pollux
