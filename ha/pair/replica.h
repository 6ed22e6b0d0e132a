// One node's side of the pair: a step machine over its journal.
//
// Messages, records, orders and ticks go in, each with the time; what is to be done about them goes
// to the `ReplicaWorld`. The journal is written here and nowhere else: what was appended or
// received lasts with flush(), which is called once for as many inputs as there are. Steps R1 to
// R14 are those of the pair protocol; their guards stand in pair_rules.h. No step reads a clock:
// times, in milliseconds of a clock that never goes back, only decide when to try. Thread: one.
// Errors: once status() is not ok the node must end; nothing more is done then.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "ha/pair/following.h"
#include "ha/pair/leadership.h"
#include "ha/pair/replica_core.h"

namespace pollux {

struct ReplicaStart {
  Position applied;          ///< the last entry that the states have taken in
  Position committed;        ///< the last that is known to be: results of it are there, or states
  Timestamp last_timestamp;  ///< of the journal's last entry
};

class Replica {
 public:
  /// All but the options and the start outlive it. `own`: as it stands in `file`.
  Replica(FileSystem& files, Journal& journal, PairFile& file, const PairState& own,
          const PairRules& rules, const ReplicaOptions& options, const ReplicaStart& start,
          ReplicaWorld& world);

  // ---- inputs ----

  void on_message(const PeerMessage& message, int64_t now_ms);
  /// The way to the peer is open, or has ended.
  void on_connected(int64_t now_ms);
  void on_disconnected(int64_t now_ms);
  void on_record(const ArbiterRecord& record, int64_t now_ms);
  /// A request was answered by an error: nobody knows what became of it.
  void on_arbiter_silent(int64_t now_ms);
  void tick(int64_t now_ms);
  /// Everything that was appended or received goes to the peer, then lasts, and is acknowledged or
  /// committed. kResourceExhausted: the disk is full, and it is tried again with the next call; any
  /// other error is status().
  absl::Status flush(int64_t now_ms);

  /// R4: the next entry of this lead. kUnavailable: the node does not lead, or hands over;
  /// kResourceExhausted: the journal has no room.
  absl::Status append(const Entry& entry, JournalSpace space = JournalSpace::kOrdinary);
  /// Up to here this node's plans have taken entries.
  void note_applied(Position position) { core_.applied = std::max(core_.applied, position); }

  /// What a plan of this node has come to: behind an order to persist, or in an interval.
  void note_hash(const PlanHash& hash, int64_t now_ms);

  // ---- orders ----

  /// kFailedPrecondition: there is nobody to hand over to.
  absl::Status switch_over(int64_t now_ms);
  /// Leads whatever the record says; what the other node has committed behind this journal is lost.
  /// kFailedPrecondition: the peer lives, this node leads, or there is no record; kUnavailable: not
  /// now, and nothing was asked. What becomes of it the record tells; until it does, it is asked
  /// for again, and this node follows nobody.
  absl::Status force(int64_t now_ms);

  // ---- R8: a snapshot in the place of everything ----

  bool may_install() const { return core_.rules.may_install(unnamed_since_start_); }
  /// The journal goes on behind `at` under a new id; states and outboxes are to be replaced.
  absl::Status begin_install(EntryId at, int64_t now_ms);
  /// They have been, and have taken in entries up to `applied`.
  absl::Status end_install(Position applied, int64_t now_ms);

  /// Entries up to here have been handed over: those that the follower has too leave the memory.
  void note_handed(Position position);

  // ---- looking at it ----

  Role role() const { return role_; }
  bool leads() const { return core_.leads; }
  /// Takes entries: it leads and does not hand over.
  bool is_open() const { return lead_ && !lead_->hands_over(); }
  Epoch epoch() const { return core_.epoch; }
  const PairJournal& journal() const { return core_.journal; }
  EntryId tail() const { return core_.journal.tail(); }
  Position committed() const { return core_.committed; }
  const ArbiterRecord& view() const { return core_.view; }
  const PairState& own() const { return core_.own; }
  const ReplicaCounts& counts() const { return core_.counts; }
  const std::optional<Leadership>& lead() const { return lead_; }
  const Following& following() const { return following_; }
  /// The arbiter has forgotten a record: roles stay as they are.
  bool is_frozen() const { return frozen_; }
  absl::Status status() const { return core_.failed; }

 private:
  enum class Request : uint8_t { kNone, kRead, kChange, kPair };

  // ---- the record (replica_record.cc) ----
  bool take_record(const ArbiterRecord& record, int64_t now_ms);
  bool take_domain(const ArbiterRecord& record);
  void note_version(uint64_t version, int64_t now_ms);
  void consider(int64_t now_ms);
  void consider_creating(int64_t now_ms);
  void consider_following(int64_t now_ms);
  void consider_leading(int64_t now_ms);
  void begin_lead(int64_t now_ms);
  void step_down(const std::string& why, int64_t now_ms);
  bool ask_to_lead(int64_t now_ms);
  bool ask_by_force(int64_t now_ms);
  bool change_lead(ArbiterRecord next, int64_t now_ms);
  void read(int64_t now_ms);
  bool change(const ArbiterRecord& next, Request kind, int64_t now_ms);
  ArbiterRecord next_record() const;

  // ---- the peer ----
  void on_heartbeat(const Heartbeat& heartbeat, int64_t now_ms);
  void send_heartbeat(int64_t now_ms);
  void on_plan_hashes(const PlanHashes& told);
  void judge(const PlanHash& like);
  bool peer_lives(int64_t now_ms) const;
  bool peer_is_blank(int64_t now_ms) const;

  void set_role(int64_t now_ms);
  bool may_rest_unsynced() const;
  absl::Status commit_journal();
  absl::Status make_lasting();
  bool ended() const { return !core_.failed.ok(); }

  ReplicaCore core_;
  std::optional<Leadership> lead_;  // while it leads
  Following following_;             // while it does not

  Role role_ = Role::kStarting;
  std::string why_;  // of the next change of the role

  // The record.
  bool seen_record_ = false;
  bool frozen_ = false;
  bool unnamed_since_start_ = false;
  bool lead_requested_ = false;  // on the view's version; it may be in flight
  bool forcing_ = false;         // and it was ordered to, whatever the record says
  /// So may one of the process before this one, until the version has moved.
  bool requested_before_start_ = true;
  Request request_ = Request::kNone;
  uint64_t version_at_request_ = 0;  // of the record, or of one that the peer saw
  int64_t next_try_ms_ = 0;
  int64_t next_read_ms_ = 0;
  int64_t record_ms_ = INT64_MIN / 2;  // when the arbiter was last heard

  // The peer.
  bool connected_ = false;
  int64_t heard_ms_ = INT64_MIN / 2;
  std::optional<Heartbeat> peer_;
  int64_t next_heartbeat_ms_ = 0;
};

}  // namespace pollux
