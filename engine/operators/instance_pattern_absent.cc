// States that are passed when no event comes: `not A for 1 sec`, and halves of and/or.
//
// An absent state holds instances like any other. Those that have waited long enough go on when
// time comes to it; an event that passes the state's filters takes the instances it is offered to.
#include <algorithm>
#include <utility>

#include "engine/operators/instance_pattern.h"

namespace pollux {
namespace {

int64_t shortest_wait(const PatternPlan& plan) {
  int64_t shortest = INT64_MAX;
  for (const PatternState& state : plan.states) {
    if (state.for_ms) shortest = std::min(shortest, *state.for_ms);
  }
  return shortest;
}

}  // namespace

void InstancePattern::Timer::on_timer(uint32_t key) {
  auto states = static_cast<uint32_t>(owner_.plan().states.size());
  owner_.on_tick(key / states, key % states);
}

void InstancePattern::Timer::on_start() {
  if (!owner_.plan().keyed) owner_.begin_key(0, owner_.context().now());
}

void InstancePattern::begin_absences() {
  int64_t wait = shortest_wait(plan());
  if (wait != INT64_MAX) timer_ = std::make_unique<Timer>(*this, context(), wait);
}

void InstancePattern::begin_key(uint32_t key, int64_t clock) {
  if (absent_states_.empty()) return;
  go_to(key);
  begin();
  for (uint32_t s : absent_states_) {
    const PatternState& rule = plan().states[s];
    if (rule.start && rule.for_ms) wake_at(s, clock + *rule.for_ms);
  }
  // Nothing comes behind it that would, and who restores a state knows only who is owned.
  partials_->free_unowned();
}

InstancePattern::Absence& InstancePattern::absence(uint32_t state) {
  return absences_[size_t{at_key_} * plan().states.size() + state];
}

/// Whether instances wait in the state behind this one.
bool InstancePattern::has_next_waiting(uint32_t state) {
  int32_t next = plan().states[state].next;
  return plan().sequence && next != PatternState::kNone &&
         !pending(static_cast<uint32_t>(next)).empty();
}

void InstancePattern::wake_at(uint32_t state, int64_t time_ms) {
  absence(state).wakes_ms = time_ms;
  timer_->schedule(at_key_ * static_cast<uint32_t>(plan().states.size()) + state, time_ms);
}

/// The same instance, with a place for what it takes.
PartialId InstancePattern::real(PartialId id) { return id == kVirgin ? partials_->create() : id; }

void InstancePattern::add_absent(uint32_t state, PartialId id) {
  const PatternState& rule = plan().states[state];
  if (!absence(state).active) return;
  if (plan().sequence) release_all(fresh(state));
  push_fresh(state, id);
  if (!rule.start) wake_at(state, partials_->timestamp(id) + *rule.for_ms);
}

// ---- an event comes that should not ----

void InstancePattern::offer_to_absent(uint32_t state, const Chunk& chunk, uint32_t i) {
  const PatternState& rule = plan().states[state];
  if (!absence(state).active) return;
  if (is_logical(state)) return offer_to_absent_half(state, chunk, i);
  SmallIds& waiting = pending(state);
  int64_t time = chunk.timestamp(i);
  uint32_t kept = 0;
  for (uint32_t k = 0; k < waiting.size(); ++k) {
    PartialId id = waiting[k];
    if (!passes(state, id, i)) {
      waiting[kept++] = id;
      if (plan().sequence && rule.restarts != PatternState::kNone) restart_start(state);
      continue;
    }
    bool begins_again = rule.start && rule.every == static_cast<int32_t>(state);
    if (begins_again) {  // the wait begins anew
      PartialId copy = partials_->create();
      partials_->set_timestamp(copy, time);
      push_fresh(state, copy);
    }
    wake_at(state, time + *rule.for_ms);
    if (id != kVirgin) partials_->release(id);
  }
  waiting.truncate(kept);
  if (kept == 0) at_->pending_mask &= ~bit(state);
}

void InstancePattern::offer_to_absent_half(uint32_t state, const Chunk& chunk, uint32_t i) {
  const PatternState& rule = plan().states[state];
  auto partner = static_cast<uint32_t>(rule.partner);
  bool either = rule.kind == PatternState::Kind::kOr;
  bool spoils_for_good =
      !rule.for_ms && !(plan().sequence && !either && rule.every != PatternState::kNone);
  // Where the pattern begins with it, what waits goes on waiting, and counts from that event.
  bool waits_on = rule.start && rule.partner < static_cast<int32_t>(state);
  SmallIds& waiting = pending(state);
  uint32_t kept = 0;
  for (uint32_t k = 0; k < waiting.size(); ++k) {
    PartialId id = waiting[k];
    if (either && partials_->has(id, partner)) {
      partials_->release(id);
      continue;
    }
    if (!passes(state, id, i)) {
      if (plan().sequence) {
        partials_->release(id);
      } else {
        waiting[kept++] = id;
      }
      continue;
    }
    absence(state).arrived_ms = chunk.timestamp(i);
    if (spoils_for_good && !partials_->has(id, state)) partials_->take(id, state, chunk, i);
    if (waits_on) {
      waiting[kept++] = id;
      continue;
    }
    if (plan().sequence) stop_waiting(partner, id);
    partials_->release(id);
  }
  waiting.truncate(kept);
  if (kept == 0) at_->pending_mask &= ~bit(state);
}

/// The instance waits in that state no more.
void InstancePattern::stop_waiting(uint32_t state, PartialId id) {
  SmallIds& waiting = pending(state);
  uint32_t* end = std::remove(waiting.data(), waiting.data() + waiting.size(), id);
  auto left = static_cast<uint32_t>(end - waiting.data());
  for (uint32_t gone = left; gone < waiting.size(); ++gone) partials_->release(id);
  waiting.truncate(left);
  if (left == 0) at_->pending_mask &= ~bit(state);
}

/// The other half of an `and` has come: whether the instance may go on.
bool InstancePattern::can_proceed_without(uint32_t absent, PartialId id) {
  const PatternState& rule = plan().states[absent];
  Absence& half = absence(absent);
  bool every = rule.every != PatternState::kNone;
  if (plan().sequence && !every && half.arrived_ms > 0) return false;
  if (rule.for_ms) return partials_->has(id, absent);
  if (!every) return !partials_->has(id, absent);
  if (half.arrived_ms == 0) return true;
  half.arrived_ms = 0;
  begin_instance(absent);
  stop_waiting(absent, id);
  return false;
}

// ---- time passes ----

void InstancePattern::on_tick(uint32_t key, uint32_t state) {
  go_to(key);
  if (!at_->begun || !absence(state).active) return;  // the instance has gone meanwhile
  int64_t now = context().now();
  if (is_logical(state)) {
    tick_half(state, now);
  } else {
    tick(state, now);
  }
  hand_on_between_chunks();
}

void InstancePattern::tick(uint32_t state, int64_t now) {
  const PatternState& rule = plan().states[state];
  Absence& wait = absence(state);
  bool nothing = rule.start && fresh(state).empty() && pending(state).empty();
  bool over = plan().sequence && rule.every == PatternState::kNone && wait.wakes_ms > 0;
  if (nothing && !over) {
    add_absent(state, kVirgin);
  } else if (!nothing && plan().sequence && !fresh(state).empty()) {
    reset(state);
  }
  update(state);
  SmallIds& waiting = pending(state);
  std::vector<PartialId> due;
  uint32_t kept = 0;
  uint32_t count = waiting.size();
  for (uint32_t k = 0; k < count; ++k) {
    PartialId id = waiting[k];
    int64_t since = id == kVirgin ? -1 : partials_->timestamp(id);
    if (id != kVirgin && plan().within_ms && too_old(id, now)) {
      bool elsewhere = rule.within_every != PatternState::kNone &&
                       rule.every != PatternState::kNone && rule.every != int32_t(state);
      if (elsewhere) add_every(static_cast<uint32_t>(rule.every), id);
      partials_->release(id);
    } else if (since == -1 ? now >= wait.wakes_ms : now >= since + *rule.for_ms) {
      due.push_back(id);
    } else {
      waiting[kept++] = id;
    }
  }
  waiting.truncate(kept);
  if (kept == 0) at_->pending_mask &= ~bit(state);
  if (rule.within_every != PatternState::kNone) update(static_cast<uint32_t>(rule.within_every));
  pass_absent(state, due, now);
  if (due.empty() && wait.wakes_ms < now) wake_at(state, now + *rule.for_ms);
}

void InstancePattern::tick_half(uint32_t state, int64_t now) {
  const PatternState& rule = plan().states[state];
  Absence& half = absence(state);
  std::vector<PartialId> due;
  if (now >= half.arrived_ms + *rule.for_ms) {
    bool nothing = rule.start && fresh(state).empty() && pending(state).empty();
    if (nothing && plan().sequence) {
      PartialId id = partials_->create();
      partials_->retain(id);
      add_state(state, id);
      partials_->release(id);
    } else if (plan().sequence && !fresh(state).empty()) {
      reset(state);
    }
    update(state);
    SmallIds& waiting = pending(state);
    PartialId expired = kVirgin;
    uint32_t kept = 0;
    uint32_t count = waiting.size();
    for (uint32_t k = 0; k < count; ++k) {
      PartialId id = waiting[k];
      bool passed = partials_->has(id, state);
      int64_t since = passed ? partials_->first_time(id, state) : partials_->timestamp(id);
      if (plan().within_ms && too_old(id, now)) {
        if (expired != kVirgin) partials_->release(expired);
        expired = id;
      } else if (now < since + *rule.for_ms) {
        waiting[kept++] = id;
      } else if (take_none_of_half(state, id)) {
        due.push_back(id);
      } else {
        partials_->release(id);
      }
    }
    waiting.truncate(kept);
    if (kept == 0) at_->pending_mask &= ~bit(state);
    if (expired != kVirgin) {
      if (rule.within_every != PatternState::kNone) {
        add_every(static_cast<uint32_t>(rule.within_every), expired);
        update(static_cast<uint32_t>(rule.within_every));
      }
      partials_->release(expired);
    }
    bool none = due.empty();
    pass_absent(state, due, now);
    half.arrived_ms = 0;
    if (rule.every == PatternState::kNone && !(none && rule.start)) return;
  } else if (rule.every == PatternState::kNone && !rule.start) {
    return;
  }
  wake_at(state, (half.arrived_ms == 0 ? now : half.arrived_ms) + *rule.for_ms);
}

/// The half has been absent for long enough: whether the instance goes on because of that.
bool InstancePattern::take_none_of_half(uint32_t state, PartialId id) {
  const PatternState& rule = plan().states[state];
  bool partner_came = partials_->has(id, static_cast<uint32_t>(rule.partner));
  if (rule.kind == PatternState::Kind::kAnd && partner_came) return true;
  if (partner_came) return false;
  partials_->take_none(id, state);  // with `and` the other half decides
  return rule.kind == PatternState::Kind::kOr;
}

/// Instances for which nothing came go on; takes over the list's share of them.
void InstancePattern::pass_absent(uint32_t state, const std::vector<PartialId>& due, int64_t now) {
  const PatternState& rule = plan().states[state];
  for (PartialId waited : due) {
    PartialId id = real(waited);
    if (waited == kVirgin) partials_->retain(id);
    partials_->set_timestamp(id, now);
    if (rule.last) {
      emit(id, context().timer_cause());
      matches().note(false);
    }
    if (rule.next != PatternState::kNone) add_state(static_cast<uint32_t>(rule.next), id);
    if (rule.every != PatternState::kNone) {
      add_every(static_cast<uint32_t>(rule.every), id);
    } else if (rule.start) {
      absence(state).active = false;
      auto partner = static_cast<uint32_t>(rule.partner);
      bool either = is_logical(state) && rule.kind == PatternState::Kind::kOr;
      if (either && plan().states[partner].absent) absence(partner).active = false;
    }
    if (rule.restarts != PatternState::kNone) restart_start(state);
    partials_->release(id);
  }
}

}  // namespace pollux
