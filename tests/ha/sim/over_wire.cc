#include "tests/ha/sim/over_wire.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ha/wire/message_codec.h"
#include "tests/ha/sim/witness.h"

namespace pollux {
namespace {

constexpr size_t kPayloadSumAt = 12;  ///< see wire_frame.h

/// Each as on a connection of its own: here messages may be lost, and overtake one another.
std::string written(const PeerMessage& message) {
  MessageEncoder encoder;
  std::string bytes;
  absl::Status encoded = encoder.encode(message, bytes);
  if (!encoded.ok()) {
    throw Violation(absl::StrCat("a message cannot be written: ", encoded.ToString()));
  }
  return bytes;
}

PeerMessage read(const std::string& bytes) {
  WireReader reader(kWirePayloadBytesMax);
  for (size_t at = 0; at < bytes.size();) {
    std::span<char> room = reader.room();
    size_t count = std::min(room.size(), bytes.size() - at);
    std::memcpy(room.data(), bytes.data() + at, count);
    reader.arrived(count);
    at += count;
  }
  auto frame = reader.next();
  if (!frame.ok() || !*frame) throw Violation("a message is no frame");
  auto message = MessageDecoder().decode(**frame);
  if (!message.ok()) {
    throw Violation(absl::StrCat("a message cannot be read: ", message.status().ToString()));
  }
  return *std::move(message);
}

}  // namespace

PeerMessage over_wire(const PeerMessage& message) {
  std::string bytes = written(message);
  PeerMessage arrived = read(bytes);
  // One in four, by its checksum: comparing costs as much as all the rest.
  bool compared = (bytes[kPayloadSumAt] & 3) == 0;
  if (compared && written(arrived) != bytes)
    throw Violation("a message arrives as another than was sent");
  return arrived;
}

}  // namespace pollux
