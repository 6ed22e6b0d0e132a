// A plan's text from a file.
#pragma once

#include <string>
#include <string_view>

namespace pollux::tool {

constexpr size_t kPlanBytesMax = 16 * 1024 * 1024;

struct PlanFile {
  std::string path;
  std::string text;
  std::string name;   ///< the file's name without folder and ending: for plans that have none
  std::string error;  ///< not empty: "PATH: why it cannot be read"
};

/// Reads the whole file; it must be UTF-8 and at most kPlanBytesMax long.
PlanFile read_plan_file(const std::string& path);

}  // namespace pollux::tool
