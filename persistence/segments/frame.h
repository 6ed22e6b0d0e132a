// What stands in a segment file: a header, then frames. Little endian.
//
// Header, 64 bytes: magic "PLXS", u16 version, u16 kind of log, 16 bytes log id, u64 first
// sequence, u64 tag before it, 20 bytes zero, u32 crc32c of the 60 bytes before. Frame, 48 bytes
// and its payload: magic "PLXF", u32 kind, u32 length of the payload, u32 count, u64 sequence, u64
// tag, u64 durable, u32 crc32c of the payload, u32 crc32c of log id and the 44 bytes before. The
// log id keeps bytes that clients sent, or that another log left, from passing as frames.
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

struct Frame {
  FrameKind kind = FrameKind::kRecord;
  uint32_t count = 0;     ///< sequence numbers that it takes; 0 of a mark
  uint64_t sequence = 0;  ///< the first of them
  uint64_t tag = 0;       ///< its writer's; never less than that of the record before
  uint64_t durable = 0;   ///< records below this sequence lasted when it was written
  std::string_view payload;
};

/// Appends an empty frame header; the payload is appended behind it by whoever asks, then
/// `end_frame` fills in the header at `begin`, of `frame` and the bytes that follow.
size_t begin_frame(std::string& out);
void end_frame(const LogId& id, const Frame& frame, size_t begin, std::string& out);

struct FrameHeader {
  Frame frame;  ///< without its payload
  uint32_t length = 0;
  uint32_t payload_crc = 0;
};

/// Whether `bytes`, of at least `kFrameHeaderBytes`, begin with a frame's header.
bool decode_frame_header(const LogId& id, std::string_view bytes, FrameHeader& header);
bool payload_is_whole(const FrameHeader& header, std::string_view payload);
/// The bytes that every frame begins with.
std::string_view frame_magic();

}  // namespace pollux
