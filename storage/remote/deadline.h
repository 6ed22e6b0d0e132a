// The end of one call, however many steps it takes. Thread: any.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace pollux {

class Deadline {
 public:
  explicit Deadline(int64_t ms) : end_(Clock::now() + std::chrono::milliseconds(ms)) {}

  /// Rounded up, so that 0 means that it has passed.
  int64_t remaining_ms() const {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
    return std::max<int64_t>(left.count(), 0);
  }
  bool has_passed() const { return remaining_ms() == 0; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point end_;
};

}  // namespace pollux
