// Bytes of strings that live in state and are given back one by one.
//
// Blocks of equal size classes are cut from slabs and reused through free lists, so that a window
// that turns over for ever does not grow. Thread: the shard's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "engine/types/string_ref.h"

namespace pollux {

class StringPool {
 public:
  StringPool() = default;
  StringPool(const StringPool&) = delete;
  StringPool& operator=(const StringPool&) = delete;
  ~StringPool() {
    while (large_ != nullptr) delete_large(large_);
  }

  /// A view of a copy that the pool owns; give it back with release().
  StringRef store(const StringRef& text) {
    if (text.is_inline()) return text;
    char* to = allocate(text.size());
    std::memcpy(to, text.data(), text.size());
    return StringRef(std::string_view(to, text.size()));
  }

  void release(const StringRef& text) {
    if (text.is_inline()) return;
    free_block(const_cast<char*>(text.data()), text.size());
  }

  size_t bytes_live() const { return live_; }

 private:
  static constexpr uint32_t kClassBytes = 8;
  static constexpr uint32_t kPooledBytesMax = 512;
  static constexpr size_t kSlabBytes = 64 * 1024;

  struct FreeBlock {
    FreeBlock* next;
  };
  /// Stands before the bytes of a string that is too long for a class.
  struct LargeBlock {
    LargeBlock* previous;
    LargeBlock* next;
  };

  static uint32_t class_of(uint32_t bytes) { return (bytes + kClassBytes - 1) / kClassBytes; }

  char* allocate(uint32_t bytes) {
    uint32_t index = class_of(bytes);
    live_ += static_cast<size_t>(index) * kClassBytes;
    if (bytes > kPooledBytesMax) return new_large(bytes);
    if (FreeBlock* block = free_[index]) {
      free_[index] = block->next;
      return reinterpret_cast<char*>(block);
    }
    return cut_from_slab(index * kClassBytes);
  }

  void free_block(char* at, uint32_t bytes) {
    uint32_t index = class_of(bytes);
    live_ -= static_cast<size_t>(index) * kClassBytes;
    if (bytes > kPooledBytesMax) {
      delete_large(reinterpret_cast<LargeBlock*>(at - sizeof(LargeBlock)));
      return;
    }
    auto* block = reinterpret_cast<FreeBlock*>(at);
    block->next = free_[index];
    free_[index] = block;
  }

  char* new_large(size_t bytes) {
    char* memory = new char[sizeof(LargeBlock) + bytes];
    large_ = new (memory) LargeBlock{nullptr, large_};
    if (large_->next != nullptr) large_->next->previous = large_;
    return memory + sizeof(LargeBlock);
  }

  void delete_large(LargeBlock* block) {
    (block->previous != nullptr ? block->previous->next : large_) = block->next;
    if (block->next != nullptr) block->next->previous = block->previous;
    delete[] reinterpret_cast<char*>(block);
  }

  char* cut_from_slab(size_t bytes) {
    if (static_cast<size_t>(slab_end_ - slab_next_) < bytes) {
      slabs_.push_back(std::make_unique_for_overwrite<char[]>(kSlabBytes));
      slab_next_ = slabs_.back().get();
      slab_end_ = slab_next_ + kSlabBytes;
    }
    char* at = slab_next_;
    slab_next_ += bytes;
    return at;
  }

  std::array<FreeBlock*, kPooledBytesMax / kClassBytes + 1> free_{};
  std::vector<std::unique_ptr<char[]>> slabs_;
  char* slab_next_ = nullptr;
  char* slab_end_ = nullptr;
  LargeBlock* large_ = nullptr;  ///< the latest of them
  size_t live_ = 0;
};

}  // namespace pollux
