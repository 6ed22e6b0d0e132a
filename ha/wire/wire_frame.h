// A frame: what connections between the two nodes consist of. A header of 32 bytes, and a payload.
//
//      0  u32  "PLXW"                     12  u32  crc32c of the payload
//      4  u16  format version             16  u64  version of the arbiter's record
//      6  u8   type                       24  u32  0
//      7  u8   flags (1: packed)          28  u32  crc32c of bytes 0 to 27
//      8  u32  bytes of the payload       32       payload
//
// Little endian. The header has a checksum of its own: a length is believed only when that is
// right, and not more of it than the connection allows. The record's version stands in every frame
// so that each of them can tell of an arbiter that has forgotten. Thread: any, or as said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "persistence/codec/record.h"

namespace pollux {

constexpr size_t kWireHeaderBytes = 32;
/// Of a payload: room for the longest record, with what stands around it and goes before it.
constexpr size_t kWirePayloadBytesMax = size_t{kPayloadBytesMax} + (size_t{16} << 20);
/// Of this header. Handshakes are of version 1 for ever: they agree on what comes behind them.
constexpr uint16_t kWireVersion = 1;

/// Frozen.
enum class WireType : uint8_t {
  kOffer = 1,
  kAnswer = 2,
  kHeartbeat = 16,
  kHello = 17,
  kWelcome = 18,
  kSnapshotNeeded = 19,
  kEntries = 20,
  kAck = 21,
  kSwitchOver = 22,
  kConfirmed = 23,
  kPlanHashes = 24,
  kApplyDeaths = 25,
  kOrders = 28,
  kForward = 32,
  kForwardAnswer = 33,
};

constexpr uint8_t kWirePacked = 1;  ///< the payload is u32 plain bytes, u32 0, and a zstd frame

struct WireHeader {
  WireType type = WireType::kHeartbeat;
  uint8_t flags = 0;
  uint64_t record_version = 0;
};

struct WireFrame {
  WireHeader header;
  std::string_view payload;
};

/// Makes room for a header at the end of `out` and returns where it stands; the payload is appended
/// behind it.
size_t begin_wire_frame(std::string& out);
/// Fills in the header. kResourceExhausted: the payload is longer than kWirePayloadBytesMax; then
/// the frame is taken off again.
absl::Status end_wire_frame(std::string& out, size_t begin, const WireHeader& header);

/// Takes bytes as they arrive and hands out whole frames. It never holds more memory than a small
/// multiple of what has arrived, whatever lengths are claimed. Thread: one at a time.
class WireReader {
 public:
  explicit WireReader(size_t payload_bytes_max) : payload_bytes_max_(payload_bytes_max) {}

  /// Of the frames that are not begun yet.
  void set_payload_bytes_max(size_t bytes) { payload_bytes_max_ = bytes; }

  /// Where the next bytes are to be put; not empty. Frames handed out before are gone.
  std::span<char> room();
  /// So many were put there.
  void arrived(size_t bytes);
  /// The next whole frame, valid until room(); nothing: more bytes are needed. Errors are final,
  /// and are told as soon as they can be seen. kInvalidArgument: this is no connection of Pollux;
  /// kUnimplemented: frames of another version; kResourceExhausted: a longer payload than is
  /// taken; kDataLoss: a checksum is wrong.
  absl::StatusOr<std::optional<WireFrame>> next();

  /// Arrived and not handed out.
  size_t waiting() const { return end_ - begin_; }
  size_t memory() const { return buffer_.capacity(); }

 private:
  absl::Status check_header(std::string_view bytes);

  size_t payload_bytes_max_;
  std::string buffer_;
  size_t begin_ = 0;   // of what was not handed out
  size_t end_ = 0;     // of what has arrived
  size_t needed_ = 0;  // bytes of the frame that has begun, as far as its header is known
  absl::Status failed_;
};

}  // namespace pollux
