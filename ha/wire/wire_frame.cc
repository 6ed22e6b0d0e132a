#include "ha/wire/wire_frame.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "persistence/codec/bytes.h"
#include "persistence/codec/crc32c.h"

namespace pollux {
namespace {

constexpr std::string_view kMagic = "PLXW";
constexpr size_t kRoomBytes = size_t{4} << 10;  ///< of a reader that has seen nothing long
constexpr size_t kKeptBytes = size_t{1} << 20;  ///< more than this is given back when not needed

/// As it stands in the bytes.
struct RawHeader {
  char magic[4];
  uint16_t version;
  uint8_t type;
  uint8_t flags;
  uint32_t payload_bytes;
  uint32_t payload_crc;
  uint64_t record_version;
  uint32_t zero;
  uint32_t header_crc;
};
static_assert(sizeof(RawHeader) == kWireHeaderBytes);
constexpr size_t kCheckedBytes = offsetof(RawHeader, header_crc);

RawHeader header_at(std::string_view bytes) {
  RawHeader raw;
  std::memcpy(&raw, bytes.data(), sizeof(raw));
  return raw;
}

}  // namespace

size_t begin_wire_frame(std::string& out) {
  size_t begin = out.size();
  out.append(kWireHeaderBytes, '\0');
  return begin;
}

absl::Status end_wire_frame(std::string& out, size_t begin, const WireHeader& header) {
  POLLUX_CHECK(out.size() >= begin + kWireHeaderBytes);
  std::string_view payload = std::string_view(out).substr(begin + kWireHeaderBytes);
  if (payload.size() > kWirePayloadBytesMax) {
    size_t bytes = payload.size();
    out.resize(begin);
    return absl::ResourceExhaustedError(absl::StrCat("a message of ", bytes,
                                                     " bytes is too long; at most ",
                                                     kWirePayloadBytesMax, " are possible"));
  }
  RawHeader raw{};
  std::memcpy(raw.magic, kMagic.data(), kMagic.size());
  raw.version = kWireVersion;
  raw.type = static_cast<uint8_t>(header.type);
  raw.flags = header.flags;
  raw.payload_bytes = static_cast<uint32_t>(payload.size());
  raw.payload_crc = crc32c(payload);
  raw.record_version = header.record_version;
  raw.header_crc = crc32c({reinterpret_cast<const char*>(&raw), kCheckedBytes});
  std::memcpy(out.data() + begin, &raw, sizeof(raw));
  return absl::OkStatus();
}

std::span<char> WireReader::room() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() > kKeptBytes) std::string().swap(buffer_);
  } else if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(std::max(kRoomBytes, 2 * buffer_.size()));
  return {buffer_.data() + end_, buffer_.size() - end_};
}

void WireReader::arrived(size_t bytes) {
  POLLUX_CHECK(bytes <= buffer_.size() - end_);
  end_ += bytes;
}

/// OK with fewer bytes than a header has: nothing speaks against it so far.
absl::Status WireReader::check_header(std::string_view bytes) {
  needed_ = kWireHeaderBytes;
  size_t prefix = std::min(bytes.size(), kMagic.size());
  if (bytes.substr(0, prefix) != kMagic.substr(0, prefix)) {
    return absl::InvalidArgumentError("what came is not of Pollux");
  }
  if (bytes.size() < kWireHeaderBytes) return absl::OkStatus();
  RawHeader raw = header_at(bytes);
  if (crc32c(bytes.substr(0, kCheckedBytes)) != raw.header_crc) {
    return absl::DataLossError("the header of a frame has a wrong checksum");
  }
  if (raw.version != kWireVersion || raw.zero != 0) {
    return absl::UnimplementedError(
        absl::StrCat("frames have version ", raw.version, "; this program takes ", kWireVersion));
  }
  if (raw.payload_bytes > payload_bytes_max_) {
    return absl::ResourceExhaustedError(absl::StrCat("a frame is to have ", raw.payload_bytes,
                                                     " bytes; at most ", payload_bytes_max_,
                                                     " are taken here"));
  }
  needed_ += raw.payload_bytes;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<WireFrame>> WireReader::next() {
  if (!failed_.ok()) return failed_;
  std::string_view bytes(buffer_.data() + begin_, end_ - begin_);
  failed_ = check_header(bytes);
  if (!failed_.ok()) return failed_;
  if (bytes.size() < needed_) return std::nullopt;
  RawHeader raw = header_at(bytes);
  std::string_view payload = bytes.substr(kWireHeaderBytes, needed_ - kWireHeaderBytes);
  if (crc32c(payload) != raw.payload_crc) {
    failed_ = absl::DataLossError("the payload of a frame has a wrong checksum");
    return failed_;
  }
  begin_ += needed_;
  needed_ = 0;
  return WireFrame{{static_cast<WireType>(raw.type), raw.flags, raw.record_version}, payload};
}

}  // namespace pollux
