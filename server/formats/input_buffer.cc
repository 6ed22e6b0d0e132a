#include "server/formats/input_buffer.h"

#include <cstring>
#include <utility>

#include "engine/base/check.h"

namespace pollux {

InputBuffer::InputBuffer(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)),
      data_(std::make_unique<char[]>(kReadBytes + kPaddingBytes)),
      capacity_(kReadBytes) {}

InputBuffer::Fill InputBuffer::fill(Wait wait) {
  if (!error_.empty()) return Fill::kFailed;
  if (at_end_) return Fill::kEnd;
  if (wait == Wait::kNo && !source_->ready()) return Fill::kNotReady;
  make_room();
  ByteSource::ReadResult got = source_->read(data_.get() + end_, capacity_ - end_);
  if (!got.error.empty()) {
    error_ = std::move(got.error);
    return Fill::kFailed;
  }
  if (got.bytes == 0) {
    at_end_ = true;
    return Fill::kEnd;
  }
  end_ += got.bytes;
  bytes_read_ += got.bytes;
  return Fill::kData;
}

void InputBuffer::consume(size_t bytes) {
  POLLUX_CHECK(bytes <= end_ - begin_);
  begin_ += bytes;
}

void InputBuffer::make_room() {
  size_t unread = end_ - begin_;
  if (unread * 2 > capacity_) {
    // A long record: grow, so that reads stay large compared with what is moved.
    auto grown = std::make_unique<char[]>(capacity_ * 2 + kPaddingBytes);
    std::memcpy(grown.get(), data_.get() + begin_, unread);
    data_ = std::move(grown);
    capacity_ *= 2;
  } else if (begin_ != 0) {
    std::memmove(data_.get(), data_.get() + begin_, unread);
  }
  begin_ = 0;
  end_ = unread;
}

}  // namespace pollux
