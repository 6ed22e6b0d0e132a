// What stands in a log's record: the schemas that are seen for the first time, then one record that
// leans on them. Thread: any.
#pragma once

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "persistence/codec/record.h"
#include "persistence/codec/schema_codec.h"

namespace pollux {

/// What `decode` (decode_entry or decode_results) makes of the record behind the schemas; nothing
/// when it is not `wanted`, but its schemas are learned all the same. kDataLoss: something else
/// stands there.
template <class Decode>
auto decode_with_schemas(std::string_view bytes, bool wanted, SchemaTable& schemas, Decode decode)
    -> decltype(decode(RecordFrame{}, schemas)) {
  while (!bytes.empty()) {
    RecordFrame frame = read_frame(bytes);
    if (frame.state != FrameState::kWhole) {
      return absl::DataLossError("it is no record of this version");
    }
    bytes.remove_prefix(frame.bytes);
    if (frame.header.type != RecordType::kSchema && !wanted) return std::nullopt;
    auto decoded = decode(frame, schemas);
    if (!decoded.ok() || *decoded) return decoded;
  }
  return absl::DataLossError("nothing stands in it");
}

}  // namespace pollux
