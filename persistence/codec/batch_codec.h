// Batches as bytes: column by column as in memory, so that numbers are copied and nothing more.
//
//     u64 hash of the schema   u32 rows   u32 flags (1: one chunk)
//     i64 timestamp of each row
//     for each column:
//       u8 type   u8 flags (1: has nulls)   u16 0   u32 strays
//       has nulls:  u64 words with a bit a row, from the lowest bit on, set for null
//       values:     one a row; for strings and objects their u32 lengths, and then all their bytes
//       has strays: u32 rows, rising; u32 lengths; all their bytes
//
// Every array is padded with zeros to a multiple of 8. Null rows are zero (length 0) among the
// values. Equal batches are equal bytes. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "persistence/codec/bytes.h"
#include "persistence/codec/schema_codec.h"

namespace pollux {

/// Appends to `out`, in which the payload begins at `payload_begin`.
void encode_batch(const EventBatch& batch, uint64_t schema_hash, size_t payload_begin,
                  std::string& out);

/// kDataLoss: the bytes are no batch; kFailedPrecondition: its schema did not come before it.
absl::StatusOr<std::shared_ptr<EventBatch>> decode_batch(PayloadReader& reader,
                                                         const SchemaTable& schemas);

}  // namespace pollux
