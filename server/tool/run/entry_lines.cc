#include "server/tool/run/entry_lines.h"

#include <algorithm>

namespace pollux::tool {

bool EntryLines::read_more() {
  constexpr size_t kBytesAtOnce = size_t{256} << 10;
  bytes_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  size_t there = bytes_.size();
  if (there > kLineBytesMax) {
    error_ = "line " + std::to_string(number_ + 1) + " is too long";
    return false;
  }
  bytes_.resize(there + kBytesAtOnce);
  ByteSource::ReadResult read = source_->read(bytes_.data() + there, kBytesAtOnce);
  bytes_.resize(there + read.bytes);
  error_ = read.error;
  return read.bytes > 0;
}

std::optional<std::string_view> EntryLines::next() {
  while (error_.empty()) {
    size_t end = bytes_.find('\n', searched_);
    if (end == std::string::npos) {
      searched_ = bytes_.size();
      if (read_more()) continue;
      if (!error_.empty() || bytes_.empty()) return std::nullopt;
      end = bytes_.size();  // the last line has no line end
    }
    std::string_view line = std::string_view(bytes_).substr(begin_, end - begin_);
    begin_ = searched_ = std::min(end + 1, bytes_.size());
    ++number_;
    if (!line.empty()) return line;
  }
  return std::nullopt;
}

}  // namespace pollux::tool
