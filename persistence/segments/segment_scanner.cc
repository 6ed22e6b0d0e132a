#include "persistence/segments/segment_scanner.h"

#include <algorithm>
#include <utility>

namespace pollux {
namespace {

constexpr size_t kBytesAtOnce = 256 << 10;

}  // namespace

absl::StatusOr<std::string_view> SegmentScanner::at(uint64_t offset, size_t bytes) {
  uint64_t buffer_end = buffer_begin_ + buffer_->size();
  if (offset < buffer_begin_ || offset + bytes > buffer_end) {
    auto size = file_.size();
    if (!size.ok()) return size.status();
    uint64_t there = *size > offset ? *size - offset : 0;
    uint64_t wanted = std::min<uint64_t>(there, std::max(bytes, kBytesAtOnce));
    auto read = file_.read(offset, static_cast<size_t>(wanted));
    if (!read.ok()) return read.status();
    buffer_ = std::make_shared<const std::string>(*std::move(read));
    buffer_begin_ = offset;
  }
  return std::string_view(*buffer_).substr(static_cast<size_t>(offset - buffer_begin_), bytes);
}

absl::StatusOr<ScanStep> SegmentScanner::frame_at(uint64_t offset) {
  auto head = at(offset, kFrameHeaderBytes);
  if (!head.ok()) return head.status();
  if (head->empty()) return ScanStep::kEnd;
  LogFrameHeader header;
  if (head->size() < kFrameHeaderBytes || !decode_frame_header(id_, *head, header)) {
    return ScanStep::kBad;
  }
  auto payload = at(offset + kFrameHeaderBytes, header.length);
  if (!payload.ok()) return payload.status();
  if (!payload_is_whole(header, *payload)) return ScanStep::kBad;
  frame_ = header.frame;
  frame_.payload = *payload;
  begin_ = offset;
  end_ = offset + kFrameHeaderBytes + header.length;
  return ScanStep::kFrame;
}

absl::StatusOr<ScanStep> SegmentScanner::next() { return frame_at(end_); }

absl::StatusOr<ScanStep> SegmentScanner::find_next() {
  uint64_t offset = end_ + 1;
  while (true) {
    auto bytes = at(offset, kFrameHeaderBytes);
    if (!bytes.ok()) return bytes.status();
    if (bytes->size() < kFrameHeaderBytes) return ScanStep::kEnd;
    // All that is in the buffer is searched at once.
    auto ahead = std::string_view(*buffer_).substr(static_cast<size_t>(offset - buffer_begin_));
    size_t found = ahead.find(frame_magic());
    if (found == std::string_view::npos) {
      offset += ahead.size() - frame_magic().size() + 1;
      continue;
    }
    offset += found;
    auto step = frame_at(offset);
    if (!step.ok() || *step == ScanStep::kFrame) return step;
    ++offset;
  }
}

}  // namespace pollux
