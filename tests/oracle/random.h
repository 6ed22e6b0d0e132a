// A small generator of pseudo-random numbers that gives the same sequence on every machine:
// xoshiro256** (Blackman, Vigna), seeded through splitmix64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pollux::oracle {

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }

  uint64_t next() {
    auto rotate = [](uint64_t x, int by) { return (x << by) | (x >> (64 - by)); };
    uint64_t result = rotate(state_[1] * 5, 7) * 9;
    uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// 0 .. count - 1; count is at least 1.
  size_t below(size_t count) { return static_cast<size_t>(next() % count); }
  int64_t between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(below(static_cast<size_t>(most - least) + 1));
  }
  bool chance(unsigned percent) { return below(100) < percent; }

  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  std::string word(std::vector<std::string> from) { return from[below(from.size())]; }

 private:
  uint64_t state_[4];
};

}  // namespace pollux::oracle
