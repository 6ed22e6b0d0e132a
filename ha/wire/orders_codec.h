// Entries of which some come as orders (ha/copies/events_order.h), as a payload of kOrders:
//
//     nonce   u64 epoch   before   u64 committed   u64 applied   u32 entries   u32 0
//     { u8 kind   7 x u8 0   what it says } ...
//
//     kind 0  the record (record.h) of an entry, with its schema before it on first use
//     kind 1  an order: u8 flags (1: one chunk, 2: of one time)   3 x u8 0   u32 rows   entry's id
//             i64 timestamp   u64 hash of the schema   u64 content   u64 number
//             text producer   { identity: u64 u64 } ... where there is no producer
//             { time } ... or one of them   padding to a multiple of 8
//     kind 2  the record of a schema, before the first order of it
//
// A time is what it is more than the one before it, the first what it is more than the timestamp,
// as zigzag in groups of seven bits, the least first. Thread: any.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ha/pair/messages.h"
#include "persistence/codec/bytes.h"
#include "persistence/codec/schema_codec.h"

namespace pollux {

/// Appends the payload. kResourceExhausted: an entry is longer than a record may be.
absl::Status encode_orders(const Orders& orders, SchemaSet& schemas, std::string& out);
/// kDataLoss: it is none; kFailedPrecondition: a schema is missing; kResourceExhausted: there are
/// more schemas than are kept.
absl::StatusOr<Orders> take_orders(PayloadReader& reader, SchemaTable& schemas);

}  // namespace pollux
