// How long something took, counted by how long about. Thread: any.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pollux {

class LatencyHistogram {
 public:
  /// Microseconds; what took longer than the last one is counted behind it.
  static constexpr std::array<uint32_t, 23> kBoundsUs = {
      50,     70,      100,     150,     200,       300,       500,      700,
      1'000,  1'500,   2'000,   3'000,   5'000,     7'000,     10'000,   20'000,
      50'000, 100'000, 200'000, 500'000, 1'000'000, 2'000'000, 5'000'000};

  struct Counts {
    std::array<uint64_t, kBoundsUs.size() + 1> of_each = {};  ///< up to its bound, above the last
    uint64_t sum_us = 0;
  };

  void note(std::chrono::steady_clock::duration took) {
    auto us =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    size_t bucket = 0;
    while (bucket < kBoundsUs.size() && us > kBoundsUs[bucket]) ++bucket;
    of_each_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(us, std::memory_order_relaxed);
  }

  Counts counts() const {
    Counts counts;
    for (size_t i = 0; i < of_each_.size(); ++i) {
      counts.of_each[i] = of_each_[i].load(std::memory_order_relaxed);
    }
    counts.sum_us = sum_us_.load(std::memory_order_relaxed);
    return counts;
  }

 private:
  std::array<std::atomic<uint64_t>, kBoundsUs.size() + 1> of_each_ = {};
  std::atomic<uint64_t> sum_us_ = 0;
};

}  // namespace pollux
