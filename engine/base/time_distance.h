// How far apart two moments are.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pollux {

/// Milliseconds between two moments, at most INT64_MAX.
inline int64_t time_distance(int64_t a, int64_t b) {
  uint64_t between = a > b ? static_cast<uint64_t>(a) - static_cast<uint64_t>(b)
                           : static_cast<uint64_t>(b) - static_cast<uint64_t>(a);
  return static_cast<int64_t>(std::min<uint64_t>(between, INT64_MAX));
}

/// `time + ms`, or the last moment there is.
inline int64_t later_by(int64_t time, int64_t ms) {
  int64_t later = 0;
  return __builtin_add_overflow(time, ms, &later) ? INT64_MAX : later;
}

}  // namespace pollux
