// A record: what segments, outboxes and the wire consist of. A header of 48 bytes, and a payload.
//
//      0  u32  "PLXE"                     16  u64  epoch
//      4  u16  format version             24  u64  position
//      6  u8   type                       32  i64  timestamp, ms since 1970
//      7  u8   0                          40  i32  tenant
//      8  u32  bytes of the payload       44  u32  crc32c of bytes 0 to 43
//     12  u32  crc32c of the payload      48       payload
//
// Little endian. Payloads are padded with zeros to a multiple of 8, so that records that begin
// aligned stay so. The header has a checksum of its own: a length is believed only when it is
// right, so a record that is not all there can be told from one that rotted. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/runtime/entry.h"
#include "engine/types/ids.h"

namespace pollux {

constexpr size_t kRecordHeaderBytes = 48;
constexpr uint32_t kPayloadBytesMax = uint32_t{256} << 20;
constexpr uint16_t kRecordVersion = 1;

/// Frozen. The first ones are those of EntryType; the others have no place in the order of entries.
enum class RecordType : uint8_t {
  kEvents = 1,
  kTick = 2,
  kDeploy = 3,
  kUndeploy = 4,
  kPersist = 5,
  kWrite = 6,
  kEpochBegin = 7,
  kSchema = 64,   ///< stands before the first batch of its schema
  kResults = 65,  ///< a slice of results, in outboxes
};

struct RecordHeader {
  RecordType type = RecordType::kTick;
  EntryId id;
  Timestamp timestamp;
};

enum class FrameState : uint8_t {
  kWhole,    ///< a record of this version, and its checksums are right
  kPart,     ///< a record begins here and is not all there; `bytes` are needed to go on
  kNone,     ///< no record begins here
  kCorrupt,  ///< a checksum is wrong; `bytes` is 0 where it is that of the header
  kUnknown,  ///< a whole record of another version, tenant or length than this program takes
};

/// The first record of some bytes.
struct RecordFrame {
  FrameState state = FrameState::kNone;
  size_t bytes = 0;  ///< of the record, header included
  RecordHeader header;
  std::string_view payload;  ///< kWhole only; points into the bytes
};

RecordFrame read_frame(std::string_view bytes);

/// Makes room for a header at the end of `out` and returns where it stands; the payload is appended
/// behind it.
size_t begin_record(std::string& out);
/// Pads the payload and fills in the header. kResourceExhausted: the payload is longer than
/// kPayloadBytesMax; then the record is taken off again.
absl::Status end_record(std::string& out, size_t begin, const RecordHeader& header);

}  // namespace pollux
