// The order of numbers in which every value has a place of its own, as Java's compareTo has it:
// -0.0 below 0.0, and not-a-number above all others and equal to itself.
#pragma once

#include <cmath>
#include <type_traits>

namespace pollux {

/// Below, at or above 0.
template <class T>
int order_of_numbers(T a, T b) {
  if (a < b) return -1;
  if (b < a) return 1;
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a || b != b) return static_cast<int>(a != a) - static_cast<int>(b != b);
    return static_cast<int>(std::signbit(b)) - static_cast<int>(std::signbit(a));
  }
  return 0;
}

}  // namespace pollux
