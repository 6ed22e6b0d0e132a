#include "persistence/segments/frame.h"

#include <bit>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "persistence/codec/crc32c.h"

namespace pollux {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr uint32_t kSegmentMagic = 0x53584C50;  // "PLXS"
constexpr uint32_t kFrameMagic = 0x46584C50;    // "PLXF"

struct SegmentHeaderBytes {
  uint32_t magic;
  uint16_t version;
  uint16_t kind;
  LogId id;
  uint64_t first;
  uint64_t tag_before;
  uint32_t zero[5];
  uint32_t crc;
};
static_assert(sizeof(SegmentHeaderBytes) == kSegmentHeaderBytes);

struct FrameHeaderBytes {
  uint32_t magic;
  uint32_t kind;
  uint32_t length;
  uint32_t count;
  uint64_t sequence;
  uint64_t tag;
  uint64_t durable;
  uint32_t payload_crc;
  uint32_t header_crc;
};
static_assert(sizeof(FrameHeaderBytes) == kFrameHeaderBytes);

template <class Bytes>
std::string_view view(const Bytes& bytes, size_t size = sizeof(Bytes)) {
  return {reinterpret_cast<const char*>(&bytes), size};
}

uint32_t crc_of(const SegmentHeaderBytes& bytes) {
  return crc32c(view(bytes, offsetof(SegmentHeaderBytes, crc)));
}

uint32_t crc_of(const LogId& id, const FrameHeaderBytes& bytes) {
  struct {
    LogId id;
    FrameHeaderBytes header;
  } both = {id, bytes};
  return crc32c(view(both, offsetof(FrameHeaderBytes, header_crc) + sizeof(id)));
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  SegmentHeaderBytes bytes{};
  bytes.magic = kSegmentMagic;
  bytes.version = kSegmentVersion;
  bytes.kind = static_cast<uint16_t>(header.kind);
  bytes.id = header.id;
  bytes.first = header.first;
  bytes.tag_before = header.tag_before;
  bytes.crc = crc_of(bytes);
  return std::string(view(bytes));
}

absl::StatusOr<SegmentHeader> decode_segment_header(std::string_view from, LogKind kind) {
  SegmentHeaderBytes bytes;
  if (from.size() < sizeof(bytes)) return absl::DataLossError("too short for a segment's header");
  std::memcpy(&bytes, from.data(), sizeof(bytes));
  if (bytes.magic != kSegmentMagic) return absl::DataLossError("it does not begin as a segment");
  if (bytes.crc != crc_of(bytes)) return absl::DataLossError("the segment's header is rotten");
  if (bytes.version > kSegmentVersion) {
    return absl::FailedPreconditionError(absl::StrCat("written by a newer version: format ",
                                                      bytes.version, ", this one reads up to ",
                                                      kSegmentVersion));
  }
  if (bytes.kind != static_cast<uint16_t>(kind)) {
    return absl::FailedPreconditionError("a segment of another kind of log");
  }
  return SegmentHeader{kind, bytes.id, bytes.first, bytes.tag_before};
}

size_t begin_frame(std::string& out) {
  size_t begin = out.size();
  out.append(kFrameHeaderBytes, '\0');
  return begin;
}

void end_frame(const LogId& id, const LogFrame& frame, size_t begin, std::string& out) {
  std::string_view payload = std::string_view(out).substr(begin + kFrameHeaderBytes);
  FrameHeaderBytes bytes{};
  bytes.magic = kFrameMagic;
  bytes.kind = static_cast<uint32_t>(frame.kind);
  bytes.length = static_cast<uint32_t>(payload.size());
  bytes.count = frame.count;
  bytes.sequence = frame.sequence;
  bytes.tag = frame.tag;
  bytes.durable = frame.durable;
  bytes.payload_crc = crc32c(payload);
  bytes.header_crc = crc_of(id, bytes);
  std::memcpy(out.data() + begin, &bytes, sizeof(bytes));
}

bool decode_frame_header(const LogId& id, std::string_view from, LogFrameHeader& header) {
  FrameHeaderBytes bytes;
  std::memcpy(&bytes, from.data(), sizeof(bytes));
  if (bytes.magic != kFrameMagic || bytes.header_crc != crc_of(id, bytes)) return false;
  bool record = bytes.kind == static_cast<uint32_t>(FrameKind::kRecord);
  bool mark = bytes.kind == static_cast<uint32_t>(FrameKind::kMark);
  if (!record && !mark) return false;
  if (record != (bytes.count > 0) || bytes.length > kFramePayloadBytesMax) return false;
  header.frame = {static_cast<FrameKind>(bytes.kind),
                  bytes.count,
                  bytes.sequence,
                  bytes.tag,
                  bytes.durable,
                  {}};
  header.length = bytes.length;
  header.payload_crc = bytes.payload_crc;
  return true;
}

bool payload_is_whole(const LogFrameHeader& header, std::string_view payload) {
  return payload.size() == header.length && crc32c(payload) == header.payload_crc;
}

std::string_view frame_magic() {
  static constexpr char kBytes[] = {'P', 'L', 'X', 'F'};
  return {kBytes, sizeof(kBytes)};
}

}  // namespace pollux
