// What a follower does: asks to follow, takes entries, cuts off what its journal has and the other
// lacks, and acknowledges what matched (R5, R14). Thread: the replica's.
#pragma once

#include <vector>

#include "ha/pair/messages.h"
#include "ha/pair/replica_core.h"

namespace pollux {

class Following {
 public:
  Following(ReplicaCore& core, int64_t now_ms) : core_(core), next_hello_ms_(now_ms) {}

  /// A new session; frames of the one before do not count any more.
  void say_hello(int64_t now_ms);
  bool hello_due(int64_t now_ms) const { return !welcomed_ && now_ms >= next_hello_ms_; }
  /// The way to the peer has ended, or the journal is another one.
  void end_session(int64_t now_ms);

  void on_welcome(const Welcome& welcome, int64_t now_ms);
  void on_entries(const Entries& entries, int64_t now_ms);
  /// Whether a snapshot is needed, and may be taken from this sender.
  bool on_snapshot_needed(const SnapshotNeeded& needed, int64_t now_ms);
  void on_switch_over(const SwitchOver& order);
  /// The peer lives: if nothing of the session comes all the same, it knows of none any more.
  void on_heartbeat(int64_t now_ms);
  /// An ack that was lost is sent again now and then.
  void repeat_ack() { ack_due_ = welcomed_; }

  /// Once all that was received lasts.
  void send_ack(int64_t now_ms);

  /// What whoever leads is to compare.
  void tell_hash(const PlanHash& hash);
  void send_hashes(int64_t now_ms);

  bool welcomed() const { return welcomed_; }
  Position matched() const { return matched_; }
  /// The active hands over, and this journal holds all that it has.
  bool ordered_to_lead() const { return ordered_to_lead_; }

 private:
  bool takes(const SessionNonce& nonce, Epoch epoch);
  bool receive(const Entry& entry, Epoch lead);
  bool truncate(Position last, Epoch lead);
  void learn_committed(Position committed, Position applied);
  void give_up(int64_t now_ms);
  void send_some(const std::vector<PlanHash>& hashes);

  ReplicaCore& core_;
  SessionNonce nonce_;     // of the last HELLO
  bool welcomed_ = false;  // by the answer to it
  Position matched_;
  Position acked_;
  Position told_applied_;
  int64_t told_ms_ = 0;
  int64_t received_ms_ = 0;  // the last of the session
  bool ack_due_ = false;
  bool ordered_to_lead_ = false;
  int64_t next_hello_ms_;
  std::vector<PlanHash> untold_;
  int64_t repeat_hashes_ms_ = 0;
};

}  // namespace pollux
