// What stands in a segment file: a header, then frames. Little endian.
//
//     Header, 64 bytes                      Frame, 48 bytes, and its payload
//      0  "PLXS"                             0  "PLXF"
//      4  u16  format version                4  u32  kind of frame
//      6  u16  kind of log                   8  u32  bytes of the payload
//      8  16 bytes of log id                12  u32  sequence numbers that it takes
//     24  u64  sequence of the first record 16  u64  sequence
//     32  u64  tag of the record before it  24  u64  tag
//     40  20 bytes of zero                  32  u64  everything below it had lasted
//     60  u32  crc32c of bytes 0 to 59      40  u32  crc32c of the payload
//                                           44  u32  crc32c of the log id and bytes 0 to 43
//
// The log id keeps bytes that clients sent, or that another log left, from passing as frames.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "persistence/segments/log_id.h"

namespace pollux {

/// Frozen: stands in headers.
enum class LogKind : uint16_t { kJournal = 1, kOutbox = 2 };

inline constexpr uint16_t kSegmentVersion = 1;
inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kFrameHeaderBytes = 48;
/// A record of the codec at its longest, with its schema.
inline constexpr uint32_t kFramePayloadBytesMax = 320u << 20;

struct SegmentHeader {
  LogKind kind = LogKind::kJournal;
  LogId id;
  uint64_t first = 0;       ///< sequence of the first record
  uint64_t tag_before = 0;  ///< tag of the record before it; 0 when there is none
};

std::string encode_segment_header(const SegmentHeader& header);
/// kDataLoss: not a header, or rotten; kFailedPrecondition: of a newer version or another kind.
absl::StatusOr<SegmentHeader> decode_segment_header(std::string_view bytes, LogKind kind);

/// Frozen: stands in frames.
enum class FrameKind : uint32_t {
  kRecord = 1,
  kMark = 2,  ///< says only that everything below its sequence has been made to last
};

struct LogFrame {
  FrameKind kind = FrameKind::kRecord;
  uint32_t count = 0;     ///< sequence numbers that it takes; 0 of a mark
  uint64_t sequence = 0;  ///< the first of them
  uint64_t tag = 0;       ///< its writer's; never less than that of the record before
  uint64_t durable = 0;   ///< records below this sequence lasted when it was written
  std::string_view payload;
};

/// A record by number and tag.
struct RecordId {
  uint64_t sequence = 0;
  uint64_t tag = 0;
};

/// Appends an empty frame header; the payload is appended behind it by whoever asks, then
/// `end_frame` fills in the header at `begin`, of `frame` and the bytes that follow.
size_t begin_frame(std::string& out);
void end_frame(const LogId& id, const LogFrame& frame, size_t begin, std::string& out);

struct LogFrameHeader {
  LogFrame frame;  ///< without its payload
  uint32_t length = 0;
  uint32_t payload_crc = 0;
};

/// Whether `bytes`, of at least `kFrameHeaderBytes`, begin with a frame's header.
bool decode_frame_header(const LogId& id, std::string_view bytes, LogFrameHeader& header);
bool payload_is_whole(const LogFrameHeader& header, std::string_view payload);
/// The bytes that every frame begins with.
std::string_view frame_magic();

}  // namespace pollux
