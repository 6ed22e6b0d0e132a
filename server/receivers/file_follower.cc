#include "server/receivers/file_follower.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace pollux {

FileFollower::~FileFollower() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status FileFollower::failed(const char* what) const {
  int error = errno;
  std::string text =
      absl::StrCat("cannot ", what, " '", path_, "': ", std::system_category().message(error));
  return error == ENOENT ? absl::NotFoundError(text) : absl::UnavailableError(text);
}

absl::Status FileFollower::open() {
  int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return failed("open");
  struct stat info {};
  bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  if (!regular) {
    ::close(fd);
    return absl::UnavailableError(absl::StrCat("'", path_, "' is not a regular file"));
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  device_ = info.st_dev;
  inode_ = info.st_ino;
  offset_ = 0;
  replaced_ = false;
  whole_ = false;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> FileFollower::size() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return failed("look at");
  return static_cast<uint64_t>(info.st_size);
}

absl::Status FileFollower::look() {
  if (fd_ < 0) return open();
  absl::StatusOr<uint64_t> bytes = size();
  if (!bytes.ok()) return bytes.status();
  if (*bytes < offset_) offset_ = 0;
  struct stat there {};
  bool another =
      ::stat(path_.c_str(), &there) == 0 && (there.st_dev != device_ || there.st_ino != inode_);
  if (!another) return absl::OkStatus();
  // Who writes the old one may do so a little longer: it is whole when it did not grow between
  // looks.
  whole_ = replaced_ && *bytes == replaced_size_;
  replaced_ = true;
  replaced_size_ = *bytes;
  return whole_ && offset_ >= *bytes ? open() : absl::OkStatus();
}

absl::StatusOr<std::string> FileFollower::read(uint64_t begin, uint64_t end) const {
  std::string text(end - begin, '\0');
  size_t have = 0;
  while (have < text.size()) {
    ssize_t got =
        ::pread(fd_, text.data() + have, text.size() - have, static_cast<off_t>(begin + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read");
    if (got == 0) break;  // was cut in between
    have += static_cast<size_t>(got);
  }
  text.resize(have);
  return text;
}

absl::StatusOr<FileFollower::Lines> FileFollower::peek(size_t bytes_max) const {
  absl::StatusOr<uint64_t> bytes = size();
  if (!bytes.ok()) return bytes.status();
  Lines lines;
  lines.begin = lines.end = offset_;
  if (*bytes <= offset_) {
    lines.at_end = true;
    return lines;
  }
  absl::StatusOr<std::string> text = read(offset_, std::min(*bytes, offset_ + bytes_max));
  if (text.ok() && text->find('\n') == std::string::npos) {
    text = read(offset_, std::min(*bytes, offset_ + kLinesBytesMax));
  }
  if (!text.ok()) return text.status();
  bool all = offset_ + text->size() >= *bytes;
  size_t last = text->rfind('\n');
  lines.at_end = all;
  lines.too_long = last == std::string::npos && text->size() >= kLinesBytesMax;
  bool whole = lines.too_long || (all && (!follow_ || whole_));
  if (!whole) text->resize(last == std::string::npos ? 0 : last + 1);
  lines.text = *std::move(text);
  lines.end = offset_ + lines.text.size();
  return lines;
}

}  // namespace pollux
