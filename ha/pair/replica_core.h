// What the two roles of a replica share, and what they ask of the node around them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "ha/arbiter/arbiter_record.h"
#include "ha/divergence/divergence_check.h"
#include "ha/pair/messages.h"
#include "ha/pair/pair_file.h"
#include "ha/pair/pair_journal.h"
#include "ha/pair/pair_rules.h"
#include "ha/pair/role.h"

namespace pollux {

struct ReplicaOptions {
  std::string node = "pollux";  ///< for people
  int64_t heartbeat_ms = 250;
  int64_t suspect_after_ms = 1500;  ///< the peer is silent for so long
  int64_t sync_stall_ms = 1000;     ///< a passive that acknowledges nothing for so long is left
  int64_t pair_lag_ms = 200;        ///< a joiner that is behind by no more may become the passive
  int64_t retry_ms = 200;           ///< between two tries of anything
  int64_t arbiter_poll_ms = 2000;   ///< between two reads of a record that nobody said has changed
  int64_t switch_patience_ms = 1000;  ///< how long an active that hands over waits for its heir
  size_t window_bytes = size_t{16} << 20;  ///< of entries on their way to the follower
  size_t message_bytes = size_t{256} << 10;
  size_t recent_bytes = size_t{64} << 20;
  /// Acks and commits of a pair need not survive that both nodes lose power at once; those of a
  /// node that runs alone always last.
  bool sync_every_commit = true;
  /// This node may begin a domain without asking a peer, when the record and its journal are blank.
  bool bootstrap = false;
};

/// That plans have come further is told by itself at most this often.
inline constexpr int64_t kTellAppliedEveryMs = 10;

/// What was told of plans is told again this often: messages may be lost.
inline constexpr int64_t kRepeatHashesEveryMs = 10'000;

/// What a replica asks of the node around it. Calls must not come back into the replica.
class ReplicaWorld {
 public:
  virtual ~ReplicaWorld() = default;

  /// To the peer; it may be lost.
  virtual void send(PeerMessage message) = 0;
  /// Both are answered by Replica::on_record() or on_arbiter_silent(); one at a time.
  virtual void read_record() = 0;
  virtual void set_record(const ArbiterRecord& next) = 0;

  /// Entries up to here may be applied: they are committed, and whoever leads has applied them.
  virtual void may_apply(Position upto) = 0;
  /// This node leads from here on; its own next entry comes behind `tail`.
  virtual void lead_began(EntryId tail) = 0;
  /// It does no more: nothing is let out, and who waits for an ack hears "outcome unknown, retry".
  virtual void lead_ended(const std::string& why) = 0;
  virtual void role_changed(Role from, Role to, const std::string& why) = 0;
  /// The journal of whoever leads does not reach back to this one: a snapshot is needed, which
  /// begin_install() and end_install() put in the place of everything.
  virtual void snapshot_needed() = 0;
  /// After a promotion by force: what this node has committed behind `last` is void. It is to be
  /// set aside, and an empty snapshot installed.
  virtual void void_behind(EntryId last) = 0;
  /// What the sinks of whoever leads have confirmed.
  virtual void confirmed(const Confirmed& confirmed) = 0;
  /// A plan of the follower is another than this node's, which leads.
  virtual void diverged(const Divergence& divergence) = 0;
  /// Something that a person must look at.
  virtual void alarm(const std::string& what) = 0;

  virtual JournalId new_journal_id() = 0;
  virtual DomainId new_domain_id() = 0;
  virtual SessionNonce new_nonce() = 0;
  /// Evenly among [0, bound).
  virtual int64_t jitter(int64_t bound) = 0;
  virtual Timestamp wall_clock() = 0;
};

/// Counted since the start, for metrics, and for tests that must know that a path was taken.
struct ReplicaCounts {
  uint64_t leads = 0;
  uint64_t lead_ends = 0;
  uint64_t hellos = 0;
  uint64_t welcomes = 0;
  uint64_t snapshots = 0;
  uint64_t truncations = 0;
  uint64_t truncated_entries = 0;
  uint64_t gaps = 0;     ///< entries that did not follow what was there
  uint64_t refused = 0;  ///< messages of an older epoch, or that make no sense
  uint64_t stalls = 0;   ///< a passive was left since it acknowledged nothing
  uint64_t lead_requests = 0;
  uint64_t solo_requests = 0;
  uint64_t pair_requests = 0;
  uint64_t unknown = 0;  ///< requests of which nobody knows what became
  uint64_t unknown_pairings = 0;
  uint64_t handed_over = 0;
  uint64_t diverged_states = 0;   ///< plans of a follower that were others
  uint64_t diverged_results = 0;  ///< the same, found by what they brought about
  uint64_t voided = 0;            ///< a promotion by force took away what was committed here
};

/// Thread: the replica's.
struct ReplicaCore {
  PairJournal journal;
  PairFile& file;
  PairState own;  ///< as it stands in the file
  const PairRules& rules;
  const ReplicaOptions options;
  ReplicaWorld& world;

  ArbiterRecord view = {};    ///< the last record seen
  uint64_t version_seen = 0;  ///< the highest, also by the peer's word
  bool leads = false;
  Epoch epoch = {};         ///< followed or led
  Position committed = {};  ///< known to be
  Position applied = {};    ///< by this node's plans
  DivergenceCheck divergence = {};
  ReplicaCounts counts = {};
  absl::Status failed = {};  ///< once it is not ok the node must end

  OwnState own_state() const {
    return {own.journal, leads, epoch, own.led, journal.tail(), durable(), own.unsynced};
  }
  /// What counts as lasting: while bytes may rest unsynced, what is written.
  Position durable() const { return own.unsynced ? journal.written() : journal.lasting(); }
  template <class Body>
  void send(Body body) {
    world.send({view.version, std::move(body)});
  }
  /// False: `next` does not stand in the file; the disk is full, or the node must end.
  bool write_own(const PairState& next) {
    absl::Status written = file.write(next);
    if (written.ok()) own = next;
    return check(written);
  }
  /// False: it was not done. A full disk can be tried again; after anything else the node must end.
  bool check(const absl::Status& status) {
    if (!status.ok() && !absl::IsResourceExhausted(status) && failed.ok()) failed = status;
    return status.ok();
  }
};

}  // namespace pollux
