// Files that are there whole or not at all. Thread: any, a path one at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"

namespace pollux {

/// Behind a path: a file that is not finished. What a dead process left of it may be removed.
inline constexpr std::string_view kUnfinished = ".new";

/// Makes the file, or takes the place of the one that stands there; lasts when the call returns.
/// After an error the old one is still there; kResourceExhausted: it can be tried again.
absl::Status put_whole_file(FileSystem& files, const std::string& directory, std::string_view name,
                            std::string_view bytes);

/// The two halves of it. An empty unfinished file, in the place of one that an earlier try left;
/// whoever asks writes it, and syncs it.
absl::StatusOr<std::unique_ptr<AppendFile>> begin_whole_file(FileSystem& files,
                                                             const std::string& directory,
                                                             std::string_view name);
/// The unfinished file gets its name; lasts when the call returns.
absl::Status finish_whole_file(FileSystem& files, const std::string& directory,
                               std::string_view name);

/// All that stands in it. kNotFound; kDataLoss: it has more than `bytes_max`.
absl::StatusOr<std::string> read_whole_file(FileSystem& files, const std::string& path,
                                            size_t bytes_max);

}  // namespace pollux
