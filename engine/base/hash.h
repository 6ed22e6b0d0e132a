// Hashes for the engine's tables. Equal on every machine; no result may depend on their order.
#pragma once

#include <cstdint>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/types/string_ref.h"

namespace pollux {

/// Spreads a 64-bit value over all bits.
inline uint64_t mix_hash(uint64_t value) {
  value ^= value >> 32;
  value *= 0xd6e8feb86659fd93ULL;
  value ^= value >> 32;
  value *= 0xd6e8feb86659fd93ULL;
  value ^= value >> 32;
  return value;
}

inline uint64_t hash_of(const StringRef& text) {
  if (text.is_inline()) {
    __uint128_t product = static_cast<__uint128_t>(text.head() ^ 0x9e3779b97f4a7c15ULL) *
                          (text.tail() ^ 0xe7037ed1a0b428dbULL);
    return mix_hash(static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64) ^
                    text.tail());
  }
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace pollux
