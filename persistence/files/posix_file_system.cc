#include "persistence/files/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace pollux {
namespace {

absl::StatusCode code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::StatusCode::kResourceExhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case EWOULDBLOCK:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status failed(const std::string& path, const char* what, int error) {
  return absl::Status(code_of(error),
                      path + ": cannot " + what + ": " + std::generic_category().message(error));
}

/// What the call returns, which is made again for as long as a signal interrupts it.
template <class Call>
auto uninterrupted(Call&& call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

absl::StatusOr<Descriptor> open_file(const std::string& path, int flags, const char* what) {
  int number = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); });
  if (number < 0) return failed(path, what, errno);
  return Descriptor(number);
}

absl::StatusOr<uint64_t> size_of(const Descriptor& file, const std::string& path) {
  struct stat about;
  if (::fstat(file.number(), &about) != 0) return failed(path, "read its size", errno);
  return static_cast<uint64_t>(about.st_size);
}

class PosixAppendFile : public AppendFile {
 public:
  PosixAppendFile(std::string path, Descriptor file, uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size) {}

  absl::Status append(std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t written =
          uninterrupted([&] { return ::write(file_.number(), bytes.data(), bytes.size()); });
      if (written < 0) return failed(path_, "write", errno);
      bytes.remove_prefix(static_cast<size_t>(written));
      size_ += static_cast<uint64_t>(written);
    }
    return absl::OkStatus();
  }
  absl::Status sync() override {
    if (uninterrupted([&] { return ::fdatasync(file_.number()); }) == 0) return absl::OkStatus();
    return failed(path_, "make it last", errno);
  }
  uint64_t size() const override { return size_; }

 private:
  std::string path_;
  Descriptor file_;
  uint64_t size_;
};

class PosixReadFile : public ReadFile {
 public:
  PosixReadFile(std::string path, Descriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}

  absl::StatusOr<std::string> read(uint64_t offset, size_t bytes) const override {
    std::string got(bytes, '\0');
    size_t filled = 0;
    while (filled < bytes) {
      ssize_t more = uninterrupted([&] {
        return ::pread(file_.number(), got.data() + filled, bytes - filled,
                       static_cast<off_t>(offset + filled));
      });
      if (more < 0) return failed(path_, "read", errno);
      if (more == 0) break;
      filled += static_cast<size_t>(more);
    }
    got.resize(filled);
    return got;
  }
  absl::StatusOr<uint64_t> size() const override { return size_of(file_, path_); }

 private:
  std::string path_;
  Descriptor file_;
};

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(Descriptor file) : file_(std::move(file)) {}

 private:
  Descriptor file_;  // closing it ends the lock
};

std::string parent_of(const std::string& path) {
  size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_directory(const std::string& path) {
  struct stat about;
  return ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

}  // namespace

absl::StatusOr<std::unique_ptr<AppendFile>> PosixFileSystem::open_append(const std::string& path) {
  auto file = open_file(path, O_WRONLY | O_APPEND | O_CREAT, "open it to write");
  if (!file.ok()) return file.status();
  auto size = size_of(*file, path);
  if (!size.ok()) return size.status();
  return std::make_unique<PosixAppendFile>(path, *std::move(file), *size);
}

absl::StatusOr<std::unique_ptr<ReadFile>> PosixFileSystem::open_read(const std::string& path) {
  auto file = open_file(path, O_RDONLY, "open it to read");
  if (!file.ok()) return file.status();
  return std::make_unique<PosixReadFile>(path, *std::move(file));
}

absl::Status PosixFileSystem::truncate(const std::string& path, uint64_t bytes) {
  auto file = open_file(path, O_WRONLY, "open it to cut it");
  if (!file.ok()) return file.status();
  auto cut = [&] { return ::ftruncate(file->number(), static_cast<off_t>(bytes)); };
  if (uninterrupted(cut) != 0) return failed(path, "cut", errno);
  if (uninterrupted([&] { return ::fsync(file->number()); }) != 0) {
    return failed(path, "make the cut last", errno);
  }
  return absl::OkStatus();
}

absl::Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return failed(from, ("rename it to " + to).c_str(), errno);
}

absl::Status PosixFileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return absl::OkStatus();
  return failed(path, "remove", errno);
}

absl::Status PosixFileSystem::remove_large(const std::string& path) {
  auto file = open_file(path, O_RDONLY, "open it to remove it");
  if (!file.ok()) return file.status();
  if (absl::Status removed = remove(path); !removed.ok()) return removed;
  releaser_.take(file->release());
  return absl::OkStatus();
}

absl::Status PosixFileSystem::make_directories(const std::string& path) {
  if (is_directory(path)) return absl::OkStatus();
  std::string parent = parent_of(path);
  if (parent == path) return failed(path, "make the directory", ENOENT);
  if (absl::Status above = make_directories(parent); !above.ok()) return above;
  if (::mkdir(path.c_str(), 0755) != 0 && (errno != EEXIST || !is_directory(path))) {
    return failed(path, "make the directory", errno);
  }
  return sync_directory(parent);
}

absl::Status PosixFileSystem::sync_directory(const std::string& path) {
  auto directory = open_file(path, O_RDONLY | O_DIRECTORY, "open the directory");
  if (!directory.ok()) return directory.status();
  if (uninterrupted([&] { return ::fsync(directory->number()); }) == 0) return absl::OkStatus();
  return failed(path, "make its names last", errno);
}

absl::StatusOr<std::vector<DirectoryEntry>> PosixFileSystem::list(const std::string& path) {
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  if (directory == nullptr) return failed(path, "list", errno);
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat about;
    if (::fstatat(::dirfd(directory.get()), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // removed since
      return failed(path + "/" + name, "read its size", errno);
    }
    entries.push_back({name, S_ISDIR(about.st_mode), static_cast<uint64_t>(about.st_size)});
  }
  if (errno != 0) return failed(path, "list", errno);
  std::sort(entries.begin(), entries.end(),
            [](const auto& one, const auto& other) { return one.name < other.name; });
  return entries;
}

absl::StatusOr<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  auto file = open_file(path, O_RDWR | O_CREAT, "open it to lock it");
  if (!file.ok()) return file.status();
  if (uninterrupted([&] { return ::flock(file->number(), LOCK_EX | LOCK_NB); }) != 0) {
    return failed(path, "lock it, it is held elsewhere", errno);
  }
  return std::make_unique<PosixFileLock>(*std::move(file));
}

absl::StatusOr<uint64_t> PosixFileSystem::free_bytes(const std::string& path) {
  struct statvfs about;
  if (uninterrupted([&] { return ::statvfs(path.c_str(), &about); }) != 0) {
    return failed(path, "see how much is free", errno);
  }
  return static_cast<uint64_t>(about.f_bavail) * about.f_frsize;
}

}  // namespace pollux
