#include "ha/pair/replica.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace pollux {

Replica::Replica(FileSystem& files, Journal& journal, PairFile& file, const PairState& own,
                 const PairRules& rules, const ReplicaOptions& options, const ReplicaStart& start,
                 ReplicaWorld& world)
    : core_{.journal = PairJournal(files, journal, options.recent_bytes, start.last_timestamp),
            .file = file,
            .own = own,
            .rules = rules,
            .options = options,
            .world = world},
      following_(core_, 0) {
  core_.applied = start.applied;
  core_.committed = std::max(start.applied, start.committed);
}

// ---- the peer ----

void Replica::on_message(const PeerMessage& message, int64_t now_ms) {
  if (ended()) return;
  heard_ms_ = now_ms;
  note_version(message.record_version, now_ms);
  if (const auto* heartbeat = std::get_if<Heartbeat>(&message.body)) {
    on_heartbeat(*heartbeat, now_ms);
  } else if (const auto* hello = std::get_if<Hello>(&message.body)) {
    bool of_another = hello->domain.is_set() && hello->domain != core_.own.domain;
    if (of_another) {
      ++core_.counts.refused;
      if (core_.own.domain.is_set()) {
        core_.world.alarm(absl::StrCat("the peer is of another domain: ", to_text(hello->domain)));
      }
    } else if (lead_ && !lead_->on_hello(*hello, now_ms)) {
      step_down("the peer has seen a later lead", now_ms);
    }
  } else if (const auto* ack = std::get_if<Ack>(&message.body)) {
    if (lead_) lead_->on_ack(*ack, now_ms);
  } else if (const auto* entries = std::get_if<Entries>(&message.body)) {
    if (lead_ && entries->epoch > core_.epoch) step_down("the peer leads a later epoch", now_ms);
    if (!lead_) following_.on_entries(*entries, now_ms);
  } else if (const auto* hashes = std::get_if<PlanHashes>(&message.body)) {
    on_plan_hashes(*hashes);
  } else if (const auto* confirmed = std::get_if<Confirmed>(&message.body)) {
    core_.world.confirmed(*confirmed);
  } else if (lead_) {
    ++core_.counts.refused;
  } else if (const auto* welcome = std::get_if<Welcome>(&message.body)) {
    following_.on_welcome(*welcome, now_ms);
    if (peer_ && following_.welcomed()) peer_->leads = true;
  } else if (const auto* needed = std::get_if<SnapshotNeeded>(&message.body)) {
    if (following_.on_snapshot_needed(*needed, now_ms) && may_install()) {
      ++core_.counts.snapshots;
      core_.world.snapshot_needed();
    }
  } else if (const auto* order = std::get_if<SwitchOver>(&message.body)) {
    following_.on_switch_over(*order);
  }
  consider(now_ms);
}

void Replica::on_heartbeat(const Heartbeat& heartbeat, int64_t now_ms) {
  peer_ = heartbeat;
  following_.on_heartbeat(now_ms);
  if (lead_ && heartbeat.epoch > core_.epoch) {
    step_down("the peer has seen a later lead", now_ms);
  }
}

void Replica::send_heartbeat(int64_t now_ms) {
  next_heartbeat_ms_ = now_ms + core_.options.heartbeat_ms;
  core_.send(Heartbeat{core_.own.journal, role_, core_.epoch, core_.journal.tail(), core_.committed,
                       core_.leads, core_.journal.is_blank() && !core_.own.domain.is_set()});
}

// ---- plans that ought to be the same ----

void Replica::note_hash(const PlanHash& hash, int64_t now_ms) {
  if (ended()) return;
  core_.divergence.note_own(hash);
  if (!lead_) return following_.tell_hash(hash);
  judge(hash);
  consider(now_ms);
}

/// Only of who follows here: what another journal's plans have come to says nothing.
void Replica::on_plan_hashes(const PlanHashes& told) {
  bool follows = lead_ && told.epoch == core_.epoch && lead_->follower() == told.journal;
  if (!follows) {
    ++core_.counts.refused;
    return;
  }
  for (const PlanHash& hash : told.hashes) {
    core_.divergence.note_follower(told.journal, hash);
    judge(hash);
  }
}

void Replica::judge(const PlanHash& like) {
  std::optional<Divergence> found = core_.divergence.judge(like, core_.rules);
  if (!found) return;
  bool state = like.kind == HashKind::kState;
  ++(state ? core_.counts.diverged_states : core_.counts.diverged_results);
  core_.world.diverged(*found);
  if (found->times < DivergenceCheck::kTimesMax) return;
  core_.world.alarm(absl::StrCat(
      "plan '", like.plan, "' differs at the other node for the ", found->times,
      "th time, and copies do not help: that node may not take over until the plan is deployed "
      "anew or removed, or this node is started again"));
}

void Replica::on_connected(int64_t now_ms) {
  if (ended()) return;
  connected_ = true;
  heard_ms_ = now_ms;
  send_heartbeat(now_ms);
  following_.end_session(now_ms);
  consider(now_ms);
}

void Replica::on_disconnected(int64_t now_ms) {
  if (ended()) return;
  connected_ = false;
  peer_.reset();
  if (lead_) lead_->end_session();
  following_.end_session(now_ms);
  consider(now_ms);
}

bool Replica::peer_lives(int64_t now_ms) const {
  return connected_ && now_ms - heard_ms_ <= core_.options.suspect_after_ms;
}

bool Replica::peer_is_blank(int64_t now_ms) const {
  return peer_lives(now_ms) && peer_ && peer_->blank;
}

// ---- time, entries, and what is to last ----

void Replica::tick(int64_t now_ms) {
  if (ended()) return;
  if (connected_ && now_ms >= next_heartbeat_ms_) {
    send_heartbeat(now_ms);
    following_.repeat_ack();
  }
  consider(now_ms);
}

absl::Status Replica::append(const Entry& entry, JournalSpace space) {
  if (ended()) return core_.failed;
  if (!is_open() || entry.id.epoch != core_.epoch) {
    return absl::UnavailableError("this node does not lead");
  }
  absl::Status appended = core_.journal.append(entry, space);
  if (!appended.ok()) return appended;
  if (const auto* deploy = std::get_if<DeployPayload>(&entry.payload)) {
    core_.divergence.plan_changed(deploy->plan);
  } else if (const auto* undeploy = std::get_if<UndeployPayload>(&entry.payload)) {
    core_.divergence.plan_changed(undeploy->plan);
  }
  return appended;
}

absl::Status Replica::flush(int64_t now_ms) {
  if (ended()) return core_.failed;
  if (lead_) lead_->ship(now_ms);
  absl::Status committed = commit_journal();
  if (!core_.check(committed)) return committed;
  if (lead_) {
    lead_->commit(now_ms);
    lead_->hand_over(now_ms);
    lead_->tell_news(now_ms);
  } else {
    following_.send_ack(now_ms);
    following_.send_hashes(now_ms);
  }
  consider(now_ms);
  return core_.failed;
}

/// Only while the record has both as a pair, and no request of this node's can end that: whoever
/// asks to lead or to run alone vouches for all that it holds.
bool Replica::may_rest_unsynced() const {
  if (core_.options.sync_every_commit || frozen_) return false;
  bool asked = requested_before_start_ || (lead_ ? lead_->solo_requested() : lead_requested_);
  if (asked && core_.rules.lasts_before_asking()) return false;
  if (lead_) return core_.view.in_sync.has_value() && !lead_->pairing_sent();
  return core_.view.in_sync == core_.own.journal && following_.welcomed();
}

/// The flag stands in the file before the first bytes rest on it, and goes once all of them last.
absl::Status Replica::commit_journal() {
  if (!may_rest_unsynced()) return make_lasting();
  if (!core_.own.unsynced) {
    if (absl::Status lasts = core_.journal.commit(Lasting::kPower); !lasts.ok()) return lasts;
    PairState next = core_.own;
    next.unsynced = true;
    absl::Status written = core_.file.write(next);
    if (!written.ok()) return written;
    core_.own = next;
  }
  return core_.journal.commit(Lasting::kProcess);
}

absl::Status Replica::make_lasting() {
  if (absl::Status lasts = core_.journal.commit(Lasting::kPower); !lasts.ok()) return lasts;
  if (!core_.own.unsynced) return absl::OkStatus();
  PairState next = core_.own;
  next.unsynced = false;
  absl::Status written = core_.file.write(next);
  if (written.ok()) core_.own = next;
  return written;
}

// ---- orders ----

absl::Status Replica::switch_over(int64_t now_ms) {
  if (!lead_) return absl::FailedPreconditionError("this node does not lead");
  return lead_->begin_hand_over(now_ms);
}

absl::Status Replica::force(int64_t now_ms) {
  if (lead_) return absl::FailedPreconditionError("this node leads already");
  if (peer_lives(now_ms)) return absl::FailedPreconditionError("the peer lives");
  if (!core_.view.exists()) return absl::FailedPreconditionError("there is no record yet");
  if (!ask_by_force(now_ms)) {
    return absl::UnavailableError(
        "the arbiter is being asked something, or has forgotten a record");
  }
  // What would be received from here on is behind the tail that was told.
  forcing_ = true;
  following_.end_session(now_ms);
  return absl::OkStatus();
}

absl::Status Replica::begin_install(EntryId at, int64_t now_ms) {
  if (lead_ || !may_install()) {
    return absl::FailedPreconditionError("the record may name this journal");
  }
  PairState next = core_.own;
  if (core_.rules.takes_new_id()) next.journal = core_.world.new_journal_id();
  next.installing = true;
  if (absl::Status taken = core_.file.write(next); !core_.check(taken)) return taken;
  core_.own = next;
  following_.end_session(now_ms);
  if (absl::Status dropped = core_.journal.restart_behind(at); !core_.check(dropped)) {
    return dropped;
  }
  core_.committed = core_.applied = {};
  core_.divergence.clear_own();
  return absl::OkStatus();
}

absl::Status Replica::end_install(Position applied, int64_t now_ms) {
  core_.committed = core_.applied = applied;
  PairState next = core_.own;
  next.installing = false;
  next.log = core_.journal.log();
  absl::Status written = core_.file.write(next);
  if (!core_.check(written)) return written;
  core_.own = next;
  consider(now_ms);
  return core_.failed;
}

void Replica::note_handed(Position position) {
  const std::optional<Position> follower = lead_ ? lead_->follower_at() : std::nullopt;
  core_.journal.forget(follower ? std::min(position, *follower) : position);
}

}  // namespace pollux
