#include "tests/persistence/sim/simulated_file_system.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

constexpr uint64_t kSectorBytes = 512;

std::string directory_of(const std::string& path) {
  size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

class SimulatedAppendFile : public AppendFile {
 public:
  SimulatedAppendFile(SimulatedFileSystem& disk, std::string path,
                      SimulatedFileSystem::FilePtr file)
      : disk_(disk), path_(std::move(path)), file_(std::move(file)), start_(disk.start_) {}

  absl::Status append(std::string_view bytes) override {
    if (start_ != disk_.start_) return absl::InternalError(path_ + ": the machine has ended");
    return disk_.append(path_, *file_, bytes);
  }
  absl::Status sync() override {
    if (start_ != disk_.start_) return absl::InternalError(path_ + ": the machine has ended");
    return disk_.sync(path_, *file_);
  }
  uint64_t size() const override { return file_->bytes.size(); }

 private:
  SimulatedFileSystem& disk_;
  std::string path_;
  SimulatedFileSystem::FilePtr file_;
  uint64_t start_;
};

class SimulatedReadFile : public ReadFile {
 public:
  SimulatedReadFile(const SimulatedFileSystem& disk, std::string path,
                    SimulatedFileSystem::FilePtr file)
      : disk_(disk), path_(std::move(path)), file_(std::move(file)), start_(disk.start_) {}

  absl::StatusOr<std::string> read(uint64_t offset, size_t bytes) const override {
    if (start_ != disk_.start_) return absl::InternalError(path_ + ": the machine has ended");
    if (offset >= file_->bytes.size()) return std::string();
    return file_->bytes.substr(offset, bytes);
  }
  absl::StatusOr<uint64_t> size() const override { return file_->bytes.size(); }

 private:
  const SimulatedFileSystem& disk_;
  std::string path_;
  SimulatedFileSystem::FilePtr file_;
  uint64_t start_;
};

class SimulatedLock : public FileLock {
 public:
  SimulatedLock(SimulatedFileSystem& disk, std::string path)
      : disk_(disk), path_(std::move(path)), start_(disk.start_) {}
  ~SimulatedLock() override {
    if (start_ == disk_.start_) disk_.locks_.erase(path_);
  }

 private:
  SimulatedFileSystem& disk_;
  std::string path_;
  uint64_t start_;
};

absl::Status SimulatedFileSystem::begin_change(const std::string& path) {
  if (crashed_) return absl::InternalError(path + ": the machine has ended");
  if (read_only_) return absl::PermissionDeniedError(path + ": the file system is read-only");
  if (crash_after_ != kNever && crash_after_-- == 0) {
    crashed_ = true;
    crash_after_ = kNever;
  }
  return absl::OkStatus();
}

absl::Status SimulatedFileSystem::not_found(const std::string& path) const {
  return absl::NotFoundError(path + ": no such file or directory");
}

absl::Status SimulatedFileSystem::append(const std::string& path, File& file,
                                         std::string_view bytes) {
  if (absl::Status may = begin_change(path); !may.ok()) return may;
  uint64_t used = capacity_ == kNever ? 0 : bytes_used();
  uint64_t room = capacity_ - std::min(capacity_, used);
  uint64_t done = std::min<uint64_t>(bytes.size(), room);
  if (crashed_) done = random_() % (done + 1);
  if (done > 0) file.dirty.push_back({file.bytes.size(), file.bytes.size() + done});
  file.bytes.append(bytes.substr(0, done));
  if (crashed_) return absl::InternalError(path + ": the machine ends");
  if (done < bytes.size()) return absl::ResourceExhaustedError(path + ": the disk is full");
  return absl::OkStatus();
}

absl::Status SimulatedFileSystem::sync(const std::string& path, File& file) {
  if (absl::Status may = begin_change(path); !may.ok()) return may;
  if (crashed_ && chance(2)) return absl::InternalError(path + ": the machine ends");
  ++syncs_;
  if (fail_sync_after_ != kNever && fail_sync_after_-- == 0) {
    fail_sync_after_ = kNever;
    // The pages count as clean from now on, though the disk has none of them, or only some.
    for (auto range : file.dirty) file.ghosts.push_back(range);
    file.dirty.clear();
    return absl::InternalError(path + ": cannot make it last: input/output error");
  }
  if (!file.dirty.empty()) {
    file.durable.resize(file.bytes.size(), '\0');
    for (auto [begin, end] : file.dirty) {
      file.durable.replace(begin, end - begin, file.bytes, begin, end - begin);
    }
    file.dirty.clear();
  }
  if (crashed_) return absl::InternalError(path + ": the machine ends");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<AppendFile>> SimulatedFileSystem::open_append(
    const std::string& path) {
  auto found = names_.find(path);
  if (found == names_.end()) {
    if (!directories_.contains(directory_of(path))) return not_found(path);
    if (absl::Status may = begin_change(path); !may.ok()) return may;
    if (crashed_ && chance(2)) return absl::InternalError(path + ": the machine ends");
    change_names({directory_of(path), {{path, std::make_shared<File>()}}});
    found = names_.find(path);
  }
  if (crashed_) return absl::InternalError(path + ": the machine has ended");
  if (read_only_) return absl::PermissionDeniedError(path + ": the file system is read-only");
  return std::make_unique<SimulatedAppendFile>(*this, path, found->second);
}

absl::StatusOr<std::unique_ptr<ReadFile>> SimulatedFileSystem::open_read(const std::string& path) {
  if (crashed_) return absl::InternalError(path + ": the machine has ended");
  auto found = names_.find(path);
  if (found == names_.end()) return not_found(path);
  return std::make_unique<SimulatedReadFile>(*this, path, found->second);
}

absl::Status SimulatedFileSystem::truncate(const std::string& path, uint64_t bytes) {
  auto found = names_.find(path);
  if (found == names_.end()) return not_found(path);
  if (absl::Status may = begin_change(path); !may.ok()) return may;
  if (crashed_ && chance(2)) return absl::InternalError(path + ": the machine ends");
  File& file = *found->second;
  file.bytes.resize(bytes, '\0');
  if (file.durable.size() > bytes) file.durable.resize(bytes);
  for (auto* ranges : {&file.dirty, &file.ghosts}) {
    std::erase_if(*ranges, [bytes](const auto& range) { return range.first >= bytes; });
    for (auto& range : *ranges) range.second = std::min(range.second, bytes);
  }
  if (crashed_) return absl::InternalError(path + ": the machine ends");
  return sync(path, file);
}

void SimulatedFileSystem::change_names(NameChange change) {
  for (const auto& [path, file] : change.names) {
    if (file == nullptr) {
      names_.erase(path);
    } else {
      names_[path] = file;
    }
  }
  unsynced_names_.push_back(std::move(change));
}

absl::Status SimulatedFileSystem::rename(const std::string& from, const std::string& to) {
  auto found = names_.find(from);
  if (found == names_.end()) return not_found(from);
  if (!directories_.contains(directory_of(to))) return not_found(to);
  if (absl::Status may = begin_change(from); !may.ok()) return may;
  if (crashed_ && chance(2)) return absl::InternalError(from + ": the machine ends");
  change_names({directory_of(to), {{to, found->second}, {from, nullptr}}});
  if (crashed_) return absl::InternalError(from + ": the machine ends");
  return absl::OkStatus();
}

absl::Status SimulatedFileSystem::remove(const std::string& path) {
  if (!names_.contains(path)) return not_found(path);
  if (absl::Status may = begin_change(path); !may.ok()) return may;
  if (crashed_ && chance(2)) return absl::InternalError(path + ": the machine ends");
  change_names({directory_of(path), {{path, nullptr}}});
  if (crashed_) return absl::InternalError(path + ": the machine ends");
  return absl::OkStatus();
}

absl::Status SimulatedFileSystem::make_directories(const std::string& path) {
  if (crashed_) return absl::InternalError(path + ": the machine has ended");
  if (directories_.contains(path)) return absl::OkStatus();
  if (names_.contains(path)) return absl::InternalError(path + ": it is a file");
  if (absl::Status may = begin_change(path); !may.ok()) return may;
  for (std::string at = path; at != "." && !at.empty(); at = directory_of(at)) {
    directories_.insert(at);
  }
  if (crashed_) return absl::InternalError(path + ": the machine ends");
  return absl::OkStatus();
}

absl::Status SimulatedFileSystem::sync_directory(const std::string& path) {
  if (!directories_.contains(path)) return not_found(path);
  // A read-only file system has nothing to write, and says that it went well.
  if (crashed_) return absl::InternalError(path + ": the machine has ended");
  if (read_only_) return absl::OkStatus();
  if (absl::Status may = begin_change(path); !may.ok()) return may;
  if (crashed_ && chance(2)) return absl::InternalError(path + ": the machine ends");
  ++syncs_;
  auto here = [&](const NameChange& change) { return change.directory == path; };
  for (const NameChange& change : unsynced_names_) {
    if (!here(change)) continue;
    for (const auto& [name, file] : change.names) {
      if (file == nullptr) {
        durable_names_.erase(name);
      } else {
        durable_names_[name] = file;
      }
    }
  }
  std::erase_if(unsynced_names_, here);
  if (crashed_) return absl::InternalError(path + ": the machine ends");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<DirectoryEntry>> SimulatedFileSystem::list(const std::string& path) {
  if (crashed_) return absl::InternalError(path + ": the machine has ended");
  if (!directories_.contains(path)) return not_found(path);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, file] : names_) {
    if (directory_of(name) != path) continue;
    entries.push_back({name.substr(path.size() + 1), false, file->bytes.size()});
  }
  for (const std::string& name : directories_) {
    if (name == path || directory_of(name) != path) continue;
    entries.push_back({name.substr(path.size() + 1), true, 0});
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& one, const auto& other) { return one.name < other.name; });
  return entries;
}

absl::StatusOr<std::unique_ptr<FileLock>> SimulatedFileSystem::lock(const std::string& path) {
  auto file = open_append(path);
  if (!file.ok()) return file.status();
  if (!locks_.insert(path).second) return absl::UnavailableError(path + ": held elsewhere");
  return std::make_unique<SimulatedLock>(*this, path);
}

absl::StatusOr<uint64_t> SimulatedFileSystem::free_bytes(const std::string& path) {
  if (!directories_.contains(path)) return not_found(path);
  return capacity_ - std::min(capacity_, bytes_used());
}

void SimulatedFileSystem::lose_bytes(File& file) {
  uint64_t end = file.durable.size();
  std::string after = file.durable;
  uint32_t fate = static_cast<uint32_t>(random_() % 4);
  for (auto [begin, stop] : file.dirty) {
    if (fate == 0) break;  // all of it is lost
    if (fate == 1) {       // torn at some byte
      stop = begin + random_() % (stop - begin + 1);
    }
    for (uint64_t at = begin; at < stop;) {
      uint64_t sector = std::min(stop, (at / kSectorBytes + 1) * kSectorBytes);
      if (fate != 2 || chance(2)) {  // or some sectors are there, and others are not
        if (after.size() < sector) after.resize(sector, '\0');
        after.replace(at, sector - at, file.bytes, at, sector - at);
        end = std::max(end, sector);
      }
      at = sector;
    }
    if (fate == 1) break;
  }
  after.resize(end, '\0');
  file.bytes = file.durable = std::move(after);
  file.dirty.clear();
  file.ghosts.clear();
}

void SimulatedFileSystem::lose_names() {
  bool in_order = chance(2);
  uint64_t kept = random_() % (unsynced_names_.size() + 1);
  for (size_t i = 0; i < unsynced_names_.size(); ++i) {
    if (in_order ? i >= kept : chance(2)) continue;
    for (const auto& [name, file] : unsynced_names_[i].names) {
      if (file == nullptr) {
        durable_names_.erase(name);
      } else {
        durable_names_[name] = file;
      }
    }
  }
  unsynced_names_.clear();
  names_ = durable_names_;
}

void SimulatedFileSystem::restart(Crash crash) {
  ++start_;
  crashed_ = false;
  crash_after_ = kNever;
  fail_sync_after_ = kNever;
  locks_.clear();
  if (crash == Crash::kProcess) return;
  std::set<File*> seen;
  for (const auto* names : {&names_, &durable_names_}) {
    for (const auto& [path, file] : *names) {
      if (seen.insert(file.get()).second) lose_bytes(*file);
    }
  }
  for (const NameChange& change : unsynced_names_) {
    for (const auto& [path, file] : change.names) {
      if (file != nullptr && seen.insert(file.get()).second) lose_bytes(*file);
    }
  }
  lose_names();
}

void SimulatedFileSystem::flip_bit(const std::string& path, uint64_t bit) {
  File& file = *names_.at(path);
  uint64_t byte = bit / 8;
  auto mask = static_cast<char>(1 << (bit % 8));
  if (byte < file.bytes.size()) file.bytes[byte] = static_cast<char>(file.bytes[byte] ^ mask);
  if (byte < file.durable.size()) {
    file.durable[byte] = static_cast<char>(file.durable[byte] ^ mask);
  }
}

uint64_t SimulatedFileSystem::bytes_used() const {
  uint64_t used = 0;
  for (const auto& [path, file] : names_) used += file->bytes.size();
  return used;
}

std::optional<std::string> SimulatedFileSystem::content(const std::string& path) const {
  auto found = names_.find(path);
  if (found == names_.end()) return std::nullopt;
  return found->second->bytes;
}

void SimulatedFileSystem::put(const std::string& path, std::string bytes) {
  for (std::string at = directory_of(path); at != "." && !at.empty(); at = directory_of(at)) {
    directories_.insert(at);
  }
  auto file = std::make_shared<File>();
  file->bytes = file->durable = std::move(bytes);
  names_[path] = durable_names_[path] = file;
}

}  // namespace pollux
