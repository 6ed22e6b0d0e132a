// Steps that are passed when no event comes: `not A for 1 sec`, and halves of and/or.
//
// As in the original every request to be woken stands, also one that later requests overtake: what
// a step does when it wakes depends on what waits there then.
#include <algorithm>

#include "tests/oracle/pattern.h"

namespace pollux::oracle {

// Those that come first wait from the start; the others once a match reaches them.
void Pattern::start_waiting() {
  for (int step : plan_.absent) {
    if (!plan_of(step).start || !plan_of(step).wait) continue;
    if (is_half(step)) {
      wake(step, clock_.now() + *plan_of(step).wait);
    } else {
      wake_after(step, clock_.now());
    }
  }
}

void Pattern::wake(int step, int64_t time) {
  clock_.notify_at(time, [this, step](int64_t) {
    if (!at(step).active) return;
    if (is_half(step)) {
      half_waited(step);
    } else {
      waited(step);
    }
  });
}

void Pattern::wake_after(int step, int64_t since) {
  at(step).scheduled = since + *plan_of(step).wait;
  wake(step, at(step).scheduled);
}

void Pattern::add_absent(int step, const MatchPtr& match) {
  if (plan_.sequence) at(step).arriving.clear();
  at(step).arriving.push_back(match);
  if (!plan_of(step).start) wake_after(step, match->timestamp);
}

void Pattern::add_every_absent(int step, const Match& match) {
  auto copy = std::make_shared<Match>(match);
  copy->expired = false;
  if (!is_half(step)) {
    for (size_t i = static_cast<size_t>(step); i < copy->slots.size(); ++i) copy->slots[i].clear();
    at(step).arriving.push_back(copy);
    wake_after(step, match.timestamp);
    return;
  }
  int partner = plan_of(step).partner;
  if (!slot(step, *copy).empty()) copy->timestamp = slot(step, *copy).front()->timestamp;
  slot(step, *copy).clear();
  slot(partner, *copy).clear();
  at(step).arriving.push_back(copy);
  at(partner).arriving.push_back(copy);
}

// Sequences only.
void Pattern::reset_absent(int step) {
  const StepPlan& plan = plan_of(step);
  at(step).pending.clear();
  if (!plan.start) return;
  if (plan.every < 0 && plan.next >= 0 && !at(plan.next).pending.empty()) return;
  init(step);
}

// The other half of an `and` has come: whether the match may go on.
bool Pattern::can_proceed_without(int absent, const Match& match) {
  const StepPlan& plan = plan_of(absent);
  Step& half = at(absent);
  bool nothing_taken = match.slots[static_cast<size_t>(absent)].empty();
  if (plan_.sequence && plan.every < 0 && half.arrived > 0) return false;
  if (plan.wait) return !nothing_taken;
  if (plan.every < 0) return nothing_taken;
  if (half.arrived == 0) return true;
  half.arrived = 0;
  init(absent);
  return false;
}

// ---- an event comes ----

void Pattern::offer_to_absent(int step, const EventPtr& event) {
  const StepPlan& plan = plan_of(step);
  if (!at(step).active) return;
  if (is_half(step)) return offer_to_absent_half(step, event);
  auto& pending = at(step).pending;
  work_.add(pending.size());
  for (auto each = pending.begin(); each != pending.end();) {
    MatchPtr match = *each;
    slot(step, *match) = {event};
    if (passes(step, *match)) {
      match->timestamp = event->timestamp;
      if (plan.start && plan.every == step) add_every(step, *match);
      wake_after(step, event->timestamp);
      each = pending.erase(each);
      continue;
    }
    slot(step, *match).clear();
    if (plan_.sequence && plan.callback >= 0) at(plan.callback).restart_asked = true;
    ++each;
  }
}

void Pattern::offer_to_absent_half(int step, const EventPtr& event) {
  const StepPlan& plan = plan_of(step);
  auto& pending = at(step).pending;
  bool either = plan.kind == StepPlan::Kind::kOr;
  bool keeps_slot = plan.wait || (plan_.sequence && !either && plan.every >= 0);
  work_.add(pending.size());
  for (auto each = pending.begin(); each != pending.end();) {
    MatchPtr match = *each;
    if (either && !slot(plan.partner, *match).empty()) {
      each = pending.erase(each);
      continue;
    }
    std::vector<EventPtr> before = slot(step, *match);
    slot(step, *match) = {event};
    bool came = passes(step, *match);
    if (came) at(step).arrived = event->timestamp;
    if (!came || keeps_slot) slot(step, *match) = before;
    // The first step of a pattern looks at the mark of its last one, and keeps the match.
    bool taken = came && plan.done == step;
    if (taken && plan_.sequence) {
      auto& others = at(plan.partner).pending;
      auto other = std::find(others.begin(), others.end(), match);
      if (other != others.end()) others.erase(other);
    }
    each = taken || (!came && plan_.sequence) ? pending.erase(each) : std::next(each);
  }
}

// ---- time passes ----

void Pattern::waited(int step) {
  const StepPlan& plan = plan_of(step);
  Step& own = at(step);
  int64_t now = clock_.now();
  bool nothing = plan.start && own.arriving.empty() && own.pending.empty();
  bool over = plan_.sequence && plan.every < 0 && own.scheduled > 0;
  if (nothing && !over) {
    add(step, new_match());
  } else if (plan_.sequence && !own.arriving.empty()) {
    reset(step);
  }
  update(step);
  std::vector<MatchPtr> due;
  for (auto each = own.pending.begin(); each != own.pending.end();) {
    MatchPtr match = *each;
    bool expired = is_expired(*match, now);
    if (expired && plan.restart >= 0 && plan.every >= 0 && plan.every != step) {
      add_every(plan.every, *match);
    }
    int64_t end = match->timestamp == -1 ? own.scheduled : match->timestamp + *plan.wait;
    bool passed = !expired && now >= end;
    if (passed) due.push_back(match);
    each = expired || passed ? own.pending.erase(each) : std::next(each);
  }
  if (plan.restart >= 0) update(plan.restart);
  for (const MatchPtr& match : due) pass_absent(step, match);
  if (due.empty() && own.scheduled < now) wake_after(step, now);
}

void Pattern::half_waited(int step) {
  const StepPlan& plan = plan_of(step);
  Step& own = at(step);
  int64_t now = clock_.now();
  std::vector<MatchPtr> due;
  if (now >= own.arrived + *plan.wait) {
    bool nothing = plan.start && own.arriving.empty() && own.pending.empty();
    if (plan_.sequence && nothing) {
      add(step, new_match());
    } else if (plan_.sequence && !own.arriving.empty()) {
      reset(step);
    }
    update(step);
    MatchPtr expired;
    for (auto each = own.pending.begin(); each != own.pending.end();) {
      MatchPtr match = *each;
      const auto& taken = slot(step, *match);
      int64_t since = taken.empty() ? match->timestamp : taken.front()->timestamp;
      if (is_expired(*match, now)) {
        expired = match;
      } else if (now < since + *plan.wait) {
        ++each;
        continue;
      } else if (take_nothing(step, match)) {
        due.push_back(match);
      }
      each = own.pending.erase(each);
    }
    if (expired != nullptr && plan.restart >= 0) {
      add_every(plan.restart, *expired);
      update(plan.restart);
    }
    for (const MatchPtr& match : due) pass_absent(step, match);
    own.arrived = 0;
  }
  if (plan.every < 0 && !(due.empty() && plan.start)) return;
  wake(step, (own.arrived == 0 ? now : own.arrived) + *plan.wait);
}

// The half has been absent for long enough: whether the match goes on because of that. With `and`
// it does so if the other half has come; if not, that decides.
bool Pattern::take_nothing(int step, const MatchPtr& match) {
  const StepPlan& plan = plan_of(step);
  bool partner_came = !slot(plan.partner, *match).empty();
  if (partner_came) return plan.kind == StepPlan::Kind::kAnd;
  auto nothing = std::make_shared<Event>();
  nothing->timestamp = -1;
  nothing->data.resize(plan_.scope.sources[static_cast<size_t>(step)].fields.size());
  slot(step, *match) = {nothing};
  return plan.kind == StepPlan::Kind::kOr;
}

void Pattern::pass_absent(int step, const MatchPtr& match) {
  const StepPlan& plan = plan_of(step);
  match->timestamp = clock_.now();
  if (plan.last) by_time_(combined_of(*match));
  if (plan.next >= 0) add(plan.next, match);
  if (plan.every >= 0) {
    add_every(plan.every, *match);
  } else if (plan.start) {
    at(step).active = false;
    bool both = plan.kind == StepPlan::Kind::kOr && plan_of(plan.partner).absent;
    if (both) at(plan.partner).active = false;
  }
  if (plan.callback >= 0) at(plan.callback).restart_asked = true;
}

}  // namespace pollux::oracle
