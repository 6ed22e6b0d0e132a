// What two nodes of a pair tell each other. Source: the pair protocol, "Messages".
//
// Every one of them may be lost, come twice, late, or in another order; each says enough to be
// judged by itself. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "engine/runtime/entry.h"
#include "ha/base/random_id.h"
#include "ha/copies/events_order.h"
#include "ha/divergence/plan_hash.h"
#include "ha/pair/epoch_history.h"
#include "ha/pair/role.h"
#include "persistence/outbox/last_ids.h"

namespace pollux {

/// Both ways, on a connection of its own: the sender lives, and this is where it stands.
struct Heartbeat {
  JournalId journal;
  Role role = Role::kStarting;
  Epoch epoch;  ///< that it leads or follows
  EntryId tail;
  Position committed;
  bool leads = false;
  bool blank = false;  ///< its journal has never had an entry
};

/// A follower asks to follow.
struct Hello {
  DomainId domain;  ///< not set: it has never been of one
  JournalId journal;
  SessionNonce nonce;
  Epoch led;  ///< the highest epoch that it led
  EpochHistory history;
  // ---- from version 2 of the protocol on, and no business of a Replica's ----
  /// DuplicatedStreams::hash(): it gets copies of these streams' events from their clients, so that
  /// their entries may come as orders. 0: they may not.
  uint64_t copies_of = 0;
  uint32_t in_full = 0;  ///< but not so many entries behind the tail
};

/// The follower's journal counts up to `match`; what stands behind that is to go.
struct Welcome {
  SessionNonce nonce;
  Epoch epoch;
  EntryId match;
  EntryId tail;  ///< of the sender
};

/// The sender's journal does not reach back to what the follower has, or the follower's plans are
/// others than they ought to be.
struct SnapshotNeeded {
  SessionNonce nonce;
  Epoch epoch;
  bool sender_alone = false;  ///< it runs alone: what it has committed is all there is
};

/// Entries in order, behind `before`; also none, to say what is committed.
struct Entries {
  SessionNonce nonce;
  Epoch epoch;
  EntryId before;
  std::vector<Entry> entries;
  Position committed;
  Position applied;  ///< up to here the sender's plans have taken them
};

/// The same, some of them as orders. A Replica neither sends nor gets them: they are made of
/// Entries by OrderShipping and become Entries again at an OrderDesk.
struct Orders {
  SessionNonce nonce;
  Epoch epoch;
  EntryId before;
  std::vector<OrderedEntry> entries;
  Position committed;
  Position applied;
};
/// Rows of orders in one message.
constexpr size_t kOrderRowsMax = size_t{1} << 22;

/// The follower's journal holds, lasting, what the sender's holds up to `matched`.
struct Ack {
  Epoch epoch;
  JournalId journal;
  Position matched;
  Position applied;  ///< up to here the follower's plans have taken them
};

/// The receiver is to lead once it holds everything up to `tail`.
struct SwitchOver {
  SessionNonce nonce;
  Epoch epoch;
  EntryId tail;
};

/// What sinks have confirmed: of each sink, the last result of each plan. They only grow, and are
/// told only once a sink has confirmed.
struct Confirmed {
  std::map<std::string, LastIds, std::less<>> sinks;
};

/// What the follower's plans have come to: hashes that whoever leads compares with its own.
struct PlanHashes {
  static constexpr size_t kMax = 512;  ///< in one message
  Epoch epoch;
  JournalId journal;
  std::vector<PlanHash> hashes;
};

/// Either way, whenever the way is open: entries that processes of the sender died of. A plan
/// passes over an entry that is poisoned; it is told before anything says that the entry was
/// applied.
struct ApplyDeaths {
  static constexpr size_t kMax = 512;  ///< in one message
  struct Known {
    std::string plan;
    EntryId entry;
    uint32_t deaths = 0;  ///< 2: it is poisoned
  };
  std::vector<Known> known;
};

struct PeerMessage {
  /// Of the arbiter's record as the sender knows it: one lower than one that was seen tells of an
  /// arbiter that has forgotten.
  uint64_t record_version = 0;
  std::variant<Heartbeat, Hello, Welcome, SnapshotNeeded, Entries, Ack, SwitchOver, Confirmed,
               PlanHashes, ApplyDeaths, Orders>
      body;
};

}  // namespace pollux
