#include "server/pair/fingerprint.h"

#include <cmath>
#include <cstring>
#include <initializer_list>

namespace pollux {
namespace {

/// FNV-1a, 64 bit.
class Hash {
 public:
  void add(uint64_t value) {
    constexpr uint64_t kPrime = 0x100000001b3;
    for (int shift = 0; shift < 64; shift += 8) {
      hash_ = (hash_ ^ ((value >> shift) & 0xff)) * kPrime;
    }
  }
  void add(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    add(bits);
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace

uint64_t node_fingerprint() {
  Hash hash;
  // Nodes of protocol version 1 begin with the version of the semantics, which is 1 for all of
  // them.
  hash.add(uint64_t{1});
  constexpr int kArguments = 64;
  for (int i = 1; i <= kArguments; ++i) {
    const double x = i * 0.37;
    for (double y : {std::exp(x), std::log(x), std::log10(x), std::log2(x), std::pow(x, 1.7),
                     std::sin(x), std::cos(x), std::tan(x), std::sinh(x / 8), std::cosh(x / 8),
                     std::tanh(x / 8), std::asin(x / 32), std::acos(x / 32), std::atan(x),
                     std::atan2(x, 3.1), std::cbrt(x), std::sqrt(x)}) {
      hash.add(y);
    }
  }
  return hash.value();
}

}  // namespace pollux
