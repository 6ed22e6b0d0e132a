// parameters: of a settings file, names with a text each. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/settings/load.h"
#include "server/settings/yaml_tree.h"

namespace pollux {

constexpr size_t kTextMapEntriesMax = 1024;

/// What `node`, the value of `key` in `file`, holds; all that is wrong with it goes to `errors`.
TextMap read_text_map(const std::string& file, const std::string& key, const YamlNode& node,
                      std::vector<SettingError>& errors);
/// What is wrong with a name; empty when nothing is.
std::string wrong_in_text_name(std::string_view name);
/// The value for people: *** when the name says that it is a secret.
std::string shown_text(const std::string& name, const std::string& value);

}  // namespace pollux
