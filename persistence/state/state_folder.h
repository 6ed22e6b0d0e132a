// Names of folders and files for the state of plans. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pollux {

/// Where the node keeps what is no plan's: the catalogue, producers, positions of stores. No plan
/// has this folder, whatever its name.
constexpr std::string_view kNodeStateFolder = "_node";

/// The plan's name where it consists of letters, digits, '_', '-' and '.'; every other byte, and a
/// first one that is no letter or digit, is "%XX". What would be too long for a file system is cut
/// and ends with "%" and a hash. Different plans have different folders.
std::string state_folder_of(std::string_view plan);

}  // namespace pollux
