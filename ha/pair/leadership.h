// One lead of an active: what it ships, whose acks it counts, and what it commits (R4, R6, R7,
// R10). Thread: the replica's.
#pragma once

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "ha/pair/messages.h"
#include "ha/pair/replica_core.h"

namespace pollux {

class Leadership {
 public:
  explicit Leadership(ReplicaCore& core, int64_t now_ms)
      : core_(core),
        began_with_(core.journal.tail().position),
        behind_since_ms_(now_ms),
        next_pairing_ms_(now_ms) {}

  // ---- messages ----

  /// Welcomes the follower, or says that it needs a snapshot. False: the follower knows of a later
  /// epoch than this one, whose lead is over.
  bool on_hello(const Hello& hello, int64_t now_ms);
  void on_ack(const Ack& ack, int64_t now_ms);
  /// The follower is gone, or silent for too long.
  void end_session() { session_.reset(); }

  // ---- for each flush ----

  /// What was appended goes to the follower, before it lasts here.
  void ship(int64_t now_ms);
  /// R7, once it lasts.
  void commit(int64_t now_ms);
  /// The follower hears what is committed, if it has not, and now and then what is applied; and
  /// something with every heartbeat, so that it can tell that its session goes on.
  void tell_news(int64_t now_ms);

  // ---- the record ----

  /// The view has changed: no request on an older version lands any more.
  void version_moved();
  /// R11: the passive is gone, slow, another journal, or its plans are others.
  bool wants_solo() const;
  /// R10: acks are required from here on, and reach everything that is committed. In steps, so that
  /// what came meanwhile is waited for.
  bool ready_to_pair(int64_t now_ms);
  void note_pairing_sent() { pairing_sent_ = true; }
  void note_solo_requested() { solo_requested_ = true; }
  /// A request to set in_sync was answered by an error.
  void note_pairing_unknown();
  /// Leaves a passive that acknowledges nothing for too long.
  void look_for_stall(int64_t now_ms);
  /// A follower whose plans are others is sent for a copy, once nothing counts on its acks any
  /// more.
  void leave_diverged();

  // ---- a switchover ----

  absl::Status begin_hand_over(int64_t now_ms);
  bool hands_over() const { return hands_over_; }
  void hand_over(int64_t now_ms);

  bool solo_ok() const { return core_.rules.solo_ok(state(), core_.own_state()); }
  bool pairing_sent() const { return pairing_sent_; }
  bool solo_requested() const { return solo_requested_; }
  JournalId target() const { return target_; }
  Position acked() const { return acked_; }
  /// Nothing: there is no follower.
  std::optional<Position> follower_at() const;
  /// By which journal it goes; not set: there is none.
  JournalId follower() const { return session_ ? session_->journal : JournalId{}; }
  Standing follower_standing() const { return core_.divergence.standing(follower()); }
  /// How far the follower's plans have come.
  Position follower_applied() const;
  /// For how long what the follower lacks has been there.
  int64_t lag_ms(int64_t now_ms) const;

 private:
  /// A follower whose journal matched.
  struct Session {
    Session(const Hello& hello, EntryId match, EntrySource source)
        : nonce(hello.nonce), journal(hello.journal), source(std::move(source)), sent(match) {}
    SessionNonce nonce;
    JournalId journal;
    EntrySource source;
    EntryId sent;  // the last that was shipped
    Position acked;
    Position applied;
    Position told_committed;
    Position told_applied;
    int64_t told_ms = 0;
    std::deque<std::pair<Position, size_t>> in_flight;  // messages by their last entry
    size_t bytes_in_flight = 0;
  };

  LeadState state() const {
    return {core_.view, pairing_sent_, acks_required_,  solo_requested_,
            target_,    acked_,        core_.committed, began_with_};
  }
  bool ship_some(int64_t now_ms);
  void send_entries(std::vector<Entry> entries, int64_t now_ms);
  void note_tail(int64_t now_ms);
  bool is_good(const JournalId& journal) const {
    return core_.divergence.standing(journal) == Standing::kGood;
  }
  /// The follower is the passive, and may take over.
  bool has_heir() const {
    return session_ && core_.view.in_sync == session_->journal && is_good(session_->journal);
  }

  ReplicaCore& core_;
  const Position began_with_;
  std::optional<Session> session_;
  JournalId target_;  // whose acks count
  Position acked_;

  // Towards a pair, and out of it.
  bool acks_required_ = false;
  int64_t acks_required_since_ms_ = 0;
  bool pairing_sent_ = false;
  bool solo_requested_ = false;
  bool left_behind_ = false;     // the passive stalled
  int64_t behind_since_ms_ = 0;  // something is not committed
  int64_t next_pairing_ms_ = 0;
  std::deque<std::pair<Position, int64_t>> tails_;  // what the tail was, and when

  bool hands_over_ = false;
  int64_t hands_over_since_ms_ = 0;
  int64_t next_order_ms_ = 0;
};

}  // namespace pollux
