#include "ha/arbiter/record_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <memory>
#include <random>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pollux {
namespace {

constexpr std::string_view kRecord = "record.";
constexpr std::string_view kAttempt = "attempt.";
// A client of NFS renames so what was removed while it was open.
constexpr std::string_view kRemovedOnNfs = ".nfs";
constexpr size_t kVersionDigits = 20;
constexpr size_t kRandomDigits = 16;
constexpr size_t kBytesMax = 64 * 1024;  // of a file that is read; no record is as long

absl::Status failed(std::string_view path, std::string_view what, int error) {
  std::string message = absl::StrCat(std::string(path), ": cannot ", std::string(what), ": ",
                                     std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(message + "; free space on that disk");
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message +
                                         "; the server's user must be able to read and "
                                         "write this folder");
    case EROFS:
      return absl::PermissionDeniedError(message + "; mount it so that it can be written");
    default:
      return absl::UnavailableError(message);
  }
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

 private:
  int number_;
};

struct FileName {
  enum class Kind { kRecord, kAttempt, kForeign };
  Kind kind = Kind::kForeign;
  uint64_t version = 0;
};

bool read_version(std::string_view digits, uint64_t& version) {
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  return digits.size() == kVersionDigits && error == std::errc() &&
         end == digits.data() + digits.size() && version > 0;
}

FileName file_name_of(std::string_view name) {
  FileName file;
  if (name.starts_with(kRecord) && read_version(name.substr(kRecord.size()), file.version)) {
    file.kind = FileName::Kind::kRecord;
  }
  if (name.starts_with(kAttempt) &&
      name.size() == kAttempt.size() + kVersionDigits + 1 + kRandomDigits &&
      read_version(name.substr(kAttempt.size(), kVersionDigits), file.version)) {
    file.kind = FileName::Kind::kAttempt;
  }
  return file;
}

bool passed_over(std::string_view name) {
  return name == "." || name == ".." || name.starts_with(kRemovedOnNfs);
}

/// Calls `visit(name)` for what stands in the folder until it returns an error.
template <class Visit>
absl::Status for_each_name(const std::string& path, Visit&& visit) {
  std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return failed(path, "list it", errno);
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());
    if (entry == nullptr) return errno == 0 ? absl::OkStatus() : failed(path, "list it", errno);
    if (passed_over(entry->d_name)) continue;
    absl::Status status = visit(std::string_view(entry->d_name));
    if (!status.ok()) return status;
  }
}

absl::Status sync_folder(const std::string& path) {
  Descriptor folder(
      uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (folder.number() < 0) return failed(path, "open it", errno);
  if (uninterrupted([&] { return ::fsync(folder.number()); }) != 0) {
    return failed(path, "sync it", errno);
  }
  return absl::OkStatus();
}

absl::Status write_synced(const std::string& path, std::string_view bytes) {
  Descriptor file(uninterrupted(
      [&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644); }));
  if (file.number() < 0) return failed(path, "create it", errno);
  while (!bytes.empty()) {
    ssize_t written =
        uninterrupted([&] { return ::write(file.number(), bytes.data(), bytes.size()); });
    if (written < 0) return failed(path, "write it", errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  if (uninterrupted([&] { return ::fsync(file.number()); }) != 0) {
    return failed(path, "sync it", errno);
  }
  return absl::OkStatus();
}

std::string random_digits() {
  std::random_device random;
  return absl::StrFormat("%08x%08x", random(), random());
}

std::string parent_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

}  // namespace

std::string RecordFolder::path_of(uint64_t version) const {
  return absl::StrFormat("%s/%s%0*d", path_, std::string(kRecord), kVersionDigits, version);
}

absl::Status RecordFolder::make() {
  if (::mkdir(path_.c_str(), 0755) != 0 && errno != EEXIST) {
    return failed(path_, "create it", errno);
  }
  // Also where it exists: whoever created it may not have come to this.
  return sync_folder(parent_of(path_));
}

absl::StatusOr<std::vector<uint64_t>> RecordFolder::versions() const {
  std::vector<uint64_t> versions;
  absl::Status listed = for_each_name(path_, [&](std::string_view name) {
    FileName file = file_name_of(name);
    if (file.kind == FileName::Kind::kForeign) {
      return absl::DataLossError(absl::StrCat(path_, "/", absl::CEscape(std::string(name)),
                                              ": nothing of the arbiter's; move it away"));
    }
    if (file.kind == FileName::Kind::kRecord) versions.push_back(file.version);
    return absl::OkStatus();
  });
  if (absl::IsNotFound(listed)) {
    struct stat about;
    if (::stat(parent_of(path_).c_str(), &about) == 0) return versions;
    return absl::FailedPreconditionError(
        absl::StrCat(parent_of(path_), ": the arbiter's folder is missing; mount or create it"));
  }
  if (!listed.ok()) return listed;
  std::sort(versions.begin(), versions.end());
  return versions;
}

absl::StatusOr<std::string> RecordFolder::read(uint64_t version) const {
  std::string path = path_of(version);
  // What is no regular file must neither block the call nor lead it elsewhere.
  Descriptor file(uninterrupted(
      [&] { return ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); }));
  if (file.number() < 0 && errno != ELOOP) return failed(path, "open it", errno);
  struct stat about;
  if (file.number() >= 0 && ::fstat(file.number(), &about) != 0)
    return failed(path, "read its size", errno);
  if (file.number() < 0 || !S_ISREG(about.st_mode) ||
      about.st_size > static_cast<off_t>(kBytesMax)) {
    return absl::DataLossError(path + ": nothing of the arbiter's; move it away");
  }
  std::string bytes(static_cast<size_t>(about.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t got = uninterrupted(
        [&] { return ::read(file.number(), bytes.data() + done, bytes.size() - done); });
    if (got < 0) return failed(path, "read it", errno);
    if (got == 0) return absl::DataLossError(path + ": shorter than the disk says");
    done += static_cast<size_t>(got);
  }
  return bytes;
}

absl::StatusOr<bool> RecordFolder::add(uint64_t version, std::string_view bytes) {
  std::string attempt = absl::StrFormat("%s/%s%0*d.%s", path_, std::string(kAttempt),
                                        kVersionDigits, version, random_digits());
  absl::Status written = write_synced(attempt, bytes);
  int linked = -1;
  int error = 0;
  std::string record = path_of(version);
  if (written.ok()) {
    linked = ::link(attempt.c_str(), record.c_str());
    error = errno;
  }
  ::unlink(attempt.c_str());  // a success's own prune() tries once more
  if (!written.ok()) return written;
  if (linked == 0) return true;
  // ENOENT: a prune() by somebody who had seen this version removed the attempt.
  if (error == EEXIST || error == ENOENT) return false;
  if (error == EPERM || error == EOPNOTSUPP) {
    return absl::FailedPreconditionError(absl::StrCat(
        record, ": this file system makes no hard links; keep the arbiter on another one"));
  }
  return failed(record, "link it", error);
}

absl::Status RecordFolder::sync() const { return sync_folder(path_); }

void RecordFolder::prune(uint64_t first_kept, uint64_t newest) {
  std::vector<std::string> useless;
  absl::Status listed = for_each_name(path_, [&](std::string_view name) {
    FileName file = file_name_of(name);
    if ((file.kind == FileName::Kind::kRecord && file.version < first_kept) ||
        (file.kind == FileName::Kind::kAttempt && file.version <= newest)) {
      useless.push_back(absl::StrCat(path_, "/", std::string(name)));
    }
    return absl::OkStatus();
  });
  if (!listed.ok()) return;
  std::sort(useless.begin(), useless.end());
  for (const std::string& path : useless) ::unlink(path.c_str());
}

}  // namespace pollux
