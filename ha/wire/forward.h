// Batches that a client brought to the node that does not lead: they are handed to the other one,
// which answers when it knows what became of them.
//
//     kForward        u64 request   u8 wait   u8 copy   6 x u8 0   a record (record.h) of type
//                     kEvents, with its schema before it on first use; id and timestamp are 0;
//                     where copy is 1, before it: u64 behind   u32 rows   u32 0
//                     { u32 beyond } ...   padding to a multiple of 8
//     kForwardAnswer  u64 request   u8 status   u8 duplicate   6 x u8 0   u64 accepted
//                     u64 expected number   u64 retry after ms   entry's id   text message
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/runtime/entry.h"
#include "ha/copies/identity_table.h"
#include "ha/wire/wire_frame.h"
#include "persistence/codec/schema_codec.h"

namespace pollux {

struct ForwardedBatch {
  uint64_t request = 0;  ///< names it on its connection
  EventsPayload events;
  bool wait = false;  ///< when a queue is full: wait for room instead of refusing
  /// Of a stream whose clients send to both nodes; from version 2 of the protocol on.
  std::optional<CopyCount> copy = {};
};

struct ForwardedAnswer {
  uint64_t request = 0;
  absl::Status status;
  EntryId id;                    ///< where the batch stands, or stood when it is a duplicate
  uint64_t accepted = 0;         ///< events
  bool duplicate = false;        ///< the number was seen before: no effect now
  uint64_t expected_number = 0;  ///< kFailedPrecondition: the producer left a number out
  uint64_t retry_after_ms = 0;   ///< kResourceExhausted
};

/// About what it takes in memory, and on the wire.
size_t bytes_of(const ForwardedBatch& forward);

/// One direction of a connection. Thread: one at a time.
class ForwardEncoder {
 public:
  /// Appends a frame. kResourceExhausted: the batch is too long; then nothing was appended.
  absl::Status encode(const ForwardedBatch& forward, std::string& out);

 private:
  SchemaSet schemas_;
};

/// The other end of it. Thread: one at a time.
class ForwardDecoder {
 public:
  /// kDataLoss: it is none; kFailedPrecondition, kResourceExhausted: as of MessageDecoder.
  absl::StatusOr<ForwardedBatch> decode(const WireFrame& frame);

 private:
  SchemaTable schemas_;
};

/// Appends a frame. A message that is longer than kAnswerTextMax is cut. Thread: any.
void encode_forward_answer(const ForwardedAnswer& answer, std::string& out);
/// kDataLoss: it is none. Thread: any.
absl::StatusOr<ForwardedAnswer> decode_forward_answer(const WireFrame& frame);

constexpr size_t kAnswerTextMax = 4096;
/// Of an answer's payload.
constexpr size_t kForwardAnswerBytesMax = kAnswerTextMax + 128;

}  // namespace pollux
