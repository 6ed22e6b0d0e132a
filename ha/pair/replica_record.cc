// How a replica and the arbiter talk: who asks to lead, to run alone, or to be a pair, and what a
// record means for this node (R1, R2, R3, R10 to R13).
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ha/pair/replica.h"

namespace pollux {

// ---- records that come ----

void Replica::on_record(const ArbiterRecord& record, int64_t now_ms) {
  if (ended()) return;
  request_ = Request::kNone;
  record_ms_ = now_ms;
  next_read_ms_ = now_ms + core_.options.arbiter_poll_ms;
  if (record.version > core_.view.version) next_try_ms_ = now_ms;  // nothing to wait for
  if (take_record(record, now_ms)) consider(now_ms);
}

/// An unknown outcome is judged by the content of a record that is read later, never by itself.
void Replica::on_arbiter_silent(int64_t now_ms) {
  if (ended()) return;
  if (request_ == Request::kChange || request_ == Request::kPair) ++core_.counts.unknown;
  if (request_ == Request::kPair && lead_) lead_->note_pairing_unknown();
  request_ = Request::kNone;
  next_read_ms_ = now_ms;
  next_try_ms_ = now_ms + core_.options.retry_ms + core_.world.jitter(core_.options.retry_ms);
  set_role(now_ms);
}

/// R12.
bool Replica::take_record(const ArbiterRecord& record, int64_t now_ms) {
  seen_record_ = true;
  if (record.version < version_at_request_) {
    if (!frozen_) {
      core_.world.alarm(absl::StrCat("the arbiter has forgotten: it has version ", record.version,
                                     " of the record, and version ", version_at_request_,
                                     " was seen; roles stay as they are"));
    }
    frozen_ = true;
    return false;
  }
  if (!record.exists()) return true;
  if (!take_domain(record)) return false;
  bool first = !core_.view.exists();
  bool moved = record.version > core_.view.version;
  if (!moved && record != core_.view) {
    core_.world.alarm("the arbiter has two records of one version");
    frozen_ = true;
    return false;
  }
  core_.view = record;
  core_.version_seen = std::max(core_.version_seen, record.version);
  frozen_ = false;
  bool named = record.active == core_.own.journal || record.in_sync == core_.own.journal;
  if (moved) lead_requested_ = forcing_ = false;
  unnamed_since_start_ = !named && !lead_requested_;
  if (!moved) return true;
  requested_before_start_ = first;
  if (lead_) lead_->version_moved();
  if (lead_ && (record.epoch > core_.epoch || record.active != core_.own.journal)) {
    step_down(absl::StrCat("the record names another active, in epoch ", record.epoch.value),
              now_ms);
  }
  return true;
}

/// Where no domain was joined yet, this one is; a node never changes it.
bool Replica::take_domain(const ArbiterRecord& record) {
  if (core_.own.domain == record.domain) return true;
  if (core_.own.domain.is_set() || !core_.journal.is_blank()) {
    core_.world.alarm(absl::StrCat("the arbiter's record is of domain ", to_text(record.domain),
                                   ", and this node's journal of another one"));
    return false;
  }
  PairState next = core_.own;
  next.domain = record.domain;
  return core_.write_own(next);
}

void Replica::note_version(uint64_t version, int64_t now_ms) {
  if (version <= core_.version_seen) return;
  core_.version_seen = version;
  next_read_ms_ = std::min(next_read_ms_, now_ms);
}

// ---- what to ask ----

void Replica::consider(int64_t now_ms) {
  if (ended()) return;
  if (!lead_ && core_.rules.takes_lead(core_.view, core_.own_state()) && !frozen_) {
    begin_lead(now_ms);
  }
  if (ended()) return;
  if (lead_) {
    consider_leading(now_ms);
  } else if (!core_.view.exists()) {
    consider_creating(now_ms);
  } else {
    consider_following(now_ms);
  }
  if (request_ == Request::kNone && now_ms >= next_read_ms_) read(now_ms);
  set_role(now_ms);
}

/// R1.
void Replica::consider_creating(int64_t now_ms) {
  bool blank = core_.journal.is_blank() && !core_.own.domain.is_set();
  bool asked = core_.options.bootstrap || peer_is_blank(now_ms);
  if (!seen_record_ || !blank || !asked) return;
  ArbiterRecord first;
  first.domain = core_.world.new_domain_id();
  first.version = 1;
  first.epoch = {1};
  first.active = core_.own.journal;
  change(first, Request::kChange, now_ms);
}

void Replica::consider_following(int64_t now_ms) {
  if (forcing_) {
    ask_by_force(now_ms);
    return;
  }
  bool named = core_.view.active == core_.own.journal;
  // A peer that lives and does not lead, while nobody is followed, will not lead by itself.
  bool nobody_leads = !peer_lives(now_ms) || (!following_.welcomed() && peer_ && !peer_->leads);
  bool wanted = named || following_.ordered_to_lead() || nobody_leads;
  if (wanted && ask_to_lead(now_ms)) return;
  if (connected_ && following_.hello_due(now_ms)) following_.say_hello(now_ms);
}

/// R2. False: it may not be asked, or not now.
bool Replica::ask_to_lead(int64_t now_ms) {
  OwnState own = core_.own_state();
  own.unsynced = false;  // as it will be once it asks
  if (!core_.rules.may_ask_to_lead(core_.view, own)) return false;
  ArbiterRecord next = next_record();
  next.epoch = {core_.view.epoch.value + 1};
  return change_lead(next, now_ms);
}

/// Whoever leads now, and whatever it has committed behind this journal.
bool Replica::ask_by_force(int64_t now_ms) {
  ArbiterRecord next = next_record();
  next.epoch = {std::max({core_.view.epoch, core_.epoch, tail().epoch}).value + 1};
  next.forced_from = tail();
  return change_lead(next, now_ms);
}

/// Asks that this node leads, once its whole journal lasts.
bool Replica::change_lead(ArbiterRecord next, int64_t now_ms) {
  if (request_ != Request::kNone || now_ms < next_try_ms_ || frozen_) return false;
  if (core_.rules.lasts_before_asking() && !core_.check(make_lasting())) return false;
  next.active = core_.own.journal;
  next.in_sync.reset();
  unnamed_since_start_ = false;
  lead_requested_ = true;
  ++core_.counts.lead_requests;
  return change(next, Request::kChange, now_ms);
}

void Replica::consider_leading(int64_t now_ms) {
  if (!peer_lives(now_ms)) lead_->end_session();
  lead_->look_for_stall(now_ms);
  lead_->leave_diverged();
  bool free = request_ == Request::kNone && now_ms >= next_try_ms_ && !frozen_;
  if (lead_->wants_solo()) {
    if (!free) return;
    if (core_.rules.lasts_before_asking() && !core_.check(make_lasting())) return;
    // R11. Null to null also counts: it raises the version, and so kills what is in flight.
    ArbiterRecord next = next_record();
    next.in_sync.reset();
    lead_->note_solo_requested();
    ++core_.counts.solo_requests;
    change(next, Request::kChange, now_ms);
  } else if (!core_.view.in_sync && free && lead_->ready_to_pair(now_ms)) {
    // R10.
    ArbiterRecord next = next_record();
    next.in_sync = lead_->target();
    lead_->note_pairing_sent();
    ++core_.counts.pair_requests;
    change(next, Request::kPair, now_ms);
  }
}

ArbiterRecord Replica::next_record() const {
  ArbiterRecord next = core_.view;
  ++next.version;
  return next;
}

bool Replica::change(const ArbiterRecord& next, Request kind, int64_t now_ms) {
  if (request_ != Request::kNone || now_ms < next_try_ms_) return false;
  request_ = kind;
  version_at_request_ = core_.version_seen;
  next_try_ms_ = now_ms + core_.options.retry_ms + core_.world.jitter(core_.options.retry_ms);
  core_.world.set_record(next);
  return true;
}

void Replica::read(int64_t now_ms) {
  request_ = Request::kRead;
  version_at_request_ = core_.version_seen;
  next_read_ms_ = now_ms + core_.options.arbiter_poll_ms;
  core_.world.read_record();
}

// ---- taking the lead, and leaving it ----

/// R3: what it holds is committed, all of it, as the record says that nobody else has more.
void Replica::begin_lead(int64_t now_ms) {
  if (!core_.check(make_lasting())) return;
  Epoch epoch = core_.view.epoch;
  PairState next = core_.own;
  next.led = epoch;
  if (!core_.write_own(next)) return;
  EntryId first{epoch, {core_.journal.tail().position.value + 1}};
  Timestamp when = std::max(core_.journal.last_timestamp(), core_.world.wall_clock());
  absl::Status begun = core_.journal.append({first, when, EpochBeginPayload{core_.options.node}},
                                            JournalSpace::kReserve);
  if (begun.ok()) begun = make_lasting();
  if (!core_.check(begun)) return;
  core_.leads = true;
  core_.epoch = epoch;
  core_.committed = core_.journal.tail().position;
  ++core_.counts.leads;
  following_.end_session(now_ms);
  lead_.emplace(core_, now_ms);
  why_ = absl::StrCat("leads epoch ", epoch.value, " from entry ", first.position.value, " on");
  core_.world.lead_began(core_.journal.tail());
  core_.world.may_apply(core_.committed);
}

/// R13.
void Replica::step_down(const std::string& why, int64_t now_ms) {
  ++core_.counts.lead_ends;
  if (lead_->hands_over()) ++core_.counts.handed_over;
  lead_.reset();
  core_.leads = false;
  why_ = why;
  following_.end_session(now_ms);
  next_read_ms_ = now_ms;
  core_.world.lead_ended(why);
}

void Replica::set_role(int64_t now_ms) {
  bool alone = !peer_lives(now_ms);
  bool arbiter_away = now_ms - record_ms_ > 2 * core_.options.arbiter_poll_ms;
  Role role = Role::kJoining;
  if (lead_) {
    role = core_.view.in_sync ? Role::kActivePaired : Role::kActiveSolo;
    if (!lead_->solo_ok() && alone) role = Role::kIsolated;
  } else if (!seen_record_) {
    role = Role::kStarting;
  } else if (core_.view.in_sync == core_.own.journal && following_.welcomed()) {
    role = Role::kPassive;
  } else if (alone && arbiter_away) {
    role = Role::kIsolated;
  }
  if (role == role_) return;
  Role before = std::exchange(role_, role);
  core_.world.role_changed(before, role, std::exchange(why_, {}));
  if (connected_) send_heartbeat(now_ms);
}

}  // namespace pollux
