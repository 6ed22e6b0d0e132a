// Slices of results as records (kResults): what an outbox keeps of one stream.
//
// The record's epoch is that of the entry that brought the rows about; its position is no entry's:
// it is the offset of the first row in the outbox. The timestamp is 0. The payload:
//
//     u64 position of the entry   u32 rows   u32 length of the plan's name
//     the name, padded to a multiple of 8
//     u32 ordinal of each row, padded to a multiple of 8; then the batch (batch_codec.h)
//
// Plan, epoch, position and ordinal together are the id of a row. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/runtime/engine.h"
#include "persistence/codec/record.h"
#include "persistence/codec/schema_codec.h"

namespace pollux {

/// Rows that one entry brought about on one stream of one plan, as they stand in an outbox.
struct OutboxSlice {
  uint64_t first = 0;  ///< the offset of the first row; the others follow
  std::string plan;
  EntryId cause;
  std::vector<uint32_t> ordinals;  ///< one a row
  EventBatchPtr batch;
};

/// Appends the results, of which the first row has the offset `first`, and before them their schema
/// where `known` has not seen that yet. kResourceExhausted: they are longer than a record may be;
/// then at most their schema was appended.
absl::Status encode_results(const ResultBatch& results, uint64_t first, SchemaSet& known,
                            std::string& out);

/// What stands in a whole frame: a slice, or nothing when it is a schema, which `schemas` takes.
/// kDataLoss: the payload is no slice; kFailedPrecondition: its schema is missing.
absl::StatusOr<std::optional<OutboxSlice>> decode_results(const RecordFrame& frame,
                                                          SchemaTable& schemas);

}  // namespace pollux
