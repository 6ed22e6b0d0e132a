// Lines of any length out of a file or a pipe, by number. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/formats/byte_source.h"

namespace pollux::tool {

class EntryLines {
 public:
  /// What a line may have: the longest record of a journal, written out.
  static constexpr size_t kLineBytesMax = size_t{2} << 30;

  explicit EntryLines(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  /// Without its line end, valid until the next call; empty lines are passed over. Nothing at the
  /// end, or when error() says why not.
  std::optional<std::string_view> next();

  uint64_t number() const { return number_; }  ///< of the line that next() gave
  const std::string& error() const { return error_; }

 private:
  /// False at the end of the source.
  bool read_more();

  std::unique_ptr<ByteSource> source_;
  std::string bytes_;
  size_t begin_ = 0;     // what was given out ends here
  size_t searched_ = 0;  // there is no line end before
  uint64_t number_ = 0;
  std::string error_;
};

}  // namespace pollux::tool
