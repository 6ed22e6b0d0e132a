// Which files of a plan's folder go by the name of a revision: <TIMESTAMP>_<folder>. Changes
// nothing. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"
#include "persistence/state/revision_reader.h"

namespace pollux {

/// What the name tells; nothing when it is not that of a revision of this folder.
std::optional<uint64_t> revision_timestamp(std::string_view file, std::string_view folder);

struct RevisionName {
  uint64_t timestamp_ms = 0;
  std::string path;
  uint64_t bytes = 0;
};

/// Newest first. `folder`: the last part of `directory`.
absl::StatusOr<std::vector<RevisionName>> revision_names(FileSystem& files,
                                                         const std::string& directory,
                                                         std::string_view folder);

/// A file that goes by the name of a revision.
struct ListedRevision {
  uint64_t timestamp_ms = 0;  ///< of its name
  std::string path;
  uint64_t bytes = 0;
  absl::StatusOr<RevisionInfo> info;  ///< as read_revision_info() says
};

/// Newest first; what is removed meanwhile is left out.
absl::StatusOr<std::vector<ListedRevision>> list_revisions(FileSystem& files,
                                                           const std::string& directory,
                                                           std::string_view folder);

}  // namespace pollux
