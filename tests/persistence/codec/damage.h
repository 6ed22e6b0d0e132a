// Damage to encoded records, in tests.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "persistence/codec/crc32c.h"
#include "persistence/codec/record.h"
#include "tests/persistence/codec/random_entries.h"

namespace pollux {

/// Makes the checksums of all records right again, as far as there are records.
inline void mend(std::string& bytes) {
  size_t at = 0;
  while (bytes.size() - at >= kRecordHeaderBytes) {
    uint32_t payload = 0;
    std::memcpy(&payload, bytes.data() + at + 8, 4);
    std::string_view all(bytes);
    size_t there = std::min<size_t>(payload, bytes.size() - at - kRecordHeaderBytes);
    uint32_t crc = crc32c(all.substr(at + kRecordHeaderBytes, there));
    std::memcpy(bytes.data() + at + 12, &crc, 4);
    crc = crc32c(all.substr(at, 44));
    std::memcpy(bytes.data() + at + 44, &crc, 4);
    at += kRecordHeaderBytes + there;
  }
}

/// One to four flipped bits or numbers that are far too large.
inline void damage(std::string& bytes, RandomEntries& random) {
  const char* const kNumbers[] = {"\xff\xff\xff\xff", "\xff\xff\xff\x7f", "\0\0\0\x80"};
  for (uint64_t i = 1 + random.below(4); i > 0; --i) {
    size_t at = random.below(bytes.size());
    size_t size = std::min<size_t>(4, bytes.size() - at);
    if (random.below(4) == 0) {
      bytes.replace(at, size, kNumbers[random.below(3)], size);
    } else {
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    }
  }
}

}  // namespace pollux
