// The unread bytes of a source, in one piece, with room behind them for wide loads.
//
// Memory: at most the longest record asked for plus one read. Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/formats/byte_source.h"

namespace pollux {

/// May a read wait for data that is not there yet?
enum class Wait : uint8_t { kNo, kYes };

class InputBuffer {
 public:
  /// Readable bytes behind view(), whatever they hold: scanners may load this far beyond the end.
  static constexpr size_t kPaddingBytes = 64;
  static constexpr size_t kReadBytes = 256 * 1024;

  enum class Fill : uint8_t { kData, kEnd, kNotReady, kFailed };

  explicit InputBuffer(std::unique_ptr<ByteSource> source);

  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  bool at_end() const { return at_end_; }

  /// Reads more behind what is there; moves it, so that earlier views end. kNotReady only for
  /// Wait::kNo.
  Fill fill(Wait wait);
  void consume(size_t bytes);

  /// Why fill() gave kFailed.
  const std::string& error() const { return error_; }
  uint64_t bytes_read() const { return bytes_read_; }
  size_t bytes_held() const { return capacity_ + kPaddingBytes; }
  uint64_t bytes_total() const { return source_->bytes_total(); }

 private:
  void make_room();

  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<char[]> data_;
  size_t capacity_;  // without the padding
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t bytes_read_ = 0;
  bool at_end_ = false;
  std::string error_;
};

}  // namespace pollux
