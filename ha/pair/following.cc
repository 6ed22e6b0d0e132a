#include "ha/pair/following.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {

void Following::say_hello(int64_t now_ms) {
  ++core_.counts.hellos;
  nonce_ = core_.world.new_nonce();
  welcomed_ = false;
  ack_due_ = false;
  ordered_to_lead_ = false;
  next_hello_ms_ = now_ms + core_.options.retry_ms + core_.world.jitter(core_.options.retry_ms);
  core_.send(
      Hello{core_.own.domain, core_.own.journal, nonce_, core_.own.led, core_.journal.history()});
}

void Following::end_session(int64_t now_ms) {
  nonce_ = {};
  welcomed_ = false;
  ack_due_ = false;
  ordered_to_lead_ = false;
  next_hello_ms_ = now_ms;
}

/// R5: of the present session, and of one that leads.
bool Following::takes(const SessionNonce& nonce, Epoch epoch) {
  bool ours = nonce_.is_set() && core_.rules.takes_welcome(nonce_, nonce);
  if (ours && core_.rules.takes_epoch(epoch, core_.own_state())) return true;
  ++core_.counts.refused;
  return false;
}

void Following::on_welcome(const Welcome& welcome, int64_t now_ms) {
  if (welcomed_ || !takes(welcome.nonce, welcome.epoch)) return;
  EntryId match = welcome.match;
  bool ours = match.position <= core_.journal.tail().position &&
              core_.journal.history().at(match.position) == match;
  if (!ours) {
    ++core_.counts.refused;
    return;
  }
  if (core_.rules.cuts_at_welcome() && !truncate(match.position, welcome.epoch)) return;
  welcomed_ = true;
  core_.epoch = welcome.epoch;
  matched_ = match.position;
  acked_ = {};
  ack_due_ = true;
  received_ms_ = now_ms;
  repeat_hashes_ms_ = now_ms;  // who leads now has not heard of them
}

void Following::on_heartbeat(int64_t now_ms) {
  if (welcomed_ && now_ms - received_ms_ > core_.options.suspect_after_ms) give_up(now_ms);
}

void Following::give_up(int64_t now_ms) {
  ++core_.counts.gaps;
  end_session(now_ms);
}

void Following::on_entries(const Entries& entries, int64_t now_ms) {
  if (!welcomed_ || !takes(entries.nonce, entries.epoch)) return;
  received_ms_ = now_ms;
  EntryId before = entries.before;
  // What stands behind the matched position may be of another journal than the sender's.
  bool follows =
      before.position <= matched_ && (before.position.value + 1 < core_.journal.first().value ||
                                      core_.journal.history().at(before.position) == before);
  if (!follows) return give_up(now_ms);
  for (const Entry& entry : entries.entries) {
    bool next = entry.id.position.value == before.position.value + 1 &&
                entry.id.epoch >= before.epoch && entry.id.epoch <= entries.epoch;
    if (!next) return give_up(now_ms);
    before = entry.id;
    if (!receive(entry, entries.epoch)) {
      give_up(now_ms);
      next_hello_ms_ = now_ms + core_.options.retry_ms;  // there may be room by then
      return;
    }
    matched_ = std::max(matched_, entry.id.position);
  }
  core_.epoch = entries.epoch;
  ack_due_ = ack_due_ || matched_ > acked_;
  learn_committed(entries.committed, entries.applied);
}

/// False: it cannot be taken now.
bool Following::receive(const Entry& entry, Epoch lead) {
  EntryId tail = core_.journal.tail();
  if (entry.id.position <= tail.position) {
    if (entry.id.position < core_.journal.first()) return true;
    if (core_.journal.history().at(entry.id.position) == entry.id) return true;
    if (!core_.rules.cuts_at_entry()) return true;
    if (!truncate({entry.id.position.value - 1}, lead)) return false;
  }
  absl::Status appended = core_.journal.append(entry, JournalSpace::kReserve);
  if (absl::IsResourceExhausted(appended)) return false;
  return core_.check(appended);
}

/// R14: never below what is known as committed, unless a promotion by force has made that void.
/// `lead`: the epoch of who leads.
bool Following::truncate(Position last, Epoch lead) {
  EntryId tail = core_.journal.tail();
  if (tail.position <= last) return true;
  // Only the record says whether that lead was forced, and it has not been read yet.
  if (core_.view.epoch < lead) return false;
  // Behind where somebody was made to lead by force nobody knows what was committed here: a node
  // that ran alone acknowledged all that it had, and what it knew of that ended with the process.
  const auto& forced = core_.view.forced_from;
  if (forced && last <= forced->position) {
    ++core_.counts.voided;
    core_.world.void_behind(core_.journal.history().at(last));
    return false;
  }
  if (last >= core_.committed) {
    ++core_.counts.truncations;
    core_.counts.truncated_entries += tail.position.value - last.value;
    return core_.check(core_.journal.truncate(last));
  }
  core_.check(absl::DataLossError(
      absl::StrCat("the peer's journal and this one differ behind entry ", last.value,
                   ", and this one knew everything up to ", core_.committed.value,
                   " as committed; nothing was changed")));
  core_.world.alarm(std::string(core_.failed.message()));
  return false;
}

void Following::learn_committed(Position committed, Position applied) {
  core_.committed = std::max(core_.committed, std::min(committed, matched_));
  core_.world.may_apply(std::min(core_.committed, applied));
}

void Following::send_ack(int64_t now_ms) {
  if (!welcomed_ || core_.durable() < matched_) return;
  bool applied = told_applied_ < core_.applied && told_ms_ + kTellAppliedEveryMs <= now_ms;
  if (!ack_due_ && !applied) return;
  ack_due_ = false;
  acked_ = matched_;
  told_applied_ = core_.applied;
  told_ms_ = now_ms;
  core_.send(Ack{core_.epoch, core_.own.journal,
                 core_.rules.position_to_ack(matched_, core_.journal.tail()), core_.applied});
}

/// With too many at a time the newest are told all the same, some time.
void Following::tell_hash(const PlanHash& hash) {
  if (welcomed_ && untold_.size() < PlanHashes::kMax) untold_.push_back(hash);
}

void Following::send_hashes(int64_t now_ms) {
  if (!welcomed_) return;
  send_some(std::exchange(untold_, {}));
  if (now_ms < repeat_hashes_ms_) return;
  repeat_hashes_ms_ = now_ms + kRepeatHashesEveryMs;
  send_some(core_.divergence.newest_own());
}

void Following::send_some(const std::vector<PlanHash>& hashes) {
  for (size_t from = 0; from < hashes.size(); from += PlanHashes::kMax) {
    size_t upto = std::min(from + PlanHashes::kMax, hashes.size());
    core_.send(PlanHashes{core_.epoch,
                          core_.own.journal,
                          {hashes.begin() + static_cast<std::ptrdiff_t>(from),
                           hashes.begin() + static_cast<std::ptrdiff_t>(upto)}});
  }
}

bool Following::on_snapshot_needed(const SnapshotNeeded& needed, int64_t now_ms) {
  if (welcomed_ || !takes(needed.nonce, needed.epoch)) return false;
  next_hello_ms_ = now_ms + core_.options.retry_ms;
  return needed.sender_alone;
}

void Following::on_switch_over(const SwitchOver& order) {
  if (!welcomed_ || !takes(order.nonce, order.epoch)) return;
  ordered_to_lead_ = matched_ == order.tail.position && core_.journal.tail() == order.tail &&
                     core_.durable() == order.tail.position;
}

}  // namespace pollux
