#include "server/settings/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"

namespace pollux {

namespace {

absl::Status failed() {
  return absl::FailedPreconditionError(std::string("cannot be read: ") + std::strerror(errno));
}

absl::StatusOr<std::string> read_open_file(int fd, size_t bytes_max) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return failed();
  if (S_ISDIR(about.st_mode)) return absl::FailedPreconditionError("cannot be read: a folder");
  if (!S_ISREG(about.st_mode))
    return absl::FailedPreconditionError("cannot be read: no plain file");
  // One byte more than allowed tells that there is more.
  std::string text(std::min(static_cast<size_t>(about.st_size), bytes_max) + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(fd, text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed();
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > bytes_max) {
    return absl::FailedPreconditionError("longer than " + std::to_string(bytes_max) + " bytes");
  }
  text.resize(size);
  return text;
}

}  // namespace

absl::StatusOr<std::string> read_small_file(const std::string& path, size_t bytes_max) {
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failed();
  auto text = read_open_file(fd, bytes_max);
  ::close(fd);
  return text;
}

}  // namespace pollux
