#include "engine/expression/function_registry.h"

namespace pollux {

const std::vector<FunctionEntry>& function_table() {
  static const std::vector<FunctionEntry> table = [] {
    std::vector<FunctionEntry> all = core_functions();
    for (const auto& more : {string_functions(), time_functions()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  return table;
}

const FunctionEntry* find_function(std::string_view name_space, std::string_view name) {
  for (const FunctionEntry& entry : function_table()) {
    if (entry.name_space == name_space && entry.name == name) return &entry;
  }
  return nullptr;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const FunctionEntry& entry : function_table()) {
    std::string name(entry.name);
    names.push_back(entry.name_space.empty() ? name : std::string(entry.name_space) + ":" + name);
  }
  return names;
}

}  // namespace pollux
