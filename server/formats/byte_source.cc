#include "server/formats/byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace pollux {

namespace {

std::string error_text(int error) { return std::system_category().message(error); }

}  // namespace

std::unique_ptr<FileSource> FileSource::open(const std::string& path, std::string& error) {
  if (path == "-") return std::make_unique<FileSource>(STDIN_FILENO);
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    error = error_text(errno);
    return nullptr;
  }
  auto source = std::make_unique<FileSource>(fd);
  source->owned_ = true;
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    error = error_text(EISDIR);
    return nullptr;
  }
  return source;
}

FileSource::FileSource(int fd) : fd_(fd) {
  struct stat info {};
  if (::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode)) {
    regular_ = true;
    bytes_total_ = static_cast<uint64_t>(info.st_size);
  }
}

FileSource::~FileSource() {
  if (owned_) ::close(fd_);
}

ByteSource::ReadResult FileSource::read(char* to, size_t bytes_max) {
  for (;;) {
    ssize_t got = ::read(fd_, to, bytes_max);
    if (got >= 0) return {static_cast<size_t>(got), {}};
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // Somebody made the descriptor non-blocking: wait for it here.
      pollfd wait{fd_, POLLIN, 0};
      if (::poll(&wait, 1, -1) >= 0 || errno == EINTR) continue;
    }
    if (errno == EINTR) continue;
    return {0, error_text(errno)};
  }
}

bool FileSource::ready() {
  if (regular_) return true;
  pollfd wait{fd_, POLLIN, 0};
  // An error of poll itself shows at the read that follows.
  return ::poll(&wait, 1, 0) != 0;
}

}  // namespace pollux
