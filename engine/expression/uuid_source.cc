#include "engine/expression/uuid_source.h"

#include "engine/base/hash.h"

namespace pollux {

void UuidSource::set_plan(std::string_view name) { plan_ = XXH3_64bits(name.data(), name.size()); }

std::string UuidSource::next() {
  const uint64_t parts[] = {plan_, entry_.epoch.value, entry_.position.value, made_++};
  XXH128_hash_t hash = XXH3_128bits(parts, sizeof(parts));
  // Where RFC 4122 has the version, 4, and the variant, binary 10.
  uint64_t high = (hash.high64 & 0xffffffffffff0fffULL) | 0x4000;
  uint64_t low = (hash.low64 & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) text += '-';
    uint64_t half = digit < 16 ? high : low;
    text += kDigits[(half >> (60 - 4 * (digit % 16))) & 15];
  }
  return text;
}

}  // namespace pollux
