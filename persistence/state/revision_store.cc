#include "persistence/state/revision_store.h"

#include <algorithm>
#include <charconv>
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
  if (!made.ok()) return made;
  return store;
}

std::optional<uint64_t> RevisionStore::timestamp_of(std::string_view file) const {
  uint64_t timestamp = 0;
  auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), timestamp);
  std::string_view rest = file.substr(static_cast<size_t>(end - file.data()));
  // One name a timestamp: no zeros in front.
  bool plain =
      error == std::errc() && timestamp <= INT64_MAX && (file[0] != '0' || end == file.data() + 1);
  if (!plain || !rest.starts_with('_') || rest.substr(1) != options_.folder) return std::nullopt;
  return timestamp;
}

absl::Status RevisionStore::remove_temporaries() {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = files_.list(directory_);
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    std::string_view name = entry.name;
    if (entry.directory || !name.ends_with(kTemporary)) continue;
    if (!timestamp_of(name.substr(0, name.size() - kTemporary.size()))) continue;
    absl::Status removed = files_.remove(directory_ + "/" + entry.name);
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RevisionStore::Name>> RevisionStore::names() const {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = files_.list(directory_);
  if (!entries.ok()) return entries.status();
  std::vector<Name> names;
  for (DirectoryEntry& entry : *entries) {
    std::optional<uint64_t> timestamp = timestamp_of(entry.name);
    if (entry.directory || !timestamp) continue;
    names.push_back({*timestamp, std::move(entry.name), entry.bytes});
  }
  std::sort(names.begin(), names.end(),
            [](const Name& a, const Name& b) { return a.timestamp_ms > b.timestamp_ms; });
  return names;
}

absl::StatusOr<std::unique_ptr<RevisionWriter>> RevisionStore::begin(const RevisionHeader& header) {
  absl::StatusOr<std::vector<Name>> there = names();
  if (!there.ok()) return there.status();
  auto timestamp = static_cast<uint64_t>(std::max<int64_t>(header.timestamp.ms, 0));
  if (!there->empty()) timestamp = std::max(timestamp, there->front().timestamp_ms + 1);
  std::string file = std::to_string(timestamp) + "_" + options_.folder;
  return RevisionWriter::create(files_, {directory_, file, file + std::string(kTemporary)}, header);
}

absl::Status RevisionStore::prune() {
  absl::StatusOr<std::vector<Name>> there = names();
  if (!there.ok()) return there.status();
  size_t valid = 0;
  for (const Name& name : *there) {
    std::string path = directory_ + "/" + name.file;
    if (valid < options_.revisions_to_keep) {
      // The newest was written and synced just now: that need not be read again.
      bool newest = &name == &there->front();
      absl::StatusOr<RevisionInfo> info =
          newest ? read_revision_info(files_, path) : verify_revision(files_, path);
      valid += info.ok() ? 1 : 0;
      continue;
    }
    absl::StatusCode code = read_revision_info(files_, path).status().code();
    if (code != absl::StatusCode::kOk && code != absl::StatusCode::kDataLoss) continue;
    absl::Status removed = files_.remove(path);
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ListedRevision>> RevisionStore::list() const {
  absl::StatusOr<std::vector<Name>> there = names();
  if (!there.ok()) return there.status();
  std::vector<ListedRevision> listed;
  for (const Name& name : *there) {
    std::string path = directory_ + "/" + name.file;
    absl::StatusOr<RevisionInfo> info = read_revision_info(files_, path);
    listed.push_back({name.timestamp_ms, std::move(path), name.bytes, std::move(info)});
  }
  return listed;
}

absl::StatusOr<NewestRevision> RevisionStore::newest_valid() const {
  absl::StatusOr<std::vector<Name>> there = names();
  if (!there.ok()) return there.status();
  NewestRevision newest;
  for (const Name& name : *there) {
    std::string path = directory_ + "/" + name.file;
    absl::StatusOr<Revision> revision = read_revision(files_, path);
    if (revision.ok()) {
      newest.revision = *std::move(revision);
      newest.path = std::move(path);
      break;
    }
    newest.passed_over.push_back(revision.status());
  }
  return newest;
}

}  // namespace pollux
