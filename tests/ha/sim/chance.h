// The dice of one seed. Thread: one.
#pragma once

#include <cstdint>

namespace pollux {

class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 0x1234567) {}

  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return next() % bound; }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  bool one_in(uint64_t many) { return below(many) == 0; }
  /// With a probability of so many thousandths.
  bool permille(uint32_t thousandths) { return below(1000) < thousandths; }

 private:
  uint64_t state_;
};

}  // namespace pollux
