// The clock on the wall. Thread: any.
#pragma once

#include <chrono>
#include <cstdint>

namespace pollux {

/// Milliseconds since 1970-01-01T00:00:00Z; it may be set back.
inline int64_t wall_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace pollux
