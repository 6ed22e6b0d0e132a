#include "persistence/state/revision_names.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pollux {

std::optional<uint64_t> revision_timestamp(std::string_view file, std::string_view folder) {
  uint64_t timestamp = 0;
  auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), timestamp);
  std::string_view rest = file.substr(static_cast<size_t>(end - file.data()));
  // One name a timestamp: no zeros in front.
  bool plain =
      error == std::errc() && timestamp <= INT64_MAX && (file[0] != '0' || end == file.data() + 1);
  if (!plain || !rest.starts_with('_') || rest.substr(1) != folder) return std::nullopt;
  return timestamp;
}

absl::StatusOr<std::vector<RevisionName>> revision_names(FileSystem& files,
                                                         const std::string& directory,
                                                         std::string_view folder) {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = files.list(directory);
  if (!entries.ok()) return entries.status();
  std::vector<RevisionName> names;
  for (const DirectoryEntry& entry : *entries) {
    std::optional<uint64_t> timestamp = revision_timestamp(entry.name, folder);
    if (entry.directory || !timestamp) continue;
    names.push_back({*timestamp, directory + "/" + entry.name, entry.bytes});
  }
  std::sort(names.begin(), names.end(), [](const RevisionName& a, const RevisionName& b) {
    return a.timestamp_ms > b.timestamp_ms;
  });
  return names;
}

absl::StatusOr<std::vector<ListedRevision>> list_revisions(FileSystem& files,
                                                           const std::string& directory,
                                                           std::string_view folder) {
  absl::StatusOr<std::vector<RevisionName>> names = revision_names(files, directory, folder);
  if (!names.ok()) return names.status();
  std::vector<ListedRevision> listed;
  for (RevisionName& name : *names) {
    absl::StatusOr<RevisionInfo> info = read_revision_info(files, name.path);
    if (absl::IsNotFound(info.status())) continue;
    listed.push_back({name.timestamp_ms, std::move(name.path), name.bytes, std::move(info)});
  }
  return listed;
}

}  // namespace pollux
