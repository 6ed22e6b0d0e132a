// The language cases that are shared beside the source tree, as far as the parser needs them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pollux::test {

struct SharedCase {
  std::string id;                      ///< file and case
  std::vector<std::string> plans;      ///< `app`, or all of `apps`
  std::vector<std::string> on_demand;  ///< texts of its on-demand queries that must not fail
  bool fails = false;                  ///< a failure is expected somewhere
};

/// $POLLUX_SHARED, or ../shared beside the source tree; nothing when there is no such folder.
std::optional<std::filesystem::path> shared_folder();

/// All cases of all files, in order. Throws std::runtime_error when a file is not what it should
/// be.
std::vector<SharedCase> read_shared_cases(const std::filesystem::path& folder);

}  // namespace pollux::test
