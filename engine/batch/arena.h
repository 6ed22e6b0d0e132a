// Bytes of strings that live and die together. Addresses stay valid until clear().
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/types/string_ref.h"

namespace pollux {

class Arena {
 public:
  static constexpr size_t kFirstBlockBytes = 1024;
  static constexpr size_t kBlockBytesMax = 256 * 1024;

  /// A view of a copy of `text`; short texts need no bytes here.
  StringRef store(std::string_view text) {
    if (text.size() <= StringRef::kInlineBytesMax) return StringRef(text);
    char* to = allocate(text.size());
    std::memcpy(to, text.data(), text.size());
    return StringRef(std::string_view(to, text.size()));
  }

  /// `bytes` uninitialised bytes, not aligned.
  char* allocate(size_t bytes) {
    if (static_cast<size_t>(end_ - next_) < bytes) add_block(bytes);
    char* at = next_;
    next_ += bytes;
    used_ += bytes;
    return at;
  }

  /// Forgets everything; keeps the largest block for reuse.
  void clear();

  size_t bytes_used() const { return used_; }
  size_t bytes_held() const { return held_; }

 private:
  struct Block {
    std::unique_ptr<char[]> data;
    size_t size;
  };
  void add_block(size_t bytes);

  std::vector<Block> blocks_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  size_t used_ = 0;
  size_t held_ = 0;
};

}  // namespace pollux
