#include "tests/oracle/pattern.h"

#include <algorithm>

namespace pollux::oracle {

Pattern::Pattern(const PatternPlan& plan, Clock& clock, const std::vector<Table*>& tables,
                 Work& work, ByTime by_time)
    : plan_(plan),
      clock_(clock),
      tables_(tables),
      work_(work),
      by_time_(std::move(by_time)),
      steps_(plan.steps.size()) {
  // Of a logical pair the second member begins, as its slot comes first.
  for (int step : plan_.setup) init(step);
  if (!plan_.absent.empty()) clock_.when_started([this] { start_waiting(); });
}

Pattern::MatchPtr Pattern::new_match() const {
  auto match = std::make_shared<Match>();
  match->slots.resize(plan_.steps.size());
  return match;
}

void Pattern::init(int step) {
  const StepPlan& plan = plan_of(step);
  bool next_absent = plan_.sequence && plan.next >= 0 && plan_of(plan.next).absent;
  if (!plan.start || (at(step).initialized && plan.every < 0 && !next_absent)) return;
  add(step, new_match());
  at(step).initialized = true;
}

// A match arrives at a step. A sequence has room for one.
void Pattern::add(int step, const MatchPtr& match) {
  const StepPlan& plan = plan_of(step);
  if (plan.absent && !at(step).active) return;
  if (plan.absent && !is_half(step)) return add_absent(step, match);
  auto& arriving = at(step).arriving;
  if (plan.partner >= 0) {
    auto& partner = at(plan.partner).arriving;
    bool one_only = plan.start || plan_.sequence;
    if (!one_only || arriving.empty()) arriving.push_back(match);
    if (!one_only || partner.empty()) partner.push_back(match);
    if (!plan.absent || plan.start || !plan.wait) return;
    wake_after(step, match->timestamp);
    if (plan_of(plan.partner).wait) wake_after(plan.partner, match->timestamp);
    return;
  }
  if (!plan_.sequence || arriving.empty()) arriving.push_back(match);
  if (plan.kind == StepPlan::Kind::kCount && plan.min == 0 &&
      match->slots[static_cast<size_t>(step)].empty()) {
    least_count_reached(step, match);
  }
}

void Pattern::add_every(int step, const Match& match) {
  if (plan_of(step).absent) return add_every_absent(step, match);
  auto copy = std::make_shared<Match>(match);
  copy->expired = false;
  for (size_t i = static_cast<size_t>(step); i < copy->slots.size(); ++i) copy->slots[i].clear();
  at(step).arriving.push_back(copy);
  int partner = plan_of(step).partner;
  if (partner >= 0) {
    copy->slots[static_cast<size_t>(partner)].clear();
    at(partner).arriving.push_back(copy);
  }
}

// Sequences only: what waited and did not go on is dead.
void Pattern::reset(int step) {
  const StepPlan& plan = plan_of(step);
  if (plan.absent && !is_half(step)) return reset_absent(step);
  if (plan.partner >= 0) {
    bool clears = plan.kind == StepPlan::Kind::kOr ||
                  at(step).pending.size() == at(plan.partner).pending.size();
    if (!clears) return;
    at(plan.partner).pending.clear();
  }
  at(step).pending.clear();
  if (!plan.start || !at(step).arriving.empty()) return;
  if (plan.every < 0 && plan.next >= 0 && !at(plan.next).pending.empty()) return;
  init(step);
}

void Pattern::update(int step) {
  if (at(step).restart_asked) {
    at(step).restart_asked = false;
    init(step);
  }
  auto move_on = [this](int which) {
    auto& arriving = at(which).arriving;
    std::stable_sort(arriving.begin(), arriving.end(), [](const MatchPtr& a, const MatchPtr& b) {
      if (a->timestamp == -1 || b->timestamp == -1) {
        return a->timestamp != -1 && b->timestamp == -1;
      }
      return a->timestamp < b->timestamp;
    });
    at(which).pending.insert(at(which).pending.end(), arriving.begin(), arriving.end());
    arriving.clear();
  };
  move_on(step);
  if (plan_of(step).partner >= 0) move_on(plan_of(step).partner);
}

bool Pattern::is_expired(const Match& match, int64_t timestamp) const {
  if (!plan_.within) return false;
  for (size_t i = 0; i < plan_.steps.size(); ++i) {
    if (!plan_.steps[i].start || match.slots[i].empty()) continue;
    int64_t age = timestamp - match.slots[i].front()->timestamp;
    if (std::abs(age) > *plan_.within) return true;
  }
  return false;
}

// The list of waiting matches is taken to be in order of time: the first that is young enough
// ends the search.
void Pattern::expire(int step, int64_t timestamp) {
  MatchPtr newest;
  auto note = [&newest](const MatchPtr& match) {
    if (match->expired) return;
    match->expired = true;
    newest = match;
  };
  auto& pending = at(step).pending;
  while (!pending.empty() && is_expired(*pending.front(), timestamp)) {
    note(pending.front());
    pending.pop_front();
  }
  auto& arriving = at(step).arriving;
  std::erase_if(arriving, [&](const MatchPtr& match) {
    if (!is_expired(*match, timestamp)) return false;
    note(match);
    return true;
  });
  // Where the `every` does not come first, what stands before it is out of time as well; it is
  // kept all the same, as in the original, so that such a match never ends.
  int restart = plan_of(step).restart;
  if (newest != nullptr && restart >= 0) {
    add_every(restart, *newest);
    update(restart);
  }
}

bool Pattern::passes(int step, const Match& match) {
  Combined combined;
  combined.slots = match.slots;
  const auto& own = match.slots[static_cast<size_t>(step)];
  combined.timestamp = own.back()->timestamp;
  EvalContext context{&combined, nullptr, clock_.now(), &tables_};
  const auto& filters = plan_of(step).filters;
  return std::all_of(filters.begin(), filters.end(),
                     [&](const Bound& filter) { return is_true(filter.eval(context)); });
}

void Pattern::matched(int step, const MatchPtr& match) {
  const StepPlan& plan = plan_of(step);
  switch (plan.kind) {
    case StepPlan::Kind::kCount:
      count_matched(step, match);
      break;
    case StepPlan::Kind::kAnd:
      if (plan_of(plan.partner).absent ? can_proceed_without(plan.partner, *match)
                                       : !slot(plan.partner, *match).empty()) {
        stream_matched(step, match);
      } else {
        at(step).changed = true;
      }
      break;
    case StepPlan::Kind::kOr:
      stream_matched(step, match);
      if (plan_of(plan.partner).last && plan.done == plan.partner) {
        at(plan.partner).completed = true;
      }
      break;
    default:
      stream_matched(step, match);
  }
}

void Pattern::stream_matched(int step, const MatchPtr& match) {
  const StepPlan& plan = plan_of(step);
  at(step).changed = true;
  match->timestamp = match->slots[static_cast<size_t>(step)].front()->timestamp;
  if (plan.last) at(step).completed = true;
  if (plan.next >= 0) add(plan.next, match);
  if (plan.every >= 0) add_every(plan.every, *match);
  if (plan.callback >= 0) at(plan.callback).restart_asked = true;
}

void Pattern::count_matched(int step, const MatchPtr& match) {
  const StepPlan& plan = plan_of(step);
  const auto& events = match->slots[static_cast<size_t>(step)];
  auto count = static_cast<int64_t>(events.size());
  at(step).success = true;
  match->timestamp = events.back()->timestamp;
  if (count < plan.min) return;
  if (plan_.sequence) {
    if (plan.next >= 0) add(plan.next, match);
    if (count != plan.max) add(step, match);
  } else if (count == plan.min) {
    least_count_reached(step, match);
  }
  if (count == plan.max) at(step).changed = true;
}

void Pattern::least_count_reached(int step, const MatchPtr& match) {
  const StepPlan& plan = plan_of(step);
  if (plan.last) {
    at(step).changed = true;
    at(step).completed = true;
  }
  if (plan.next >= 0) add(plan.next, match);
  if (plan.every >= 0) add_every(plan.every, *match);
}

void Pattern::process_one(int step, const MatchPtr& match, const EventPtr& event, bool& erase) {
  const StepPlan& plan = plan_of(step);
  auto& slot = match->slots[static_cast<size_t>(step)];
  bool counted = plan.kind == StepPlan::Kind::kCount;
  if (!counted) slot.clear();
  slot.push_back(event);
  at(step).changed = false;
  at(step).success = false;
  if (passes(step, *match)) matched(step, match);
  bool keeps = counted ? at(step).success : at(step).changed;
  erase = at(step).changed;
  if (keeps) return;
  slot.pop_back();
  if (!plan_.sequence) return;
  erase = true;
  if (!counted && plan.partner < 0 && plan.callback >= 0) at(plan.callback).restart_asked = true;
}

CombinedChunk Pattern::process(int step, const EventPtr& event) {
  const StepPlan& plan = plan_of(step);
  CombinedChunk completed;
  std::vector<MatchPtr> matches;
  auto& pending = at(step).pending;
  work_.add(pending.size());
  for (auto each = pending.begin(); each != pending.end();) {
    MatchPtr match = *each;
    auto holds = [&](size_t slot) {
      return slot < match->slots.size() && !match->slots[slot].empty();
    };
    auto own = static_cast<size_t>(step);
    // A counted step lets go of a match that went on without it.
    bool gone = plan.kind == StepPlan::Kind::kCount && (holds(own + 1) || holds(own + 2));
    gone |= plan.kind == StepPlan::Kind::kOr && holds(static_cast<size_t>(plan.partner));
    bool erase = gone;
    if (!gone) process_one(step, match, event, erase);
    if (!gone && at(plan.done).completed) {
      at(plan.done).completed = false;
      matches.push_back(match);
    }
    each = erase ? pending.erase(each) : std::next(each);
  }
  for (const MatchPtr& match : matches) completed.push_back(combined_of(*match));
  return completed;
}

Combined Pattern::combined_of(const Match& match) {
  Combined combined;
  combined.timestamp = match.timestamp;
  combined.slots = match.slots;
  return combined;
}

bool Pattern::several_steps(const std::string& stream) const {
  return std::count_if(plan_.steps.begin(), plan_.steps.end(),
                       [&](const StepPlan& step) { return step.stream == stream; }) > 1;
}

std::vector<CombinedChunk> Pattern::offer(const std::string& stream, const Event& event) {
  for (int step : plan_.expiry) expire(step, event.timestamp);
  std::vector<int> own;
  for (int step : plan_.setup) {
    if (plan_of(step).stream == stream) own.push_back(step);
  }
  if (plan_.sequence) {
    for (auto step = plan_.roots.rbegin(); step != plan_.roots.rend(); ++step) reset(*step);
    for (int step : plan_.roots) update(step);
  } else {
    for (int step : own) update(step);
  }
  auto shared = std::make_shared<Event>(event);
  std::vector<CombinedChunk> matches;
  for (auto step = own.rbegin(); step != own.rend(); ++step) {
    if (plan_of(*step).absent) {
      offer_to_absent(*step, shared);
      continue;
    }
    CombinedChunk completed = process(*step, shared);
    // With several steps on one stream only the last of them leads to the selector.
    bool reaches = own.size() == 1 || plan_of(own.back()).last;
    if (!completed.empty() && reaches) matches.push_back(std::move(completed));
  }
  return matches;
}

}  // namespace pollux::oracle
