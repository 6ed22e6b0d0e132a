// A queue in one block of memory, indexed from its front. Grows by doubling, never shrinks below
// what it holds.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pollux {

template <class T>
class Ring {
 public:
  uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](uint32_t i) { return items_[(head_ + i) & mask()]; }
  const T& operator[](uint32_t i) const { return items_[(head_ + i) & mask()]; }
  T& front() { return items_[head_]; }
  const T& front() const { return items_[head_]; }

  const T& back() const { return (*this)[size_ - 1]; }
  void pop_back() { --size_; }

  void push(T item) {
    if (size_ == items_.size()) grow();
    items_[(head_ + size_) & mask()] = item;
    ++size_;
  }
  T pop() {
    T item = items_[head_];
    head_ = (head_ + 1) & mask();
    --size_;
    return item;
  }
  void clear() { head_ = size_ = 0; }
  /// Makes room for so many in an empty ring.
  void reserve(uint32_t items) {
    if (items_.size() < items) items_ = std::vector<T>(std::bit_ceil(std::max(items, 4U)));
  }
  size_t bytes() const { return items_.capacity() * sizeof(T); }

 private:
  uint32_t mask() const { return static_cast<uint32_t>(items_.size()) - 1; }
  [[gnu::noinline]] void grow() {
    std::vector<T> larger(items_.empty() ? 4 : items_.size() * 2);
    for (uint32_t i = 0; i < size_; ++i) larger[i] = (*this)[i];
    items_ = std::move(larger);
    head_ = 0;
  }

  std::vector<T> items_;
  uint32_t head_ = 0;
  uint32_t size_ = 0;
};

}  // namespace pollux
