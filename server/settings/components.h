// receivers:, sinks:, datasources: and event_stores: of a settings file. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "server/settings/load.h"
#include "server/settings/setting_table.h"
#include "server/settings/yaml_tree.h"

namespace pollux {

constexpr size_t kComponentsMax = 256;         ///< of one list
constexpr size_t kComponentOptionsMax = 64;    ///< of one component
constexpr size_t kComponentNameBytesMax = 64;  ///< letters, digits, '_', '-', '.'

/// What `node`, the value of that list in `file`, holds; all that is wrong with it goes to
/// `errors`.
ComponentList read_components(const std::string& file, const ComponentListInfo& list,
                              const YamlNode& node, std::vector<SettingError>& errors);

}  // namespace pollux
