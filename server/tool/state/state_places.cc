#include "server/tool/state/state_places.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "persistence/state/revision_names.h"
#include "server/tool/read_only_files.h"

namespace pollux::tool {
namespace {

constexpr const char* kLocation = "cep_persistence";

/// Folders in `directory`, by name.
absl::StatusOr<std::vector<std::string>> folders_in(FileSystem& files,
                                                    const std::string& directory) {
  auto entries = files.list(directory);
  if (!entries.ok()) return entries.status();
  std::vector<std::string> folders;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.directory) folders.push_back(entry.name);
  }
  return folders;
}

bool is_tenant(std::string_view name) {
  if (name.starts_with('-')) name.remove_prefix(1);
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Adds the place when it has revisions.
absl::Status add_place(FileSystem& files, StatePlace place, std::vector<StatePlace>& places) {
  auto names = revision_names(files, place.directory, place.folder);
  if (!names.ok()) return names.status();
  if (!names->empty()) places.push_back(std::move(place));
  return absl::OkStatus();
}

absl::Status add_location(FileSystem& files, const std::string& location,
                          std::vector<StatePlace>& places) {
  auto tenants = folders_in(files, location);
  if (!tenants.ok()) return tenants.status();
  for (const std::string& tenant : *tenants) {
    if (!is_tenant(tenant)) continue;
    const std::string below = location + "/" + tenant;
    auto folders = folders_in(files, below);
    if (!folders.ok()) return folders.status();
    for (const std::string& folder : *folders) {
      absl::Status added = add_place(files, {tenant, folder, below + "/" + folder}, places);
      if (!added.ok()) return added;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<StatePlace>> find_states(FileSystem& files,
                                                    const std::string& directory) {
  std::vector<StatePlace> places;
  // "." and "plan/.." have names as well.
  std::error_code unresolved;
  std::filesystem::path whole = std::filesystem::canonical(directory, unresolved);
  if (!unresolved) {
    std::string tenant = whole.parent_path().filename();
    absl::Status added = add_place(files, {tenant, whole.filename(), directory}, places);
    if (!added.ok()) return added;
  }
  if (places.empty()) {
    const std::string below = directory + "/" + kLocation;
    absl::Status added =
        add_location(files, is_directory(files, below) ? below : directory, places);
    if (!added.ok()) return added;
  }
  if (places.empty()) return absl::NotFoundError(directory + ": no states are here");
  return places;
}

}  // namespace pollux::tool
