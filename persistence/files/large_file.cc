#include "persistence/files/large_file.h"

#include <utility>

namespace pollux {
namespace {

class LargeFile : public AppendFile {
 public:
  explicit LargeFile(std::unique_ptr<AppendFile> file) : file_(std::move(file)) {}

  absl::Status append(std::string_view bytes) override {
    while (!bytes.empty()) {
      std::string_view part = bytes.substr(0, kLargeFileSyncBytes - unsynced_);
      bytes.remove_prefix(part.size());
      if (absl::Status appended = file_->append(part); !appended.ok()) return appended;
      unsynced_ += part.size();
      if (unsynced_ < kLargeFileSyncBytes) continue;
      if (absl::Status synced = sync(); !synced.ok()) return synced;
    }
    return absl::OkStatus();
  }
  absl::Status sync() override {
    unsynced_ = 0;
    return file_->sync();
  }
  uint64_t size() const override { return file_->size(); }

 private:
  std::unique_ptr<AppendFile> file_;
  uint64_t unsynced_ = 0;
};

}  // namespace

std::unique_ptr<AppendFile> as_large_file(std::unique_ptr<AppendFile> file) {
  return std::make_unique<LargeFile>(std::move(file));
}

}  // namespace pollux
