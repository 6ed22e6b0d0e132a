#include "persistence/state/revision_store.h"

#include <algorithm>
#include <utility>

namespace pollux {
namespace {

constexpr std::string_view kTemporary = ".tmp";

}  // namespace

RevisionStore::RevisionStore(FileSystem& files, Options options)
    : files_(files),
      options_(std::move(options)),
      directory_(options_.location + "/" + options_.tenant + "/" + options_.folder) {}

absl::StatusOr<std::unique_ptr<RevisionStore>> RevisionStore::open(FileSystem& files,
                                                                   Options options) {
  std::unique_ptr<RevisionStore> store(new RevisionStore(files, std::move(options)));
  absl::Status made = files.make_directories(store->directory_);
  if (made.ok()) made = store->remove_temporaries();
  // Names that a killed process made may not last yet, and entries go because of what they show.
  if (made.ok()) made = files.sync_directory(store->directory_);
  if (!made.ok()) return made;
  return store;
}

absl::Status RevisionStore::remove_temporaries() {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = files_.list(directory_);
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    std::string_view name = entry.name;
    if (entry.directory || !name.ends_with(kTemporary)) continue;
    name.remove_suffix(kTemporary.size());
    if (!revision_timestamp(name, options_.folder)) continue;
    absl::Status removed = files_.remove(directory_ + "/" + entry.name);
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RevisionName>> RevisionStore::names() const {
  return revision_names(files_, directory_, options_.folder);
}

absl::StatusOr<std::unique_ptr<RevisionWriter>> RevisionStore::begin(const RevisionHeader& header) {
  absl::StatusOr<std::vector<RevisionName>> there = names();
  if (!there.ok()) return there.status();
  auto timestamp = static_cast<uint64_t>(std::max<int64_t>(header.timestamp.ms, 0));
  if (!there->empty()) timestamp = std::max(timestamp, there->front().timestamp_ms + 1);
  std::string file = std::to_string(timestamp) + "_" + options_.folder;
  return RevisionWriter::create(files_, {directory_, file, file + std::string(kTemporary)}, header);
}

absl::Status RevisionStore::prune() {
  absl::StatusOr<std::vector<RevisionName>> there = names();
  if (!there.ok()) return there.status();
  size_t valid = 0;
  for (const RevisionName& name : *there) {
    if (valid < options_.revisions_to_keep) {
      // The newest was written and synced just now: that need not be read again.
      bool newest = &name == &there->front();
      absl::StatusOr<RevisionInfo> info =
          newest ? read_revision_info(files_, name.path) : verify_revision(files_, name.path);
      valid += info.ok() ? 1 : 0;
      continue;
    }
    absl::StatusCode code = read_revision_info(files_, name.path).status().code();
    if (code != absl::StatusCode::kOk && code != absl::StatusCode::kDataLoss) continue;
    absl::Status removed = files_.remove_large(name.path);
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ListedRevision>> RevisionStore::list() const {
  return list_revisions(files_, directory_, options_.folder);
}

absl::StatusOr<NewestRevision> RevisionStore::newest_valid(uint64_t before_ms) const {
  absl::StatusOr<std::vector<RevisionName>> there = names();
  if (!there.ok()) return there.status();
  NewestRevision newest;
  for (const RevisionName& name : *there) {
    if (name.timestamp_ms >= before_ms) continue;
    absl::StatusOr<Revision> revision = read_revision(files_, name.path);
    if (revision.ok()) {
      newest.revision = *std::move(revision);
      newest.path = name.path;
      newest.timestamp_ms = name.timestamp_ms;
      break;
    }
    newest.passed_over.push_back(revision.status());
  }
  return newest;
}

}  // namespace pollux
