#include "persistence/outbox/reader_places.h"

#include <algorithm>

#include "persistence/files/whole_file.h"
#include "persistence/state/state_folder.h"

namespace pollux {
namespace {

constexpr std::string_view kBegin = "confirmed.";

std::string file_name_of(std::string_view key) { return std::string(kBegin) + std::string(key); }

}  // namespace

absl::StatusOr<std::unique_ptr<ReaderPlaces>> ReaderPlaces::read(FileSystem& files,
                                                                 const std::string& directory) {
  std::unique_ptr<ReaderPlaces> places(new ReaderPlaces(files, directory));
  auto entries = files.list(directory);
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    std::string_view name = entry.name;
    if (entry.directory || !name.starts_with(kBegin)) continue;
    if (name.ends_with(kUnfinished)) {
      places->unfinished_.push_back(directory + "/" + entry.name);
      continue;
    }
    std::string key(name.substr(kBegin.size()));
    ReaderPlace file(files, directory, entry.name);
    auto offset = file.read();
    if (!offset.ok()) return offset.status();
    if (!*offset) places->rotten_.push_back(key);
    places->readers_.insert_or_assign(std::move(key), Reader{std::move(file), offset->value_or(0)});
  }
  return places;
}

uint64_t ReaderPlaces::confirmed_below() const {
  std::lock_guard lock(mutex_);
  if (readers_.empty()) return 1;
  uint64_t lowest = UINT64_MAX;
  for (const auto& [key, reader] : readers_) lowest = std::min(lowest, reader.offset);
  return std::max<uint64_t>(lowest, 1);
}

absl::Status ReaderPlaces::settle(uint64_t first, uint64_t next) {
  std::lock_guard lock(mutex_);
  for (const std::string& path : unfinished_) {
    if (absl::Status removed = files_.remove(path); !removed.ok()) return removed;
  }
  unfinished_.clear();
  for (auto& [key, reader] : readers_) {
    bool rotten = std::find(rotten_.begin(), rotten_.end(), key) != rotten_.end();
    bool behind_end = reader.offset > next;
    reader.offset = std::clamp(reader.offset, first, next);
    if (!rotten && !behind_end) continue;
    // Left as it was, it would skip rows once the outbox has grown past it.
    if (absl::Status put = reader.file.put(reader.offset); !put.ok()) return put;
  }
  return absl::OkStatus();
}

std::map<std::string, uint64_t, std::less<>> ReaderPlaces::all() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, uint64_t, std::less<>> all;
  for (const auto& [key, reader] : readers_) all[key] = reader.offset;
  return all;
}

std::string ReaderPlaces::key_of(std::string_view reader) {
  std::string key = state_folder_of(reader);
  // No name may look like a file that is not finished.
  if (key.ends_with(kUnfinished)) key.replace(key.size() - kUnfinished.size(), 1, "%2E");
  return key;
}

absl::Status ReaderPlaces::put(const std::string& key, uint64_t offset) {
  std::lock_guard lock(mutex_);
  ReaderPlace file(files_, directory_, file_name_of(key));
  if (absl::Status put = file.put(offset); !put.ok()) return put;
  readers_.insert_or_assign(key, Reader{std::move(file), offset});
  return absl::OkStatus();
}

absl::Status ReaderPlaces::confirm(const std::string& key, uint64_t offset) {
  std::lock_guard lock(mutex_);
  auto reader = readers_.find(key);
  if (reader == readers_.end() || reader->second.offset >= offset) return absl::OkStatus();
  if (absl::Status moved = reader->second.file.move(offset); !moved.ok()) return moved;
  reader->second.offset = offset;
  return absl::OkStatus();
}

absl::Status ReaderPlaces::forget(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto reader = readers_.find(key);
  if (reader == readers_.end()) return absl::OkStatus();
  if (absl::Status removed = reader->second.file.remove(); !removed.ok()) return removed;
  readers_.erase(reader);
  return absl::OkStatus();
}

}  // namespace pollux
