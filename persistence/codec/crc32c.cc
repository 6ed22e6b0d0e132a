#include "persistence/codec/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <cstddef>

namespace pollux {

uint32_t crc32c(std::string_view bytes, uint32_t before) {
  constexpr size_t kBytesAtOnce = size_t{1} << 30;  // the library counts in int
  uint32_t crc = ~before;
  while (!bytes.empty()) {
    size_t size = std::min(bytes.size(), kBytesAtOnce);
    // It takes a pointer to what it does not write.
    auto* at = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    crc = crc32_iscsi(at, static_cast<int>(size), crc);
    bytes.remove_prefix(size);
  }
  return ~crc;
}

}  // namespace pollux
