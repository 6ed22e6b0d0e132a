// Entries as records: one encoding for journal and wire.
//
// A payload by type; a text is a u32 length and as many bytes:
//     kEvents      u64 number of the producer   u32 length of its name   u32 external tables
//                  and the name, padded to a multiple of 8; then the batch (batch_codec.h), and
//                  for each table what was found: { text table, rows }, the rows as in kDeploy
//     kTick        nothing
//     kDeploy      u32 semantics version   u8 dialect   u8 replace   u8 stored   u8 0   text plan
//                  text text   text source   text origin; where `stored` is 1 the rows of stored
//                  holders: u32 holders, { text stream, i64 from, u32 batches, { text schema
//                  (schema_codec.h), padded to a multiple of 8; the batch } ... } ...
//     kUndeploy    text plan
//     kPersist     nothing
//     kWrite       text plan   text query
//     kEpochBegin  text node
//     kSchema      the schema (schema_codec.h); epoch, position and timestamp are 0
// Equal entries are equal bytes. Thread: any.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/runtime/entry.h"
#include "persistence/codec/record.h"
#include "persistence/codec/schema_codec.h"

namespace pollux {

/// Appends the entry, and before it its schema where `known` has not seen that yet.
/// kResourceExhausted: it is longer than a record may be; then at most its schema was appended.
absl::Status encode_entry(const Entry& entry, SchemaSet& known, std::string& out);

/// The record of a batch stays with its entry, so that journal and wire need not both make it.
/// `schemas` is only asked for hashes. kResourceExhausted: as above; the entry is as it was.
absl::Status keep_record(Entry& entry, SchemaSet& schemas);

/// What stands in a whole frame: an entry, or nothing when it is a schema, which `schemas` takes.
/// kDataLoss: the payload is not what its type says; kFailedPrecondition: a schema is missing.
absl::StatusOr<std::optional<Entry>> decode_entry(const RecordFrame& frame, SchemaTable& schemas);

}  // namespace pollux
