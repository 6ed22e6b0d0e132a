// Frames out of bytes, for tests.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "ha/wire/wire_frame.h"
#include "persistence/codec/crc32c.h"

namespace pollux {

/// Puts bytes into a reader as a socket would, at most `step` at a time.
inline void feed(WireReader& reader, std::string_view bytes, size_t step = SIZE_MAX) {
  while (!bytes.empty()) {
    std::span<char> room = reader.room();
    size_t count = std::min({bytes.size(), room.size(), step});
    std::memcpy(room.data(), bytes.data(), count);
    reader.arrived(count);
    bytes.remove_prefix(count);
  }
}

/// A frame with whatever payload, and right checksums.
inline std::string frame_of(WireType type, std::string_view payload, uint8_t flags = 0,
                            uint64_t record_version = 0) {
  std::string bytes;
  size_t begin = begin_wire_frame(bytes);
  bytes += payload;
  absl::Status ended = end_wire_frame(bytes, begin, {type, flags, record_version});
  if (!ended.ok()) bytes.clear();
  return bytes;
}

inline std::string_view payload_of(std::string_view frame) {
  return frame.substr(kWireHeaderBytes);
}

}  // namespace pollux
