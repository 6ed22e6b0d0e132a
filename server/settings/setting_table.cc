#include "server/settings/setting_table.h"

#include <array>

#include "engine/base/check.h"

namespace pollux {

namespace {

void store_value(std::string& member, const SettingValue& value) {
  member = std::get<std::string>(value);
}
void store_value(uint64_t& member, const SettingValue& value) {
  member = std::get<uint64_t>(value);
}
void store_value(uint16_t& member, const SettingValue& value) {
  member = static_cast<uint16_t>(std::get<uint64_t>(value));
}
void store_value(std::chrono::milliseconds& member, const SettingValue& value) {
  member = std::chrono::milliseconds(std::get<uint64_t>(value));
}
void store_value(bool& member, const SettingValue& value) {
  member = std::get<uint64_t>(value) != 0;
}
template <class Choice>
requires std::is_enum_v<Choice>
void store_value(Choice& member, const SettingValue& value) {
  member = static_cast<Choice>(std::get<uint64_t>(value));
}

SettingValue fetch_value(const std::string& member) { return member; }
SettingValue fetch_value(uint64_t member) { return member; }
SettingValue fetch_value(uint16_t member) { return uint64_t{member}; }
SettingValue fetch_value(bool member) { return uint64_t{member}; }
SettingValue fetch_value(std::chrono::milliseconds member) {
  return static_cast<uint64_t>(member.count());
}
template <class Choice>
requires std::is_enum_v<Choice> SettingValue fetch_value(Choice member) {
  return static_cast<uint64_t>(member);
}

constexpr Setting kSettings[] = {
#define POLLUX_SETTING_ROW(setting_name, member, Type, text, meaning, ...)          \
  {.name = setting_name,                                                            \
   .type = SettingType::k##Type,                                                    \
   .default_text = text,                                                            \
   .doc = meaning,                                                                  \
   .store = [](Settings& settings,                                                  \
               const SettingValue& value) { store_value(settings.member, value); }, \
   .fetch = [](const Settings& settings) { return fetch_value(settings.member); },  \
   __VA_ARGS__},
#define ROOT_SETTING(key, Type, text, meaning, ...) \
  POLLUX_SETTING_ROW(#key, key, Type, text, meaning, __VA_ARGS__)
#define SETTING(section, key, Type, text, meaning, ...) \
  POLLUX_SETTING_ROW(#section "." #key, section.key, Type, text, meaning, __VA_ARGS__)
#include "server/settings/setting_table.def"
#undef POLLUX_SETTING_ROW
};

constexpr SettingsSection kSections[] = {
#define SETTINGS_SECTION(section, StructName, doc) {#section, doc},
#include "server/settings/setting_table.def"
};

constexpr ComponentListInfo kComponentLists[] = {
#define COMPONENT_LIST(key, doc, example, has_stream) \
  {#key, doc, example, &Settings::key, has_stream},
#include "server/settings/setting_table.def"
};

constexpr TextMapInfo kTextMaps[] = {
#define TEXT_MAP(key, doc, example) {#key, doc, example, &Settings::key},
#include "server/settings/setting_table.def"
};

}  // namespace

SettingTable setting_table() { return kSettings; }
std::span<const SettingsSection> settings_sections() { return kSections; }
std::span<const ComponentListInfo> component_lists() { return kComponentLists; }
std::span<const TextMapInfo> text_maps() { return kTextMaps; }

std::string environment_name(std::string_view setting_name) {
  std::string name = "POLLUX__";
  for (char c : setting_name) {
    if (c == '.') {
      name += "__";
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return name;
}

std::string to_text(const SettingPlace& place) {
  if (place.name.empty()) return "default";
  return place.line == 0 ? place.name : place.name + ":" + std::to_string(place.line);
}

const ComponentOption* ComponentSettings::option(const std::string& option_name) const {
  for (const ComponentOption& option : options) {
    if (option.name == option_name) return &option;
  }
  return nullptr;
}

uint16_t moved_port(uint16_t port, const Settings& settings) {
  if (port == 0) return 0;
  const uint64_t moved = port + settings.port_offset;
  POLLUX_CHECK(moved <= UINT16_MAX);
  return static_cast<uint16_t>(moved);
}

}  // namespace pollux
