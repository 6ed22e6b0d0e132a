#include "server/node/epoch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

absl::Status failed(const char* what, const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(errno)));
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0640)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

absl::StatusOr<Epoch> read_epoch(const std::string& path) {
  File file(path, O_RDONLY);
  if (file.fd() < 0 && errno == ENOENT) return Epoch{0};
  if (file.fd() < 0) return failed("open", path);
  char text[32];
  ssize_t bytes = ::read(file.fd(), text, sizeof(text));
  if (bytes < 0) return failed("read", path);
  Epoch epoch;
  auto [end, error] = std::from_chars(text, text + bytes, epoch.value);
  if (error != std::errc() || end != text + bytes - 1 || *end != '\n') {
    return absl::DataLossError(absl::StrCat(
        path,
        " does not hold an epoch; write a number into it that is greater than any epoch that "
        "this node has had, followed by a line end"));
  }
  return epoch;
}

absl::Status write_durably(const std::string& directory, const std::string& path,
                           const std::string& text) {
  std::string temporary = path + ".new";
  {
    File file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.fd() < 0) return failed("write", temporary);
    if (::write(file.fd(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.fd()) != 0) {
      return failed("write", temporary);
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return failed("rename", temporary);
  File folder(directory, O_RDONLY | O_DIRECTORY);
  if (folder.fd() < 0 || ::fsync(folder.fd()) != 0) return failed("sync", directory);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Epoch> begin_epoch(const std::string& directory, Epoch seen) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot make the data directory ", directory, ": ", error.message()));
  }
  std::string path = directory + "/epoch";
  absl::StatusOr<Epoch> last = read_epoch(path);
  if (!last.ok()) return last.status();
  Epoch epoch{std::max(*last, seen).value + 1};
  absl::Status written = write_durably(directory, path, absl::StrCat(epoch.value, "\n"));
  if (!written.ok()) return written;
  return epoch;
}

}  // namespace pollux
