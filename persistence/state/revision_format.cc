#include "persistence/state/revision_format.h"

#include "engine/base/hash.h"
#include "persistence/codec/bytes.h"
#include "persistence/codec/crc32c.h"

namespace pollux {
namespace {

constexpr std::string_view kMagic = "PLXR";
constexpr std::string_view kTrailerMagic = "PLXT";
constexpr uint32_t kZstd = 1;

void put_crc(std::string& bytes) { put_scalar(bytes, crc32c(bytes)); }

bool crc_is_right(std::string_view bytes) {
  PayloadReader reader(bytes.substr(bytes.size() - sizeof(uint32_t)));
  return crc32c(bytes.substr(0, bytes.size() - sizeof(uint32_t))) == reader.number<uint32_t>();
}

}  // namespace

uint64_t revision_plan_hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

uint64_t revision_state_hash(std::string_view state) {
  return XXH3_64bits(state.data(), state.size());
}

std::string encode_header(const RevisionHeader& header) {
  std::string bytes(kMagic);
  put_scalar(bytes, kRevisionVersion);
  put_scalar(bytes, kZstd);
  put_scalar(bytes, header.semantics_version);
  put_scalar(bytes, header.plan_hash);
  put_scalar(bytes, header.at.epoch.value);
  put_scalar(bytes, header.at.position.value);
  put_scalar(bytes, header.timestamp.ms);
  put_scalar(bytes, uint32_t{0});
  put_crc(bytes);
  return bytes;
}

std::string encode_trailer(const RevisionTrailer& trailer) {
  std::string bytes(kTrailerMagic);
  put_scalar(bytes, trailer.body_crc);
  put_scalar(bytes, trailer.body_bytes);
  put_scalar(bytes, trailer.state_bytes);
  put_scalar(bytes, trailer.state_hash);
  put_scalar(bytes, uint32_t{0});
  put_crc(bytes);
  return bytes;
}

absl::StatusOr<RevisionHeader> decode_header(std::string_view bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    return absl::InvalidArgumentError("not a state revision");
  }
  if (bytes.size() != kRevisionHeaderBytes) return absl::DataLossError("its header ends early");
  if (!crc_is_right(bytes)) return absl::DataLossError("the checksum of its header is wrong");
  PayloadReader reader(bytes.substr(kMagic.size()));
  auto version = reader.number<uint32_t>();
  auto packing = reader.number<uint32_t>();
  if (version != kRevisionVersion || packing != kZstd) {
    return absl::UnimplementedError("written by another version of this program (format " +
                                    std::to_string(version) + ", packing " +
                                    std::to_string(packing) + "; this one reads format " +
                                    std::to_string(kRevisionVersion) + ")");
  }
  RevisionHeader header;
  header.semantics_version = reader.number<uint32_t>();
  header.plan_hash = reader.number<uint64_t>();
  header.at.epoch = {reader.number<uint64_t>()};
  header.at.position = {reader.number<uint64_t>()};
  header.timestamp = {reader.number<int64_t>()};
  return header;
}

absl::StatusOr<RevisionTrailer> decode_trailer(std::string_view bytes) {
  if (bytes.size() != kRevisionTrailerBytes || !bytes.starts_with(kTrailerMagic)) {
    return absl::DataLossError("it ends early");
  }
  if (!crc_is_right(bytes)) return absl::DataLossError("the checksum of its end is wrong");
  PayloadReader reader(bytes.substr(kTrailerMagic.size()));
  RevisionTrailer trailer;
  trailer.body_crc = reader.number<uint32_t>();
  trailer.body_bytes = reader.number<uint64_t>();
  trailer.state_bytes = reader.number<uint64_t>();
  trailer.state_hash = reader.number<uint64_t>();
  return trailer;
}

}  // namespace pollux
