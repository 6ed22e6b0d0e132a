#include "server/log/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"

namespace pollux {

namespace {

constexpr mode_t kFileMode = 0640;

/// 0, or errno; `written` says how far it came.
int write_all(int fd, std::string_view text, size_t& written) {
  written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(fd, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    written += static_cast<size_t>(count);
  }
  return 0;
}

}  // namespace

LogFile::~LogFile() { close(); }

absl::Status LogFile::open(const std::string& path) {
  int fd = -1;
  if (!path.empty()) {
    fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kFileMode);
    if (fd < 0) {
      return absl::FailedPreconditionError("log file " + path +
                                           " cannot be opened: " + std::strerror(errno));
    }
  }
  close();
  path_ = path;
  fd_ = fd;
  diverted_ = 0;
  torn_ = false;
  return absl::OkStatus();
}

void LogFile::close() {
  if (fd_ >= 0) ::close(fd_);
}

void LogFile::write_to_stderr(std::string_view line) {
  size_t written = 0;
  // Whoever closed standard error wants no lines; there is nobody left to tell.
  static_cast<void>(write_all(STDERR_FILENO, line, written));
}

void LogFile::write(std::string_view line) {
  if (fd_ < 0) return write_to_stderr(line);
  size_t written = 0;
  int error = torn_ ? write_all(fd_, "\n", written) : 0;
  if (error == 0) {
    torn_ = false;
    error = write_all(fd_, line, written);
    torn_ = error != 0 && written > 0;
  }
  if (error == 0) {
    if (diverted_ > 0) {
      write_to_stderr("log file " + path_ + " is written again; " + std::to_string(diverted_) +
                      " lines went here instead\n");
      diverted_ = 0;
    }
    return;
  }
  if (diverted_++ == 0) {
    write_to_stderr("log file " + path_ + " cannot be written: " + std::strerror(error) +
                    "; its lines come here\n");
  }
  write_to_stderr(line);
}

}  // namespace pollux
