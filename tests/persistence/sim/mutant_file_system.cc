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

absl::Status MutantFileSystem::rename(const std::string& from, const std::string& to) {
  absl::Status renamed = files_.rename(from, to);
  if (!renamed.ok() || mutant_ != Mutant::kRenameBeforeFsync) return renamed;
  if (absl::Status lasts = files_.sync_directory(directory_of(to)); !lasts.ok()) return lasts;
  auto file = files_.open_append(to);
  return file.ok() ? (*file)->sync() : file.status();
}

}  // namespace pollux
