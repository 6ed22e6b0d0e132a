// What two nodes tell each other as frames, one a message (wire_frame.h), and back.
//
// A payload by type; a text is a u32 length and as many bytes, an id two u64, an entry's id u64
// epoch and u64 position, and what is not said is 0:
//     kHeartbeat       journal   u8 role   u8 leads   u8 blank   5 x u8 0   u64 epoch
//                      tail   u64 committed
//     kHello           domain   journal   nonce   u64 led   u32 epochs   u32 more
//                      { entry's id: the last of an epoch } ...
//                      where more is 1: u64 copies of   u32 in full   u32 0
//     kWelcome         nonce   u64 epoch   match   tail
//     kSnapshotNeeded  nonce   u64 epoch   u8 alone   7 x u8 0
//     kEntries         nonce   u64 epoch   before   u64 committed   u64 applied   u32 entries
//                      u32 0   { a record (record.h): an entry, or a schema before its first use }
//     kAck             u64 epoch   journal   u64 matched   u64 applied
//     kSwitchOver      nonce   u64 epoch   tail
//     kConfirmed       u32 sinks   { text name   u32 plans
//                      { text name   entry's id   u32 ordinal } ... } ...
//     kPlanHashes      u64 epoch   journal   u32 hashes   u32 0
//                      { text plan   u32 kind   u64 position   u64 hash } ...
//     kApplyDeaths     u32 known   { text plan   entry's id   u32 deaths } ...
//     kOrders          see orders_codec.h
// Names rise but those of kPlanHashes and kApplyDeaths. Equal messages are equal bytes, but for the
// schemas that a connection knows already.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ha/pair/messages.h"
#include "ha/wire/wire_frame.h"
#include "persistence/codec/schema_codec.h"

namespace pollux {

class PayloadPacker;

/// One direction of a connection. Thread: one at a time.
class MessageEncoder {
 public:
  /// `packs`: entries are packed with zstd where that makes them an eighth smaller at least. It
  /// costs both nodes time, and pays only where the link is what limits them.
  explicit MessageEncoder(bool packs = false);
  ~MessageEncoder();

  /// Appends a frame. kResourceExhausted: the message is too long; then nothing was appended.
  absl::Status encode(const PeerMessage& message, std::string& out);

 private:
  SchemaSet schemas_;
  std::unique_ptr<PayloadPacker> packer_;  // null: it does not pack
};

/// The other end of it. Thread: one at a time.
class MessageDecoder {
 public:
  /// kDataLoss: the payload is not what its type says, or its type is that of no message;
  /// kInvalidArgument: it can be read, and cannot be meant; kFailedPrecondition: a schema is
  /// missing; kResourceExhausted: more schemas than are kept.
  absl::StatusOr<PeerMessage> decode(const WireFrame& frame);

 private:
  SchemaTable schemas_;
};

/// About what it takes in memory, and on the wire.
size_t bytes_of(const PeerMessage& message);

}  // namespace pollux
