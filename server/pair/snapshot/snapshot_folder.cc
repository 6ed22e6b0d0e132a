#include "server/pair/snapshot/snapshot_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "persistence/journal/journal.h"

namespace pollux {
namespace {

constexpr const char* kComplete = "complete";
constexpr const char* kAside = "set-aside";

absl::Status failed(std::string_view doing, const std::string& path, const std::error_code& why) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", std::string(doing), " ", path, ": ", why.message()));
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

SnapshotFolder::SnapshotFolder(FileSystem& files, std::string data_dir, std::string states)
    : files_(files), data_dir_(std::move(data_dir)), states_(std::move(states)) {}

std::vector<SnapshotFolder::Part> SnapshotFolder::parts() const {
  return {{"journal", data_dir_ + "/journal"},
          {"outbox", data_dir_ + "/outbox"},
          {"stores", data_dir_ + "/stores"},
          {std::string(kSnapshotStates), states_}};
}

absl::Status SnapshotFolder::clear() const {
  std::error_code error;
  std::filesystem::remove_all(incoming(), error);
  if (error) return failed("remove", incoming(), error);
  return files_.make_directories(incoming());
}

bool SnapshotFolder::is_path(std::string_view path) {
  std::vector<std::string> names = absl::StrSplit(std::string(path), '/');
  if (names.size() < 2) return false;
  if (names.front() != "outbox" && names.front() != "stores" && names.front() != kSnapshotStates) {
    return false;
  }
  return std::none_of(names.begin(), names.end(), [](const std::string& name) {
    return name.empty() || name == "." || name == ".." || name.find('\0') != std::string::npos;
  });
}

absl::Status SnapshotFolder::complete(EntryId at) const {
  for (const Part& part : parts()) {
    absl::Status made = files_.make_directories(absl::StrCat(incoming(), "/", part.name));
    if (!made.ok()) return made;
  }
  if (at.position.value != 0) {
    JournalOptions options;
    options.directory = incoming() + "/journal";
    auto journal = Journal::open(files_, options);
    if (!journal.ok()) return journal.status();
    absl::Status begun = (*journal)->restart_behind(at);
    if (begun.ok()) begun = (*journal)->close();
    if (!begun.ok()) return begun;
  }
  auto marker = files_.open_append(absl::StrCat(incoming(), "/", kComplete));
  if (!marker.ok()) return marker.status();
  if (absl::Status synced = (*marker)->sync(); !synced.ok()) return synced;
  if (absl::Status synced = files_.sync_directory(incoming()); !synced.ok()) return synced;
  return files_.sync_directory(data_dir_);
}

absl::StatusOr<bool> SnapshotFolder::install() const {
  const std::string marker = absl::StrCat(incoming(), "/", kComplete);
  std::error_code error;
  if (!exists(marker)) {
    std::filesystem::remove_all(incoming(), error);  // one that was cut: it begins anew
    return false;
  }
  // One that was set aside before goes only now: a second try must not lose the first one's.
  const std::string aside = absl::StrCat(data_dir_, "/", kAside);
  const std::string fresh = absl::StrCat(aside, ".new");
  const std::vector<Part> all = parts();
  const bool begun = exists(fresh) || std::any_of(all.begin(), all.end(), [&](const Part& part) {
                       return exists(absl::StrCat(incoming(), "/", part.name));
                     });
  if (begun) {
    if (absl::Status made = files_.make_directories(fresh); !made.ok()) return made;
    for (const Part& part : all) {
      if (absl::Status put_there = put(part, fresh); !put_there.ok()) return put_there;
    }
    std::filesystem::remove_all(aside, error);
    if (error) return failed("remove", aside, error);
    if (absl::Status renamed = files_.rename(fresh, aside); !renamed.ok()) return renamed;
  }
  if (absl::Status removed = files_.remove(marker); !removed.ok()) return removed;
  if (absl::Status synced = files_.sync_directory(incoming()); !synced.ok()) return synced;
  std::filesystem::remove_all(incoming(), error);  // what is left of it harms nobody
  return true;
}

/// What stands in its place goes aside first, so that this can be done again.
absl::Status SnapshotFolder::put(const Part& part, const std::string& aside) const {
  const std::string from = absl::StrCat(incoming(), "/", part.name);
  if (!exists(from)) return absl::OkStatus();  // is in its place already
  if (exists(part.place)) {
    const std::string old = absl::StrCat(aside, "/", part.name);
    std::error_code error;
    std::filesystem::remove_all(old, error);
    if (error) return failed("remove", old, error);
    if (absl::Status moved = files_.rename(part.place, old); !moved.ok()) return moved;
  }
  const std::string above = std::filesystem::path(part.place).parent_path();
  if (absl::Status made = files_.make_directories(above); !made.ok()) return made;
  if (absl::Status moved = files_.rename(from, part.place); !moved.ok()) return moved;
  for (const std::string& changed : {above, aside, incoming()}) {
    if (absl::Status synced = files_.sync_directory(changed); !synced.ok()) return synced;
  }
  return absl::OkStatus();
}

}  // namespace pollux
