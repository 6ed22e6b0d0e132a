// Secrets that are given as the path of a file which holds them. Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace pollux {

constexpr size_t kSecretBytesMax = 64 * 1024;
constexpr std::string_view kFileSuffix = "_file";

/// Does an option's name say that its value is a secret?
bool names_a_secret(std::string_view option_name);
/// The option's name without _file when the rest names a secret; else empty.
std::string_view secret_of_file_option(std::string_view option_name);
/// The file's text without its line end.
absl::StatusOr<std::string> read_secret(const std::string& path);

}  // namespace pollux
