#include "server/settings/load.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "engine/language/diagnostics.h"
#include "server/settings/components.h"
#include "server/settings/secrets.h"
#include "server/settings/small_file.h"
#include "server/settings/text_maps.h"
#include "server/settings/yaml_tree.h"

extern char** environ;

namespace pollux {

namespace {

constexpr size_t kHostNameBytesMax = 256;
constexpr std::string_view kEnvironmentPrefix = "POLLUX__";
constexpr std::string_view kEnvironmentFileSuffix = "_FILE";

std::string host_name() {
  char name[kHostNameBytesMax] = {};
  if (::gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

class Loader {
 public:
  explicit Loader(SettingTable table) : table_(table) {
    loaded_.places.resize(table.size());
    for (const Setting& setting : table) names_.emplace_back(setting.name);
    for (const Setting& setting : table) {
      if (absl::StatusOr<SettingValue> value = parse_setting(setting, setting.default_text);
          value.ok()) {
        setting.store(loaded_.settings, *value);
      }
    }
  }

  void read_file(const std::string& path) {
    file_ = path;
    absl::StatusOr<std::string> text = read_small_file(path, kYamlBytesMax);
    if (!text.ok()) return report({path, 0}, "", std::string(text.status().message()));
    YamlDocument document = parse_yaml(*text);
    for (YamlError& error : document.errors) {
      report({path, error.line}, "", std::move(error.message));
    }
    if (document.errors.empty()) read_mapping("", document.root);
    std::stable_sort(loaded_.errors.begin(), loaded_.errors.end(),
                     [](const auto& a, const auto& b) { return a.place.line < b.place.line; });
  }

  void read_environment(const std::vector<std::string>& environment) {
    // Sorted, so that errors come in the same order everywhere.
    std::map<std::string, std::string> variables;
    for (const std::string& variable : environment) {
      const size_t equals = variable.find('=');
      if (equals == std::string::npos || !variable.starts_with(kEnvironmentPrefix)) continue;
      variables[variable.substr(0, equals)] = variable.substr(equals + 1);
    }
    given_.clear();
    for (const auto& [name, value] : variables) read_variable(name, value);
  }

  LoadedSettings finish() {
    Settings& settings = loaded_.settings;
    if (settings.node.name.empty()) settings.node.name = host_name();
    if (loaded_.errors.empty()) check_ports();
    return std::move(loaded_);
  }

 private:
  void report(SettingPlace place, std::string key, std::string message) {
    loaded_.errors.push_back({std::move(place), std::move(key), std::move(message)});
  }

  std::optional<size_t> row_of(std::string_view name) const {
    for (size_t i = 0; i < table_.size(); ++i) {
      if (table_[i].name == name) return i;
    }
    return std::nullopt;
  }
  bool is_section(const std::string& name) const {
    return std::any_of(names_.begin(), names_.end(),
                       [&](const std::string& known) { return known.starts_with(name + "."); });
  }

  void read_mapping(const std::string& section, const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kNull) return;
    if (node.kind != YamlNode::Kind::kMapping) {
      return report({file_, node.line}, section, "must be lines 'key: value'");
    }
    std::map<std::string, int> lines;
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const YamlNode& key = node.items[i];
      if (key.kind != YamlNode::Kind::kScalar) {
        report({file_, key.line}, section, "a key must stand before each ':'");
        continue;
      }
      const std::string name = section.empty() ? key.text : section + "." + key.text;
      const auto [first, is_new] = lines.try_emplace(key.text, key.line);
      if (!is_new) {
        report({file_, key.line}, shown(name),
               "stands in line " + std::to_string(first->second) + " already");
        continue;
      }
      read_key(section, key, name, node.items[i + 1]);
    }
  }

  void read_key(const std::string& section, const YamlNode& key, const std::string& name,
                const YamlNode& value) {
    if (section.empty()) {
      for (const ComponentListInfo& list : component_lists()) {
        if (list.name != name) continue;
        loaded_.settings.*list.member = read_components(file_, list, value, loaded_.errors);
        return;
      }
      for (const TextMapInfo& map : text_maps()) {
        if (map.name != name) continue;
        loaded_.settings.*map.member = read_text_map(file_, name, value, loaded_.errors);
        return;
      }
      if (is_section(name)) return read_mapping(name, value);
    }
    // A dotted key means nothing: YAML has nesting for that.
    const bool is_dotted = key.text.find('.') != std::string::npos;
    const std::optional<size_t> row = is_dotted ? std::nullopt : row_of(name);
    if (row) return read_value(*row, key, value);
    if (const auto secret_row = is_dotted ? std::nullopt : row_of_secret_file(name)) {
      return take_secret(*secret_row, {file_, key.line}, value.text);
    }
    report({file_, key.line}, shown(name), "unknown key" + hint_for(section, key.text));
  }

  void read_value(size_t row, const YamlNode& key, const YamlNode& value) {
    const Setting& setting = table_[row];
    const bool is_text = setting.type == SettingType::kText || setting.type == SettingType::kPath;
    if (value.kind == YamlNode::Kind::kNull && !is_text) {
      return report({file_, key.line}, std::string(setting.name),
                    "has no value; expected " + type_text(setting));
    }
    if (value.kind == YamlNode::Kind::kSequence || value.kind == YamlNode::Kind::kMapping) {
      return report({file_, key.line}, std::string(setting.name),
                    "must be one value; expected " + type_text(setting));
    }
    take(row, {file_, key.line}, value.kind == YamlNode::Kind::kNull ? "" : value.text);
  }

  void read_variable(const std::string& name, const std::string& value) {
    for (size_t i = 0; i < table_.size(); ++i) {
      const std::string known = environment_name(table_[i].name);
      if (known == name) return take(i, {name, 0}, value);
      if (table_[i].secret && known + std::string(kEnvironmentFileSuffix) == name) {
        return take_secret(i, {name, 0}, value);
      }
    }
    for (const ComponentListInfo& list : component_lists()) {
      const std::string known = environment_name(list.name);
      if (name == known || name.starts_with(known + "__")) {
        return report({name, 0}, "", "lists can be given in the file only");
      }
    }
    for (const TextMapInfo& map : text_maps()) {
      const std::string prefix = environment_name(map.name) + "__";
      if (!name.starts_with(prefix)) continue;
      const std::string key = name.substr(prefix.size());
      const std::string wrong = wrong_in_text_name(key);
      if (!wrong.empty()) return report({name, 0}, std::string(map.name), wrong);
      (loaded_.settings.*map.member).insert_or_assign(key, value);
      return;
    }
    std::vector<std::string> known;
    for (const std::string& setting : names_) known.push_back(environment_name(setting));
    const std::string nearest = nearest_name(name, known);
    report({shown(name), 0}, "",
           "no such setting" + (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
  }

  std::optional<size_t> row_of_secret_file(std::string_view name) const {
    if (!name.ends_with(kFileSuffix)) return std::nullopt;
    name.remove_suffix(kFileSuffix.size());
    const std::optional<size_t> row = row_of(name);
    return row && table_[*row].secret ? row : std::nullopt;
  }

  void take_secret(size_t row, SettingPlace place, const std::string& path) {
    absl::StatusOr<std::string> secret = read_secret(path);
    if (!secret.ok()) {
      return report(std::move(place), std::string(table_[row].name),
                    std::string(secret.status().message()));
    }
    take(row, std::move(place), *secret);
  }

  void take(size_t row, SettingPlace place, std::string_view text) {
    const Setting& setting = table_[row];
    const auto [first, is_new] = given_.try_emplace(row, place);
    if (!is_new) {
      return report(std::move(place), std::string(setting.name),
                    "is given by " + to_text(first->second) + " already");
    }
    absl::StatusOr<SettingValue> value = parse_setting(setting, text);
    if (!value.ok()) {
      // What is wrong with a secret would show it.
      return report(std::move(place), std::string(setting.name),
                    setting.secret ? "expected " + type_text(setting)
                                   : std::string(value.status().message()));
    }
    setting.store(loaded_.settings, *value);
    loaded_.places[row] = std::move(place);
  }

  /// A name from outside, fit for a message.
  static std::string shown(const std::string& name) {
    const std::string quoted = in_quotes(name);
    return quoted == "'" + name + "'" ? name : quoted;
  }

  std::string hint_for(const std::string& section, const std::string& key) const {
    auto did_you_mean = [](const std::string& name) { return "; did you mean '" + name + "'?"; };
    // Of this place first, then of any.
    std::vector<std::string> here;
    std::vector<std::string> everywhere = names_;
    const std::string prefix = section.empty() ? "" : section + ".";
    for (const std::string& name : names_) {
      if (!name.starts_with(prefix)) continue;
      here.push_back(name.substr(prefix.size(), name.find('.', prefix.size()) - prefix.size()));
    }
    if (section.empty()) {
      for (const ComponentListInfo& list : component_lists()) here.emplace_back(list.name);
      for (const TextMapInfo& map : text_maps()) here.emplace_back(map.name);
    }
    if (const std::string nearest = nearest_name(key, here); !nearest.empty()) {
      return did_you_mean(prefix + nearest);
    }
    for (const std::string& name : names_) {
      if (name.ends_with("." + key)) return did_you_mean(name);
    }
    const std::string nearest = nearest_name(prefix + key, names_);
    if (nearest == key) return "; write it on two lines, as section and key";
    return nearest.empty() ? "" : did_you_mean(nearest);
  }

  void check_ports() {
    const Settings& settings = loaded_.settings;
    const std::pair<const char*, uint16_t> ports[] = {{"http.port", settings.http.port},
                                                      {"grpc.port", settings.grpc.port}};
    for (const auto& [name, port] : ports) {
      if (port + settings.port_offset <= UINT16_MAX) continue;
      report(place_of(name, "port_offset"), name,
             std::to_string(port) + " moved by port_offset " +
                 std::to_string(settings.port_offset) + " is beyond 65535");
    }
    if (settings.http.port == settings.grpc.port && settings.http.port != 0) {
      report(place_of("grpc.port", "http.port"), "grpc.port", "is the same as http.port");
    }
  }

  /// Of the first of these that was given.
  SettingPlace place_of(std::string_view name, std::string_view other) const {
    for (std::string_view wanted : {name, other}) {
      const std::optional<size_t> row = row_of(wanted);
      if (row && !loaded_.places[*row].name.empty()) return loaded_.places[*row];
    }
    return {};
  }

  const SettingTable table_;
  std::vector<std::string> names_;
  std::string file_;
  std::map<size_t, SettingPlace> given_;  ///< by row: by what is being read
  LoadedSettings loaded_;
};

std::string list_text(const ComponentList& list) {
  std::string text;
  for (const ComponentSettings& component : list) {
    text += (text.empty() ? "" : ", ") + component.name;
  }
  return text.empty() ? "none" : text;
}

std::string map_text(const TextMap& map) {
  std::string text;
  for (const auto& [name, value] : map) {
    text += (text.empty() ? "" : ", ") + name + "=" + shown_text(name, value);
  }
  return text.empty() ? "none" : text;
}

}  // namespace

std::vector<std::string> process_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

std::string to_text(const SettingError& error) {
  return to_text(error.place) + ": " + (error.key.empty() ? "" : error.key + ": ") + error.message;
}

LoadedSettings load_settings(const SettingsSource& source, SettingTable table) {
  Loader loader(table);
  if (!source.file.empty()) loader.read_file(source.file);
  loader.read_environment(source.environment);
  return loader.finish();
}

SettingChanges reload_differences(const Settings& before, const Settings& after,
                                  SettingTable table) {
  SettingChanges changes;
  for (const Setting& setting : table) {
    const SettingValue old_value = setting.fetch(before);
    const SettingValue new_value = setting.fetch(after);
    if (old_value == new_value) continue;
    (setting.reloadable ? changes.reloadable : changes.restart)
        .push_back({std::string(setting.name), shown_text(setting, old_value),
                    shown_text(setting, new_value)});
  }
  for (const ComponentListInfo& list : component_lists()) {
    if (before.*list.member == after.*list.member) continue;
    changes.restart.push_back(
        {std::string(list.name), list_text(before.*list.member), list_text(after.*list.member)});
  }
  for (const TextMapInfo& map : text_maps()) {
    if (before.*map.member == after.*map.member) continue;
    changes.restart.push_back(
        {std::string(map.name), map_text(before.*map.member), map_text(after.*map.member)});
  }
  return changes;
}

void adopt_reloadable(Settings& settings, const Settings& fresh) {
  for (const Setting& setting : setting_table()) {
    if (setting.reloadable) setting.store(settings, setting.fetch(fresh));
  }
}

}  // namespace pollux
