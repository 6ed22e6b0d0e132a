// A whole file that must be small: settings, secrets. Thread: any.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace pollux {

/// Reads no more than `bytes_max`, whatever the file claims; pipes and devices are refused. The
/// error is a sentence without the path.
absl::StatusOr<std::string> read_small_file(const std::string& path, size_t bytes_max);

}  // namespace pollux
