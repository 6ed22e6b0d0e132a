// How a connection begins: who dialled says what he is and what the connection is for; who was
// dialled says the same of himself, and whether he takes it. Only then come messages.
//
// An offer and an answer are frames (wire_frame.h) whose payload later versions may make longer,
// never otherwise: what stands behind what this version knows is passed over. A text is a u32
// length and at most kHandshakeTextMax bytes.
//     kOffer   u8 kind   7 x u8 0   card   more of the card
//     kAnswer  u8 refusal   u8 0   u16 chosen version   u32 0   card   text reason
//              more of the card
//     card     u16 lowest version   u16 highest version   u32 0   u64 u64 process   u64 attempt
//              u64 fingerprint   text domain   text node   text membership   text event sync
//              text snapshots
//     more     from version 2 on: u32 lowest   u32 highest version of the semantics
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/runtime/entry.h"
#include "ha/base/random_id.h"
#include "ha/wire/wire_frame.h"

namespace pollux {

/// What is said behind the handshake. A program speaks two versions at least, so that nodes can be
/// brought to the next one after the other.
///     2  the card says which versions of the semantics its node runs; hashes of plans are
///        told, and entries that processes died of
///     3  entries may carry rows of external tables
constexpr uint16_t kProtocolVersionMin = 1;
constexpr uint16_t kProtocolVersionMax = 3;

/// The first that has orders, and copies among forwarded batches.
constexpr uint16_t kCopiesVersion = 2;
/// The first whose entries may carry rows of external tables.
constexpr uint16_t kFoundRowsVersion = 3;

constexpr size_t kHandshakeTextMax = 1024;
/// Of a payload: more than this version writes, so that later ones may say more.
constexpr size_t kHandshakeBytesMax = size_t{16} << 10;

/// One start of a program.
using ProcessId = RandomId<struct ProcessTag>;

/// Frozen.
enum class ConnectionKind : uint8_t {
  kMembership = 1,  ///< heartbeats of who dialled
  kEventSync = 2,   ///< who dialled follows: HELLO and ACK go, all else comes back
  kForward = 3,     ///< batches of who dialled go, answers come back
};

/// Frozen.
enum class Refusal : uint8_t {
  kNone = 0,
  kOtherDomain = 1,
  kNoCommonVersion = 2,  ///< of the protocol, or of the semantics
  kOtherFingerprint = 3,
  kTooManyConnections = 4,
  kMyself = 5,
  kWrongPort = 6,  ///< it takes connections of another kind
  kOtherPeer = 7,  ///< there is a peer, and it is another
  kDuplicate = 8,  ///< there is such a connection already
  kGivenUp = 9,    ///< of an attempt that its sender has given up since
};
constexpr size_t kRefusals = 10;

/// In a word or two, for metrics.
std::string_view name_of(Refusal refusal);

/// What a node says of itself.
struct NodeCard {
  uint16_t version_min = kProtocolVersionMin;
  uint16_t version_max = kProtocolVersionMax;
  ProcessId process;
  /// Grows whenever the sender has given up what it had with its peer: connections of different
  /// attempts do not belong together.
  uint64_t attempt = 0;
  /// Of the maths functions: nodes of different ones would disagree about results.
  uint64_t fingerprint = 0;
  std::string domain;
  std::string node;
  std::string membership;  ///< host:port under which others reach it
  std::string event_sync;  ///< of that, and of forwards
  std::string snapshots;   ///< of snapshots; empty: it gives none
  /// Of the language that it runs. Cards of protocol version 1 do not say it, and mean 1.
  uint32_t semantics_min = kSemanticsVersionMin;
  uint32_t semantics_max = kSemanticsVersionMax;
  friend bool operator==(const NodeCard&, const NodeCard&) = default;
};

struct HandshakeOffer {
  ConnectionKind kind = ConnectionKind::kMembership;
  NodeCard card;
};

struct HandshakeAnswer {
  Refusal refusal = Refusal::kNone;
  uint16_t version = 0;  ///< chosen, when it is not refused
  NodeCard card;
  std::string reason = {};  ///< of a refusal, for people
};

/// Append a frame. Texts are cut to kHandshakeTextMax.
void encode_offer(const HandshakeOffer& offer, std::string& out);
void encode_answer(const HandshakeAnswer& answer, std::string& out);

/// kDataLoss: it is none.
absl::StatusOr<HandshakeOffer> decode_offer(const WireFrame& frame);
absl::StatusOr<HandshakeAnswer> decode_answer(const WireFrame& frame);

/// What a node of `own` says to an offer, as far as the two cards tell.
HandshakeAnswer judge_offer(const NodeCard& own, const HandshakeOffer& offer);
HandshakeAnswer refuse(const NodeCard& own, Refusal refusal, std::string reason);

}  // namespace pollux
