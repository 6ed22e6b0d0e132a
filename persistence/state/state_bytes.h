// A whole state in memory: bytes that are not written before they are filled, so that the threads
// that unpack a large state are the first to touch its pages, each its own.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace pollux {

template <class T>
struct UnfilledAllocator : std::allocator<T> {
  template <class Other>
  struct rebind {
    using other = UnfilledAllocator<Other>;
  };
  void construct(T*) noexcept {}
  template <class... From>
  void construct(T* at, From&&... from) {
    ::new (static_cast<void*>(at)) T(std::forward<From>(from)...);
  }
};

using StateBytes = std::vector<char, UnfilledAllocator<char>>;

}  // namespace pollux
