// Functions of shared libraries, for plans. Before the first engine is made. Thread: one.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace pollux {

/// Adds the functions of one library to the engine's; how many they are. The error names the file.
absl::StatusOr<size_t> load_extension(const std::string& path);

/// Loads all *.so of a folder, in order of their names; how many functions they have. The first
/// error ends it.
absl::StatusOr<size_t> load_extensions(const std::string& folder);

}  // namespace pollux
