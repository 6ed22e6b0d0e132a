// The folders of plans' revisions below a directory that somebody named. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "persistence/files/file_system.h"

namespace pollux::tool {

struct StatePlace {
  std::string tenant;
  std::string folder;  ///< of a plan, as state_folder_of() says, or of what is no plan's
  std::string directory;
};

/// By tenant and folder; those without revisions are left out. `directory` is a plan's folder, a
/// persistence location, or a data_dir, which has one in cep_persistence/. kNotFound: no revision
/// is there; the disk's.
absl::StatusOr<std::vector<StatePlace>> find_states(FileSystem& files,
                                                    const std::string& directory);

}  // namespace pollux::tool
