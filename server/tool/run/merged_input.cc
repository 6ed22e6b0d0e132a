#include "server/tool/run/merged_input.h"

#include <utility>

namespace pollux::tool {

void MergedInput::add(std::string name, std::unique_ptr<RowReader> reader) {
  heads_.push_back({std::move(name), std::move(reader), State::kEmpty});
}

ReadStatus MergedInput::next(Wait wait) {
  if (heads_.empty()) return ReadStatus::kEnd;
  if (heads_[current_].state == State::kRow) heads_[current_].state = State::kEmpty;
  for (size_t i = 0; i < heads_.size(); ++i) {
    Head& head = heads_[i];
    if (head.state != State::kEmpty) continue;
    ReadStatus status = head.reader->next(wait);
    if (status == ReadStatus::kRow) {
      head.state = State::kRow;
    } else if (status == ReadStatus::kEnd) {
      head.state = State::kEnd;
    } else {
      current_ = i;
      return status;
    }
  }
  size_t first = heads_.size();
  for (size_t i = 0; i < heads_.size(); ++i) {
    if (heads_[i].state != State::kRow) continue;
    if (first == heads_.size() ||
        heads_[i].reader->timestamp_ms() < heads_[first].reader->timestamp_ms()) {
      first = i;
    }
  }
  if (first == heads_.size()) return ReadStatus::kEnd;
  current_ = first;
  return ReadStatus::kRow;
}

uint64_t MergedInput::bytes_read() const {
  uint64_t bytes = 0;
  for (const Head& head : heads_) bytes += head.reader->input().bytes_read();
  return bytes;
}

uint64_t MergedInput::bytes_total() const {
  uint64_t bytes = 0;
  for (const Head& head : heads_) {
    uint64_t total = head.reader->input().bytes_total();
    if (total == 0) return 0;
    bytes += total;
  }
  return bytes;
}

}  // namespace pollux::tool
