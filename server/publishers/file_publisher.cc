#include "server/publishers/file_publisher.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

/// How our lines begin; see append_row_json().
constexpr std::string_view kLineBegin = "{\"stream\":";

}  // namespace

FilePublisher::FilePublisher(FilePublisherOptions options, RowPayload payload)
    : options_(std::move(options)), payload_(std::move(payload)) {}

FilePublisher::~FilePublisher() { close(); }

void FilePublisher::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

absl::Status FilePublisher::failed(const char* what) const {
  int error = errno;
  std::string text = absl::StrCat("cannot ", what, " '", options_.path,
                                  "': ", std::system_category().message(error));
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(text);
  return absl::UnavailableError(text);
}

bool FilePublisher::was_moved() const {
  struct stat there {};
  struct stat ours {};
  if (::stat(options_.path.c_str(), &there) != 0 || ::fstat(fd_, &ours) != 0) return true;
  return there.st_dev != ours.st_dev || there.st_ino != ours.st_ino;
}

absl::Status FilePublisher::open() {
  if (fd_ >= 0 && !was_moved()) return absl::OkStatus();
  close();
  // Not O_NONBLOCK: a FIFO without a reader would fail each write; it is refused below instead.
  struct stat info {};
  if (::stat(options_.path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode)) {
    return absl::UnavailableError(absl::StrCat("'", options_.path, "' is a pipe, not a file"));
  }
  fd_ = ::open(options_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
  if (fd_ < 0) return failed("open");
  if (::fstat(fd_, &info) != 0) return failed("look at");
  regular_ = S_ISREG(info.st_mode);
  if (!regular_) return absl::OkStatus();
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    close();
    return absl::UnavailableError(absl::StrCat("'", options_.path, "' is written by another sink"));
  }
  absl::Status mended = mend_end();
  if (!mended.ok()) close();
  return mended;
}

/// Makes the file end with a line end.
absl::Status FilePublisher::mend_end() {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return failed("look at");
  auto size = static_cast<uint64_t>(info.st_size);
  uint64_t line = size;  // where the last line begins
  std::array<char, 65536> piece;
  for (uint64_t end = size; end > 0;) {
    uint64_t begin = end > piece.size() ? end - piece.size() : 0;
    auto bytes = static_cast<size_t>(end - begin);
    if (::pread(fd_, piece.data(), bytes, static_cast<off_t>(begin)) !=
        static_cast<ssize_t>(bytes)) {
      return failed("read");
    }
    size_t found = std::string_view(piece.data(), bytes).rfind('\n');
    line = begin;
    if (found != std::string_view::npos) {
      line = begin + found + 1;
      break;
    }
    end = begin;
  }
  if (line == size) return absl::OkStatus();
  std::array<char, kLineBegin.size()> first{};
  char last = 0;
  ssize_t read = ::pread(fd_, first.data(), first.size(), static_cast<off_t>(line));
  if (read < 0 || ::pread(fd_, &last, 1, static_cast<off_t>(size - 1)) != 1) return failed("read");
  std::string_view begins(first.data(), static_cast<size_t>(read));
  bool ours = begins == kLineBegin.substr(0, begins.size());
  // A whole line without its end may be one that its sink took for written.
  if (ours && last != '}') return cut_to(line);
  return write_all("\n");
}

absl::Status FilePublisher::cut_to(uint64_t bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) return failed("cut");
  return absl::OkStatus();
}

absl::Status FilePublisher::write_all(std::string_view text) {
  while (!text.empty()) {
    ssize_t wrote = ::write(fd_, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return failed("write");
    text.remove_prefix(static_cast<size_t>(wrote));
  }
  return absl::OkStatus();
}

Published FilePublisher::publish(std::span<const PublishedRow> rows,
                                 const std::atomic<bool>& /*stopping*/) {
  if (absl::Status opened = open(); !opened.ok()) return {opened};
  std::string text;
  for (const PublishedRow& row : rows) {
    payload_.append_line(text, row);
    text += '\n';
  }
  struct stat before {};
  if (::fstat(fd_, &before) != 0) return {failed("look at")};
  absl::Status written = write_all(text);
  if (written.ok() && options_.sync && regular_ && ::fdatasync(fd_) != 0) {
    written = failed("sync");
  }
  if (!written.ok()) {
    // What stays in spite of this is mended when the file is opened again.
    if (regular_) cut_to(static_cast<uint64_t>(before.st_size)).IgnoreError();
    close();
  }
  return {written};
}

}  // namespace pollux
