#include "ha/pair/leadership.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pollux {

bool Leadership::on_hello(const Hello& hello, int64_t now_ms) {
  EpochHistory ours = core_.journal.history();
  Epoch known = std::max(hello.led, hello.history.last().epoch);
  if (known > core_.epoch) return false;
  if (hello.led == core_.epoch || hello.journal == core_.own.journal) {
    ++core_.counts.refused;
    core_.world.alarm(
        absl::StrCat("the peer's journal ", to_text(hello.journal),
                     " says of itself what only this one can: a journal was copied, or the arbiter "
                     "has forgotten a record"));
    return true;
  }
  EntryId match = EpochHistory::match(ours, hello.history);
  session_.reset();
  // While acks of it count, it follows on.
  bool needs_a_copy =
      core_.divergence.standing(hello.journal) == Standing::kNeedsACopy && solo_ok();
  if (needs_a_copy || match.position.value + 1 < core_.journal.first().value) {
    core_.send(SnapshotNeeded{hello.nonce, core_.epoch, solo_ok()});
    return true;
  }
  ++core_.counts.welcomes;
  session_.emplace(hello, match, core_.journal.entries_from({match.position.value + 1}));
  behind_since_ms_ = now_ms;
  core_.send(Welcome{hello.nonce, core_.epoch, match, core_.journal.tail()});
  return true;
}

/// R6.
void Leadership::on_ack(const Ack& ack, int64_t now_ms) {
  if (!core_.rules.ack_is_of_epoch(ack, core_.own_state()) ||
      ack.matched > core_.journal.tail().position) {
    ++core_.counts.refused;
    return;
  }
  if (session_ && session_->journal == ack.journal) {
    session_->acked = std::max(session_->acked, ack.matched);
    session_->applied = std::max(session_->applied, ack.applied);
    while (!session_->in_flight.empty() && session_->in_flight.front().first <= ack.matched) {
      session_->bytes_in_flight -= session_->in_flight.front().second;
      session_->in_flight.pop_front();
    }
  }
  if (target_.is_set() && core_.rules.ack_is_of_target(ack, state())) {
    if (ack.matched > acked_) behind_since_ms_ = now_ms;
    acked_ = std::max(acked_, ack.matched);
  } else if (solo_ok()) {
    target_ = ack.journal;
    acked_ = ack.matched;
  }
}

void Leadership::ship(int64_t now_ms) {
  while (session_ && session_->bytes_in_flight < core_.options.window_bytes && ship_some(now_ms)) {
  }
}

/// One message. False: there is nothing to ship.
bool Leadership::ship_some(int64_t now_ms) {
  std::vector<Entry> entries;
  size_t bytes = 0;
  while (bytes < core_.options.message_bytes) {
    absl::StatusOr<std::optional<Entry>> entry =
        session_->source.next(core_.journal.tail().position);
    if (!entry.ok()) {
      // Trimmed or rotten: the follower says HELLO again, and needs a snapshot if it was trimmed.
      if (!absl::IsOutOfRange(entry.status())) {
        core_.world.alarm(absl::StrCat("the journal cannot be read for the peer: ",
                                       std::string(entry.status().message())));
      }
      session_.reset();
      return false;
    }
    if (!*entry) break;
    bytes += RecentEntries::bytes_of(**entry);
    entries.push_back(*std::move(*entry));
  }
  if (entries.empty()) return false;
  session_->in_flight.emplace_back(entries.back().id.position, bytes);
  session_->bytes_in_flight += bytes;
  send_entries(std::move(entries), now_ms);
  return true;
}

void Leadership::send_entries(std::vector<Entry> entries, int64_t now_ms) {
  EntryId before = session_->sent;
  if (!entries.empty()) session_->sent = entries.back().id;
  session_->told_committed = core_.committed;
  session_->told_applied = core_.applied;
  session_->told_ms = now_ms;
  core_.send(Entries{session_->nonce, core_.epoch, before, std::move(entries), core_.committed,
                     core_.applied});
}

void Leadership::tell_news(int64_t now_ms) {
  if (!session_) return;
  bool due = session_->told_ms + kTellAppliedEveryMs <= now_ms;
  bool news =
      session_->told_committed < core_.committed || (due && session_->told_applied < core_.applied);
  // What was told last may have been lost, and silence would mean that there is no session.
  bool again = session_->told_ms + core_.options.heartbeat_ms <= now_ms;
  if (news || again) send_entries({}, now_ms);
}

/// R7.
void Leadership::commit(int64_t now_ms) {
  note_tail(now_ms);
  Position limit = core_.rules.commit_limit(state(), core_.own_state());
  if (limit > core_.committed) {
    core_.committed = limit;
    core_.world.may_apply(limit);
  }
  if (core_.committed >= core_.journal.tail().position) behind_since_ms_ = now_ms;
}

/// Also while nobody follows: who comes then is as far behind as he has been away, and must catch
/// up before commits may wait for him.
void Leadership::note_tail(int64_t now_ms) {
  constexpr int64_t kEveryMs = 10;
  constexpr size_t kTailsMax = 1024;
  Position tail = core_.journal.tail().position;
  bool grown = tails_.empty() || tails_.back().first < tail;
  bool due = tails_.empty() || tails_.back().second + kEveryMs <= now_ms;
  if (grown && due) tails_.emplace_back(tail, now_ms);
  if (session_) {
    Position reached = std::min(session_->acked, session_->applied);
    while (!tails_.empty() && tails_.front().first <= reached) tails_.pop_front();
  }
  if (tails_.size() <= kTailsMax) return;
  // Half of them say nearly as much, the oldest among them.
  for (size_t i = 1; i < tails_.size(); ++i) {
    if (i % 2 == 0) tails_[i / 2] = tails_[i];
  }
  tails_.resize((tails_.size() + 1) / 2);
}

int64_t Leadership::lag_ms(int64_t now_ms) const {
  return tails_.empty() ? 0 : now_ms - tails_.front().second;
}

void Leadership::version_moved() {
  pairing_sent_ = false;
  solo_requested_ = false;
  acks_required_ = false;
  if (!core_.view.in_sync) left_behind_ = false;
}

bool Leadership::wants_solo() const {
  if (!core_.view.in_sync && !pairing_sent_) return false;
  JournalId counted = core_.view.in_sync.value_or(target_);
  return left_behind_ || !session_ || session_->journal != counted || !is_good(counted);
}

/// While what is committed grows alone no ack reaches it: so acks are required first, and what was
/// committed until then is waited for.
bool Leadership::ready_to_pair(int64_t now_ms) {
  bool follows = session_ && target_ == session_->journal && is_good(target_);
  if (core_.view.in_sync || !follows) {
    acks_required_ = false;
    return false;
  }
  if (pairing_sent_) return true;  // once more: nobody knows what became of it
  if (!acks_required_) {
    if (now_ms < next_pairing_ms_ || lag_ms(now_ms) > core_.options.pair_lag_ms) return false;
    acks_required_ = true;
    acks_required_since_ms_ = now_ms;
  }
  if (core_.rules.acks_reach_committed(state())) return true;
  if (now_ms - acks_required_since_ms_ > core_.options.pair_lag_ms) {
    acks_required_ = false;
    next_pairing_ms_ = now_ms + core_.options.retry_ms + core_.world.jitter(core_.options.retry_ms);
  }
  return false;
}

void Leadership::note_pairing_unknown() {
  ++core_.counts.unknown_pairings;
  if (!core_.rules.unknown_counts_as_sent()) pairing_sent_ = acks_required_ = false;
}

void Leadership::look_for_stall(int64_t now_ms) {
  bool counts = core_.view.in_sync.has_value() || pairing_sent_;
  if (!counts || left_behind_ || !session_) return;
  if (core_.committed >= core_.journal.tail().position || core_.durable() <= core_.committed) {
    return;
  }
  if (now_ms - behind_since_ms_ <= core_.options.sync_stall_ms) return;
  ++core_.counts.stalls;
  left_behind_ = true;
  next_pairing_ms_ = now_ms + core_.options.suspect_after_ms;
}

void Leadership::leave_diverged() {
  if (follower_standing() == Standing::kNeedsACopy && solo_ok()) session_.reset();
}

absl::Status Leadership::begin_hand_over(int64_t now_ms) {
  if (!has_heir()) {
    return absl::FailedPreconditionError("no passive is in sync");
  }
  if (!hands_over_) hands_over_since_ms_ = next_order_ms_ = now_ms;
  hands_over_ = true;
  return absl::OkStatus();
}

void Leadership::hand_over(int64_t now_ms) {
  if (!hands_over_) return;
  if (!has_heir() || now_ms - hands_over_since_ms_ > core_.options.switch_patience_ms) {
    hands_over_ = false;  // it simply goes on
    return;
  }
  EntryId tail = core_.journal.tail();
  if (core_.committed < tail.position || now_ms < next_order_ms_) return;
  next_order_ms_ = now_ms + core_.options.retry_ms;
  core_.send(SwitchOver{session_->nonce, core_.epoch, tail});
}

std::optional<Position> Leadership::follower_at() const {
  if (!session_) return std::nullopt;
  return session_->acked;
}

Position Leadership::follower_applied() const { return session_ ? session_->applied : Position{}; }

}  // namespace pollux
