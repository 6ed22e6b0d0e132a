#include "tests/persistence/sim/checksum_seam.h"

#include <isa-l/crc.h>

#include "persistence/codec/crc32c.h"

namespace pollux {
namespace {

bool skip_them = false;

}  // namespace

void skip_checksums(bool skip) { skip_them = skip; }

/// Stands in the place of that of persistence/codec/crc32c.cc, which is then not linked.
uint32_t crc32c(std::string_view bytes, uint32_t before) {
  if (skip_them) return 0;
  auto* at = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  return ~crc32_iscsi(at, static_cast<int>(bytes.size()), ~before);
}

}  // namespace pollux
