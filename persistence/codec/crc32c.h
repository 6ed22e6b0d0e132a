// CRC-32C (Castagnoli), the checksum of every format on disk and on the wire. Thread: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace pollux {

/// The checksum of `bytes`; or of what `before` is the checksum of, followed by `bytes`.
uint32_t crc32c(std::string_view bytes, uint32_t before = 0);

}  // namespace pollux
