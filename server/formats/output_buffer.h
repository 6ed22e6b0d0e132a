// Text on its way to a file descriptor, in large writes.
//
// Failure: the first failed write is kept in status() and everything after it is dropped; a reader
// that went away (EPIPE) is told apart, since that is how `| head` ends a program.
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pollux {

class OutputBuffer {
 public:
  static constexpr size_t kCapacityBytes = 256 * 1024;

  enum class Status : uint8_t { kOk, kReaderGone, kFailed };

  /// Borrows `fd`. The process must ignore SIGPIPE.
  explicit OutputBuffer(int fd);
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;

  /// Called before bytes go out.
  void before_write(std::function<void()> hook) { before_write_ = std::move(hook); }

  /// Room for `bytes` more, at most kCapacityBytes; commit() says how many were filled.
  char* reserve(size_t bytes) {
    if (kCapacityBytes - size_ < bytes) flush();
    return data_.get() + size_;
  }
  void commit(size_t bytes) { size_ += bytes; }
  void append(std::string_view text);
  void append(char c) {
    *reserve(1) = c;
    commit(1);
  }

  /// Writes out what is held.
  void flush();

  Status status() const { return status_; }
  const std::string& error() const { return error_; }
  uint64_t bytes_written() const { return bytes_written_; }

 private:
  void write_all(const char* data, size_t size);

  int fd_;
  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  Status status_ = Status::kOk;
  std::string error_;
  uint64_t bytes_written_ = 0;
  std::function<void()> before_write_;
};

}  // namespace pollux
