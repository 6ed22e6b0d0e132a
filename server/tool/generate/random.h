// The generator's own random numbers: equal seeds give equal traffic on every machine and library.
//
// xoshiro256** (Blackman, Vigna), seeded by splitmix64. Integers only: nothing here depends on
// floating point or on the standard library's distributions. Thread: one owner. Not for secrets.
#pragma once

#include <cstdint>

namespace pollux::traffic {

/// One step of splitmix64's output function: a bijection that scatters neighbouring numbers.
constexpr uint64_t scatter(uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

/// What a sequence of random numbers is for: each purpose draws from a sequence of its own, so that
/// more of one thing does not change another.
enum class Purpose : uint64_t { kPopulation = 1, kTrips = 2, kInjections = 3, kBackground = 4 };

class Random {
 public:
  Random(uint64_t seed, Purpose purpose) {
    uint64_t at = scatter(seed) ^ scatter(static_cast<uint64_t>(purpose) << 32);
    for (uint64_t& word : state_) word = at = scatter(at);
  }

  uint64_t next() {
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

  /// Less than `bound`, which is above zero. The bias of the remainder is below bound / 2^64.
  uint64_t below(uint64_t bound) { return next() % bound; }

  /// From `low` to `high`, both included.
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }

  bool percent(uint32_t chance) { return below(100) < chance; }

 private:
  static constexpr uint64_t rotate(uint64_t value, int bits) {
    return (value << bits) | (value >> (64 - bits));
  }

  uint64_t state_[4];
};

}  // namespace pollux::traffic
