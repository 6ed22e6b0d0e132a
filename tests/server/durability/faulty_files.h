// The real disk, which fails where a test says so. Thread: any; faults are set between starts or
// while the node runs.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "persistence/files/posix_file_system.h"

namespace pollux {

enum class DiskWork { kOpen, kAppend, kSync };

class FaultyFiles final : public PosixFileSystem {
 public:
  /// What becomes of work on a file; ok: it is done.
  using Fault = std::function<absl::Status(DiskWork work, const std::string& path)>;

  void set_fault(Fault fault) {
    std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  /// Files whose path has `part` in it get nothing more onto the disk.
  void fill_up(std::string part) {
    set_fault([part = std::move(part)](DiskWork work, const std::string& path) {
      bool writes = work == DiskWork::kAppend && path.find(part) != std::string::npos;
      if (!writes) return absl::OkStatus();
      return absl::ResourceExhaustedError(path + ": cannot write: No space left on device");
    });
  }
  void heal() { set_fault(nullptr); }

  absl::StatusOr<std::unique_ptr<AppendFile>> open_append(const std::string& path) override {
    if (absl::Status fault = fault_of(DiskWork::kOpen, path); !fault.ok()) return fault;
    auto file = PosixFileSystem::open_append(path);
    if (!file.ok()) return file.status();
    return std::make_unique<File>(*this, path, *std::move(file));
  }

 private:
  class File final : public AppendFile {
   public:
    File(FaultyFiles& files, std::string path, std::unique_ptr<AppendFile> file)
        : files_(files), path_(std::move(path)), file_(std::move(file)) {}
    absl::Status append(std::string_view bytes) override {
      absl::Status fault = files_.fault_of(DiskWork::kAppend, path_);
      return fault.ok() ? file_->append(bytes) : fault;
    }
    absl::Status sync() override {
      absl::Status fault = files_.fault_of(DiskWork::kSync, path_);
      return fault.ok() ? file_->sync() : fault;
    }
    uint64_t size() const override { return file_->size(); }

   private:
    FaultyFiles& files_;
    const std::string path_;
    const std::unique_ptr<AppendFile> file_;
  };

  absl::Status fault_of(DiskWork work, const std::string& path) {
    std::lock_guard lock(mutex_);
    return fault_ ? fault_(work, path) : absl::OkStatus();
  }

  std::mutex mutex_;
  Fault fault_;
};

}  // namespace pollux
