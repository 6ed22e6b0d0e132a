#include "persistence/codec/record.h"

#include <algorithm>
#include <cstring>

#include "persistence/codec/bytes.h"
#include "persistence/codec/crc32c.h"

namespace pollux {
namespace {

constexpr std::string_view kMagic = "PLXE";
constexpr int32_t kTenant = -1234;  // the only one so far

/// As it stands in the bytes.
struct RawHeader {
  char magic[4];
  uint16_t version;
  uint8_t type;
  uint8_t zero;
  uint32_t payload_bytes;
  uint32_t payload_crc;
  uint64_t epoch;
  uint64_t position;
  int64_t timestamp_ms;
  int32_t tenant;
  uint32_t header_crc;
};
static_assert(sizeof(RawHeader) == kRecordHeaderBytes);
constexpr size_t kCheckedBytes = offsetof(RawHeader, header_crc);

bool is_taken(const RawHeader& raw) {
  return raw.version == kRecordVersion && raw.zero == 0 && raw.tenant == kTenant &&
         raw.payload_bytes <= kPayloadBytesMax && raw.payload_bytes % kAlignment == 0;
}

}  // namespace

RecordFrame read_frame(std::string_view bytes) {
  RecordFrame frame;
  size_t prefix = std::min(bytes.size(), kMagic.size());
  if (bytes.substr(0, prefix) != kMagic.substr(0, prefix)) return frame;
  frame.bytes = kRecordHeaderBytes;
  frame.state = FrameState::kPart;
  if (bytes.size() < kRecordHeaderBytes) return frame;
  RawHeader raw;
  std::memcpy(&raw, bytes.data(), sizeof(raw));
  if (crc32c(bytes.substr(0, kCheckedBytes)) != raw.header_crc) {
    frame.bytes = 0;
    frame.state = FrameState::kCorrupt;
    return frame;
  }
  frame.bytes = kRecordHeaderBytes + raw.payload_bytes;
  frame.header.type = static_cast<RecordType>(raw.type);
  frame.header.id = {{raw.epoch}, {raw.position}};
  frame.header.timestamp = {raw.timestamp_ms};
  if (!is_taken(raw)) {
    frame.state = FrameState::kUnknown;
    return frame;
  }
  if (bytes.size() < frame.bytes) return frame;
  std::string_view payload = bytes.substr(kRecordHeaderBytes, raw.payload_bytes);
  if (crc32c(payload) != raw.payload_crc) {
    frame.state = FrameState::kCorrupt;
    return frame;
  }
  frame.payload = payload;
  frame.state = FrameState::kWhole;
  return frame;
}

size_t begin_record(std::string& out) {
  size_t begin = out.size();
  out.append(kRecordHeaderBytes, '\0');
  return begin;
}

absl::Status end_record(std::string& out, size_t begin, const RecordHeader& header) {
  size_t payload_begin = begin + kRecordHeaderBytes;
  pad_payload(out, payload_begin);
  size_t payload_bytes = out.size() - payload_begin;
  if (payload_bytes > kPayloadBytesMax) {
    out.resize(begin);
    return absl::ResourceExhaustedError("a record of " + std::to_string(payload_bytes) +
                                        " bytes is too long; at most " +
                                        std::to_string(kPayloadBytesMax) + " are possible");
  }
  RawHeader raw{};
  std::memcpy(raw.magic, kMagic.data(), kMagic.size());
  raw.version = kRecordVersion;
  raw.type = static_cast<uint8_t>(header.type);
  raw.payload_bytes = static_cast<uint32_t>(payload_bytes);
  raw.payload_crc = crc32c(std::string_view(out).substr(payload_begin));
  raw.epoch = header.id.epoch.value;
  raw.position = header.id.position.value;
  raw.timestamp_ms = header.timestamp.ms;
  raw.tenant = kTenant;
  raw.header_crc = crc32c({reinterpret_cast<const char*>(&raw), kCheckedBytes});
  std::memcpy(out.data() + begin, &raw, sizeof(raw));
  return absl::OkStatus();
}

}  // namespace pollux
