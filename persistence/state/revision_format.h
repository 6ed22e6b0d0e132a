// The bytes of a state revision: a header, a body of packed blocks (block_codec.h), and a trailer,
// which says what is known only at the end.
//
//     header  0  u32  "PLXR"                       trailer  0  u32  "PLXT"
//             4  u32  format version                        4  u32  crc32c of the body
//             8  u32  packing of the body: 1 = zstd         8  u64  bytes of the body
//            12  u32  semantics version                    16  u64  bytes of the state
//            16  u64  hash of the plan's text              24  u64  XXH3-64 of the state
//            24  u64  epoch                                32  u32  0
//            32  u64  position                             36  u32  crc32c of bytes 0 to 35
//            40  i64  timestamp, ms since 1970
//            48  u32  0
//            52  u32  crc32c of bytes 0 to 51
//
// Little endian. The header stays as it is in every later version: one can be told from rot.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/ids.h"

namespace pollux {

constexpr size_t kRevisionHeaderBytes = 56;
constexpr size_t kRevisionTrailerBytes = 40;
constexpr uint32_t kRevisionVersion = 1;

/// Of what and of when a state is.
struct RevisionHeader {
  uint64_t plan_hash = 0;  ///< revision_plan_hash() of the plan's text
  uint32_t semantics_version = 1;
  EntryId at;           ///< the last entry that is in it
  Timestamp timestamp;  ///< of that entry
  friend bool operator==(const RevisionHeader&, const RevisionHeader&) = default;
};

struct RevisionTrailer {
  uint32_t body_crc = 0;
  uint64_t body_bytes = 0;
  uint64_t state_bytes = 0;
  uint64_t state_hash = 0;  ///< equal states have equal hashes, on every node
};

uint64_t revision_plan_hash(std::string_view text);
/// What the trailer says of the state.
uint64_t revision_state_hash(std::string_view state);

std::string encode_header(const RevisionHeader& header);
std::string encode_trailer(const RevisionTrailer& trailer);

/// Of the file's first bytes. kInvalidArgument: this is no revision; kDataLoss: it was one;
/// kUnimplemented: it is of a newer version of this program, which must not be destroyed.
absl::StatusOr<RevisionHeader> decode_header(std::string_view bytes);
/// Of the file's last bytes. kDataLoss.
absl::StatusOr<RevisionTrailer> decode_trailer(std::string_view bytes);

}  // namespace pollux
