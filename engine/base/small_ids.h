// A short list of numbers: up to two stand inside, more go to the heap.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace pollux {

class SmallIds {
 public:
  SmallIds() = default;
  SmallIds(SmallIds&& other) noexcept { swap(other); }
  SmallIds& operator=(SmallIds&& other) noexcept {
    swap(other);
    return *this;
  }
  SmallIds(const SmallIds&) = delete;
  SmallIds& operator=(const SmallIds&) = delete;
  ~SmallIds() {
    if (capacity_ > kInline) std::free(heap_);
  }

  uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  uint32_t* data() { return capacity_ > kInline ? heap_ : inline_; }
  const uint32_t* data() const { return capacity_ > kInline ? heap_ : inline_; }
  uint32_t& operator[](uint32_t i) { return data()[i]; }
  uint32_t operator[](uint32_t i) const { return data()[i]; }

  void push(uint32_t id) {
    if (size_ == capacity_) grow();
    data()[size_++] = id;
  }
  void truncate(uint32_t size) { size_ = size; }
  void clear() { size_ = 0; }
  void swap(SmallIds& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    uint64_t words;
    std::memcpy(&words, inline_, 8);
    std::memcpy(inline_, other.inline_, 8);
    std::memcpy(other.inline_, &words, 8);
  }
  size_t heap_bytes() const { return capacity_ > kInline ? capacity_ * sizeof(uint32_t) : 0; }

 private:
  static constexpr uint32_t kInline = 2;

  void grow() {
    uint32_t capacity = capacity_ * 2;
    auto* larger = static_cast<uint32_t*>(std::malloc(capacity * sizeof(uint32_t)));
    if (larger == nullptr) throw std::bad_alloc();
    std::memcpy(larger, data(), size_ * sizeof(uint32_t));
    if (capacity_ > kInline) std::free(heap_);
    heap_ = larger;
    capacity_ = capacity;
  }

  uint32_t size_ = 0;
  uint32_t capacity_ = kInline;
  union {
    uint32_t inline_[kInline] = {0, 0};
    uint32_t* heap_;
  };
};

static_assert(sizeof(SmallIds) == 16);

}  // namespace pollux
