#include "server/formats/output_buffer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace pollux {

OutputBuffer::OutputBuffer(int fd)
    : fd_(fd), data_(std::make_unique_for_overwrite<char[]>(kCapacityBytes)) {}

void OutputBuffer::append(std::string_view text) {
  if (text.size() > kCapacityBytes) {
    flush();
    write_all(text.data(), text.size());
    return;
  }
  if (text.empty()) return;
  std::memcpy(reserve(text.size()), text.data(), text.size());
  commit(text.size());
}

void OutputBuffer::flush() {
  write_all(data_.get(), size_);
  size_ = 0;
}

void OutputBuffer::write_all(const char* data, size_t size) {
  if (status_ != Status::kOk || size == 0) return;
  if (before_write_) before_write_();
  while (size != 0) {
    ssize_t wrote = ::write(fd_, data, size);
    if (wrote >= 0) {
      data += wrote;
      size -= static_cast<size_t>(wrote);
      bytes_written_ += static_cast<uint64_t>(wrote);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd wait{fd_, POLLOUT, 0};
      if (::poll(&wait, 1, -1) >= 0 || errno == EINTR) continue;
    }
    status_ = errno == EPIPE ? Status::kReaderGone : Status::kFailed;
    error_ = std::system_category().message(errno);
    return;
  }
}

}  // namespace pollux
