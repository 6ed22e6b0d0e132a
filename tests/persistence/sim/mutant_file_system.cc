#include "tests/persistence/sim/mutant_file_system.h"

#include <utility>

namespace pollux {
namespace {

/// A sync of it is left out.
class UnsyncedFile : public AppendFile {
 public:
  explicit UnsyncedFile(std::unique_ptr<AppendFile> file) : file_(std::move(file)) {}
  absl::Status append(std::string_view bytes) override { return file_->append(bytes); }
  absl::Status sync() override { return absl::OkStatus(); }
  uint64_t size() const override { return file_->size(); }

 private:
  std::unique_ptr<AppendFile> file_;
};

/// One of many that read the same file.
class SharedReadFile : public ReadFile {
 public:
  explicit SharedReadFile(std::shared_ptr<const ReadFile> file) : file_(std::move(file)) {}
  absl::StatusOr<std::string> read(uint64_t offset, size_t bytes) const override {
    return file_->read(offset, bytes);
  }
  absl::StatusOr<uint64_t> size() const override { return file_->size(); }

 private:
  std::shared_ptr<const ReadFile> file_;
};

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// What is written under another name first, to be renamed.
bool is_temporary(const std::string& path) {
  return path.ends_with(".new") || path.ends_with(".tmp");
}

}  // namespace

absl::StatusOr<std::unique_ptr<AppendFile>> MutantFileSystem::open_append(const std::string& path) {
  auto file = files_.open_append(path);
  bool unsynced =
      mutant_ == Mutant::kNoFsync || (mutant_ == Mutant::kRenameBeforeFsync && is_temporary(path));
  if (!file.ok() || !unsynced) return file;
  return std::make_unique<UnsyncedFile>(*std::move(file));
}

absl::StatusOr<std::unique_ptr<ReadFile>> MutantFileSystem::open_read(const std::string& path) {
  if (mutant_ != Mutant::kKeepReadFile || !path.ends_with(".journal")) {
    return files_.open_read(path);
  }
  std::shared_ptr<const ReadFile>& kept = kept_[path];
  if (kept == nullptr) {
    auto file = files_.open_read(path);
    if (!file.ok()) return file;
    kept = *std::move(file);
  }
  return std::make_unique<SharedReadFile>(kept);
}

/// A start begins with it.
absl::StatusOr<std::unique_ptr<FileLock>> MutantFileSystem::lock(const std::string& path) {
  kept_.clear();
  return files_.lock(path);
}

absl::Status MutantFileSystem::sync_directory(const std::string& path) {
  if (std::exchange(replaced_, false)) return absl::OkStatus();
  return files_.sync_directory(path);
}

absl::Status MutantFileSystem::rename(const std::string& from, const std::string& to) {
  replaced_ = mutant_ == Mutant::kUnsyncedCut && files_.open_read(to).ok();
  absl::Status renamed = files_.rename(from, to);
  if (!renamed.ok() || mutant_ != Mutant::kRenameBeforeFsync) return renamed;
  if (absl::Status lasts = files_.sync_directory(directory_of(to)); !lasts.ok()) return lasts;
  auto file = files_.open_append(to);
  return file.ok() ? (*file)->sync() : file.status();
}

}  // namespace pollux
