#include "engine/expression/function_registry.h"

namespace pollux {

namespace {

std::vector<FunctionEntry>& table() {
  static std::vector<FunctionEntry> table = [] {
    std::vector<FunctionEntry> all = core_functions();
    for (auto& more : {string_functions(), pattern_functions(), math_functions(),
                       number_text_functions(), time_functions(), list_functions(), map_functions(),
                       json_functions(), identity_functions()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  return table;
}

}  // namespace

const std::vector<FunctionEntry>& function_table() { return table(); }

void add_functions(std::vector<FunctionEntry> entries) {
  for (FunctionEntry& entry : entries) {
    const FunctionEntry* known = find_function(entry.name_space, entry.name);
    if (known != nullptr) {
      table()[static_cast<size_t>(known - table().data())] = std::move(entry);
    } else {
      table().push_back(std::move(entry));
    }
  }
}

const FunctionEntry* find_function(std::string_view name_space, std::string_view name) {
  for (const FunctionEntry& entry : function_table()) {
    if (entry.name_space == name_space && entry.name == name) return &entry;
  }
  return nullptr;
}

std::string full_name(std::string_view name_space, std::string_view name) {
  std::string full(name_space);
  return full.empty() ? std::string(name) : full.append(":").append(name);
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const FunctionEntry& entry : function_table()) {
    names.push_back(full_name(entry.name_space, entry.name));
  }
  return names;
}

}  // namespace pollux
