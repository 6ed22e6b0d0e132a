#include "engine/operators/instance_pattern.h"

#include <algorithm>
#include <utility>

#include "engine/base/time_distance.h"
#include "engine/operators/in_hand.h"

namespace pollux {
namespace {

/// The same, the last one first.
template <class F>
void for_each_state_backwards(uint64_t mask, F&& use) {
  while (mask != 0) {
    auto state = static_cast<uint32_t>(63 - __builtin_clzll(mask));
    mask &= ~bit(state);
    use(state);
  }
}

}  // namespace

InstancePattern::InstancePattern(PatternPlan pattern, PlanContext& context, Receiver& next)
    : PatternOperator(std::move(pattern), context, next) {
  std::vector<CaptureRule> rules(plan().states.size());
  for (size_t s = 0; s < plan().states.size(); ++s) {
    rules[s].counted = plan().states[s].kind == PatternState::Kind::kCount;
    rules[s].store = plan().states[s].input;
    if (plan().states[s].absent) absent_states_.push_back(static_cast<uint32_t>(s));
    if (!plan().states[s].start) continue;
    start_states_.push_back(static_cast<uint32_t>(s));
    start_mask_ |= bit(s);
  }
  for (const PatternReference& reference : plan().references) {
    if (reference.column == PatternReference::kPresence) continue;
    CaptureRule& rule = rules[reference.state];
    rule.stored = true;
    uint32_t& asked = reference.from_back ? rule.last_kept : rule.first_kept;
    asked = std::max(asked, reference.place + 1);
  }
  std::vector<RowStore*> stores;
  for (uint32_t i = 0; i < plan().inputs.size(); ++i) stores.push_back(&store(i));
  partials_ = std::make_unique<PartialMatches>(std::move(rules), std::move(stores));
  begin_absences();
  if (plan().sequence && start_states_.size() == 1 && absent_states_.empty()) {
    const PatternState& start = plan().states[start_states_[0]];
    rearms_ = start.kind == PatternState::Kind::kSingle &&
              start.every == static_cast<int32_t>(start_states_[0]) &&
              start.restarts == PatternState::kNone;
  }
}

void InstancePattern::push_fresh(uint32_t state, PartialId id) {
  if (id != kVirgin) partials_->retain(id);
  fresh(state).push(id);
  at_->fresh_mask |= bit(state);
}

void InstancePattern::release_all(SmallIds& list) {
  for (uint32_t k = 0; k < list.size(); ++k) {
    if (list[k] != kVirgin) partials_->release(list[k]);
  }
  list.clear();
}

void InstancePattern::clear_pending(uint32_t state) {
  release_all(pending(state));
  at_->pending_mask &= ~bit(state);
}

void InstancePattern::settle() {
  partials_->free_unowned();
  if (has_chunk_in_hand()) partials_->settle(in_hand(), input_in_hand());
}

void InstancePattern::receive(uint32_t input, const Chunk& chunk) {
  take_in_hand(input, chunk);
  constexpr uint32_t kAhead = 8;
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    if (i + kAhead < chunk.rows) {
      uint32_t key = chunk.key(i + kAhead);
      if (!rearms_ || !passes_by(input, key, i + kAhead)) prefetch(key);
    }
    if (rearms_ && passes_by(input, chunk.key(i), i)) continue;
    uint32_t before = matches().rows();
    offer(input, chunk, i);
    if (partials_->live() > 0) arm_sweeper(i);
    if (!behind_chunk() && matches().apart(before)) matches().hand_on_one_by_one();
  }
  hand_on();
}

/// Asks for the memory of an instance that comes up soon.
void InstancePattern::prefetch(uint32_t key) const {
  size_t first = size_t{key} * lists_per_key();
  if (first + lists_per_key() > lists_.size()) return;
  __builtin_prefetch(&instances_.all()[key]);
  constexpr size_t kListsInLine = 64 / sizeof(SmallIds);
  for (size_t list = 0; list < lists_per_key(); list += kListsInLine) {
    __builtin_prefetch(&lists_[first + list]);
  }
}

void InstancePattern::go_to(uint32_t key) {
  at_key_ = key;
  at_ = &instances_.at(key);
  size_t first = size_t{key} * lists_per_key();
  if (first + lists_per_key() > lists_.size()) {
    lists_.resize(instances_.all().capacity() * lists_per_key());
    if (!absent_states_.empty()) {
      absences_.resize(instances_.all().capacity() * plan().states.size());
    }
    busy_.resize(instances_.all().capacity());
  }
  at_fresh_ = &lists_[first];
  at_pending_ = at_fresh_ + plan().states.size();
}

/// Nothing of the sequence is on its way, and the event begins nothing.
bool InstancePattern::passes_by(uint32_t input, uint32_t key, uint32_t i) const {
  uint32_t start = start_states_[0];
  if (plan().states[start].input == input && passing(start)[i] != 0) return false;
  return key >= busy_.size() || busy_[key] == 0;
}

void InstancePattern::offer(uint32_t input, const Chunk& chunk, uint32_t i) {
  go_to(chunk.key(i));
  begin();
  if (plan().within_ms && !none_too_old(chunk.timestamp(i))) expire(chunk.timestamp(i));
  if (plan().sequence) {
    uint64_t waiting = at_->pending_mask | (rearms_ ? 0 : start_mask_);
    for_each_state_backwards(waiting, [this](uint32_t s) { reset(s); });
    for_each_state(at_->fresh_mask | at_->restart_mask, [this](uint32_t s) { update(s); });
  } else {
    for (uint32_t s : states_of_input(input)) update(s);
  }
  for (uint32_t s : states_of_input(input)) {
    if ((at_->pending_mask & bit(s)) != 0) process(s, chunk, i);
    if (rearms_ && s == start_states_[0]) begin_again(s, chunk, i);
    matches().note(!plan().matches_apart && states_of_input(input).size() > 1);
  }
  bool idle = at_->idle();
  if (rearms_) busy_[chunk.key(i)] = idle ? 0 : 1;
  if (idle) {
    at_->earliest_ms = INT64_MAX;
    at_->latest_ms = INT64_MIN;
  }
}

/// The instance at hand begins, unless it has.
void InstancePattern::begin() {
  if (at_->begun) return;
  at_->begun = true;
  for (uint32_t s : start_states_) begin_instance(s);
}

/// The event begins an instance in a state that stands in no list because it always waits.
void InstancePattern::begin_again(uint32_t state, const Chunk& chunk, uint32_t i) {
  if (!passes(state, kVirgin, i)) return;
  PartialId id = partials_->create();
  partials_->retain(id);
  take(id, state, chunk, i);
  if (complete_) emit(id, chunk.cause(i));
  partials_->release(id);
}

/// The state takes the event; the instance moves on.
void InstancePattern::take(PartialId id, uint32_t state, const Chunk& chunk, uint32_t i) {
  int64_t time = chunk.timestamp(i);
  if (plan().states[state].start && !partials_->has(id, state)) {
    at_->earliest_ms = std::min(at_->earliest_ms, time);
    at_->latest_ms = std::max(at_->latest_ms, time);
    partials_->set_on_time(id, is_on_time(i));
  }
  partials_->take(id, state, chunk, i);
  int64_t since = partials_->timestamp(id);
  partials_->set_timestamp(id, time);
  changed_ = complete_ = false;
  taken(state, id, since);
}

/// Offers the event to every instance that waits in the state.
void InstancePattern::process(uint32_t state, const Chunk& chunk, uint32_t i) {
  using Kind = PatternState::Kind;
  const PatternState& rule = plan().states[state];
  if (rule.absent) return offer_to_absent(state, chunk, i);
  SmallIds& waiting = pending(state);
  uint32_t kept = 0;
  uint32_t count = waiting.size();
  for (uint32_t k = 0; k < count; ++k) {
    PartialId id = waiting[k];
    if (id != kVirgin) {
      // A counted instance whose next state has been reached takes no more.
      bool moved_on = rule.kind == Kind::kCount &&
                      ((state + 1 < plan().states.size() && partials_->has(id, state + 1)) ||
                       (state + 2 < plan().states.size() && partials_->has(id, state + 2)));
      bool other_way =
          rule.kind == Kind::kOr && partials_->has(id, static_cast<uint32_t>(rule.partner));
      bool late = !moved_on && !other_way && too_late(rule, id, chunk.timestamp(i));
      if (late) begin_after(state, id);
      if (moved_on || other_way || late) {
        partials_->release(id);
        continue;
      }
    }
    if (!passes(state, id, i)) {
      if (!plan().sequence) {
        waiting[kept++] = id;
        continue;
      }
      if (id != kVirgin) partials_->release(id);
      if (rule.kind == Kind::kSingle && rule.restarts != PatternState::kNone) restart_start(state);
      continue;
    }
    if (id == kVirgin) {
      id = partials_->create();
      partials_->retain(id);  // the list's
    }
    take(id, state, chunk, i);
    if (complete_) emit(id, chunk.cause(i));
    if (changed_) {
      partials_->release(id);
    } else {
      waiting[kept++] = id;
    }
  }
  waiting.truncate(kept);
  if (kept == 0) at_->pending_mask &= ~bit(state);
}

bool InstancePattern::passes(uint32_t state, PartialId id, uint32_t i) {
  if (passing(state)[i] == 0) return false;
  const PatternState& rule = plan().states[state];
  if (!rule.correlated) return true;
  return passes_correlated(
      rule, i, [&](const PatternReference& reference, Column& to) { append(reference, id, to); });
}

void InstancePattern::taken(uint32_t state, PartialId id, int64_t since) {
  const PatternState& rule = plan().states[state];
  switch (rule.kind) {
    case PatternState::Kind::kSingle:
    case PatternState::Kind::kOr:
      changed_ = true;
      return advance(state, id);
    case PatternState::Kind::kAnd:
      changed_ = true;
      if (plan().states[static_cast<size_t>(rule.partner)].absent) {
        if (can_proceed_without(static_cast<uint32_t>(rule.partner), id)) {
          advance(state, id);
        } else {
          partials_->set_timestamp(id, since);  // the absence counts from where it did
        }
      } else if (partials_->has(id, static_cast<uint32_t>(rule.partner))) {
        advance(state, id);
      }
      return;
    case PatternState::Kind::kCount:
      break;
  }
  int64_t count = partials_->count(id, state);
  if (plan().sequence) {
    if (count >= rule.min_count && rule.next != PatternState::kNone) {
      add_state(static_cast<uint32_t>(rule.next), id);
    } else if (count == rule.min_count && rule.last) {
      complete_ = changed_ = true;
      return;
    }
    // Siddhi forgets an instance here that has not reached its minimum; it must wait for more.
    if (count != rule.max_count) add_state(state, id);
  } else if (count == rule.min_count) {
    min_count_reached(state, id);
  }
  if (count == rule.max_count) changed_ = true;
}

void InstancePattern::advance(uint32_t state, PartialId id) {
  const PatternState& rule = plan().states[state];
  if (rule.last) complete_ = true;
  if (rule.next != PatternState::kNone) add_state(static_cast<uint32_t>(rule.next), id);
  if (rule.every != PatternState::kNone) add_every(static_cast<uint32_t>(rule.every), id);
  if (rule.restarts != PatternState::kNone) restart_start(state);
}

void InstancePattern::min_count_reached(uint32_t state, PartialId id) {
  const PatternState& rule = plan().states[state];
  if (rule.last) complete_ = changed_ = true;
  if (rule.next != PatternState::kNone) add_state(static_cast<uint32_t>(rule.next), id);
  if (rule.every != PatternState::kNone) add_every(static_cast<uint32_t>(rule.every), id);
}

void InstancePattern::add_state(uint32_t state, PartialId id) {
  const PatternState& rule = plan().states[state];
  if (rule.absent && !absence(state).active) return;
  if (rule.absent && !is_logical(state)) return add_absent(state, id);
  bool logical = rule.kind == PatternState::Kind::kAnd || rule.kind == PatternState::Kind::kOr;
  bool only_one = plan().sequence || (logical && rule.start);
  if (!only_one || fresh(state).empty()) push_fresh(state, id);
  if (logical) {
    auto partner = static_cast<uint32_t>(rule.partner);
    if (!only_one || fresh(partner).empty()) push_fresh(partner, id);
    if (rule.absent && !rule.start) {
      for (uint32_t half : {state, partner}) {
        const PatternState& other = plan().states[half];
        if (rule.for_ms && other.for_ms) wake_at(half, partials_->timestamp(id) + *other.for_ms);
      }
    }
  }
  if (rule.kind == PatternState::Kind::kCount && rule.min_count == 0 &&
      !partials_->has(id, state)) {
    min_count_reached(state, id);
  }
}

/// The part under `every` is through: an instance with what came before it begins anew.
void InstancePattern::add_every(uint32_t state, PartialId id) {
  if (rearms_ && state == start_states_[0]) return;  // it waits in any case
  const PatternState& rule = plan().states[state];
  bool needs_events = state != 0 || rule.kind != PatternState::Kind::kSingle || rule.absent;
  uint32_t first = state;  // of a pair neither half is kept
  if (rule.partner != PatternState::kNone) {
    first = std::min(first, static_cast<uint32_t>(rule.partner));
  }
  PartialId copy = needs_events ? partials_->copy_before(id, first) : kVirgin;
  if (rule.absent && is_logical(state) && partials_->has(id, state)) {
    partials_->set_timestamp(copy, partials_->first_time(id, state));
  }
  push_fresh(state, copy);
  if (rule.absent && !is_logical(state)) {
    wake_at(state, partials_->timestamp(copy) + *rule.for_ms);
  }
  if (rule.partner != PatternState::kNone) push_fresh(static_cast<uint32_t>(rule.partner), copy);
}

void InstancePattern::begin_instance(uint32_t state) {
  const PatternState& rule = plan().states[state];
  // A sequence that goes on with an absence waits for its first event again and again.
  bool again =
      rule.every != PatternState::kNone || (plan().sequence && rule.next != PatternState::kNone &&
                                            plan().states[static_cast<size_t>(rule.next)].absent);
  if (rearms_ || !rule.start || (at_->initialized && !again)) return;
  bool plain = rule.kind == PatternState::Kind::kSingle ||
               (rule.kind == PatternState::Kind::kCount && rule.min_count > 0);
  if (rule.absent && !is_logical(state)) {
    add_absent(state, kVirgin);
  } else if (plain) {
    if (!plan().sequence || fresh(state).empty()) push_fresh(state, kVirgin);
  } else {
    PartialId id = partials_->create();
    partials_->retain(id);
    add_state(state, id);
    partials_->release(id);
  }
  at_->initialized = true;
}

void InstancePattern::restart_start(uint32_t state) {
  at_->restart_mask |= bit(static_cast<size_t>(plan().states[state].restarts));
}

bool InstancePattern::too_old(PartialId id, int64_t time) const {
  for (uint32_t s : start_states_) {
    if (!partials_->has(id, s)) continue;
    if (time_distance(partials_->first_time(id, s), time) > *plan().within_ms) return true;
  }
  return false;
}

/// An instance is gone for being late: under `every` its part begins anew, with this event where it
/// begins with another state.
void InstancePattern::begin_after(uint32_t state, PartialId late) {
  int32_t begins = plan().states[state].within_every;
  if (begins == PatternState::kNone || partials_->expired(late)) return;
  partials_->set_expired(late);
  auto first = static_cast<uint32_t>(begins);
  add_every(first, late);
  if (first != state && plan().states[first].partner != static_cast<int32_t>(state)) update(first);
}

bool InstancePattern::too_late(const PatternState& rule, PartialId id, int64_t time) const {
  for (const PatternLimit& limit : rule.limits) {
    bool late = false;
    for_each_state(limit.since, [&](uint32_t s) {
      late = late || (partials_->has(id, s) &&
                      time_distance(partials_->first_time(id, s), time) > limit.ms);
    });
    bool begun = limit.since == 0 && partials_->timestamp(id) != -1;
    if (begun && time_distance(partials_->timestamp(id), time) > limit.ms) late = true;
    if (late) return true;
  }
  return false;
}

/// What began in a sequence lies so near that no look at each instance is needed.
bool InstancePattern::none_too_old(int64_t time) const {
  if (!plan().sequence) return false;
  if (at_->earliest_ms > at_->latest_ms) return true;
  return time_distance(at_->earliest_ms, time) <= *plan().within_ms &&
         time_distance(at_->latest_ms, time) <= *plan().within_ms;
}

void InstancePattern::expire(int64_t time) {
  end_instances([&](PartialId id) { return too_old(id, time); }, true);
}

/// A new event comes to a sequence: what still waits has been passed over.
void InstancePattern::reset(uint32_t state) {
  const PatternState& rule = plan().states[state];
  if (rule.kind == PatternState::Kind::kAnd || rule.kind == PatternState::Kind::kOr) {
    auto partner = static_cast<uint32_t>(rule.partner);
    bool half_way = pending(state).size() != pending(partner).size();
    if (rule.kind == PatternState::Kind::kAnd && half_way) return;
    clear_pending(partner);
  }
  clear_pending(state);
  if (!rule.start) return;
  bool single_absent = rule.absent && !is_logical(state);
  if (!single_absent && !fresh(state).empty()) return;
  if (rule.every == PatternState::kNone && has_next_waiting(state)) return;
  begin_instance(state);
}

/// What was added since the last event may take this one.
void InstancePattern::update(uint32_t state) {
  if ((at_->restart_mask & bit(state)) != 0) {
    at_->restart_mask &= ~bit(state);
    begin_instance(state);
  }
  move_fresh(state);
  int32_t partner = plan().states[state].partner;
  if (partner != PatternState::kNone) move_fresh(static_cast<uint32_t>(partner));
}

/// Oldest first, beginners last.
void InstancePattern::move_fresh(uint32_t state) {
  if ((at_->fresh_mask & bit(state)) == 0) return;
  SmallIds& from = fresh(state);
  SmallIds& to = pending(state);
  if (from.size() > 1) {
    std::stable_sort(from.data(), from.data() + from.size(), [this](PartialId a, PartialId b) {
      int64_t time_a = a == kVirgin ? -1 : partials_->timestamp(a);
      int64_t time_b = b == kVirgin ? -1 : partials_->timestamp(b);
      if (time_a == -1 || time_b == -1) return time_a != -1 && time_b == -1;
      return time_a < time_b;
    });
  }
  if (to.empty()) {
    to.swap(from);
  } else {
    for (uint32_t k = 0; k < from.size(); ++k) to.push(from[k]);
    from.clear();
  }
  at_->fresh_mask &= ~bit(state);
  at_->pending_mask |= bit(state);
}

void InstancePattern::append(const PatternReference& reference, PartialId id, Column& to) {
  bool taken = id != kVirgin && reference.place < partials_->count(id, reference.state);
  Slot slot = RowStore::kNoSlot;
  if (taken && reference.column != PatternReference::kPresence) {
    slot = reference.from_back ? partials_->from_back(id, reference.state, reference.place)
                               : partials_->from_front(id, reference.state, reference.place);
  }
  append_reference(reference, taken, slot, to);
}

void InstancePattern::emit(PartialId id, uint32_t cause) {
  for (size_t c = 0; c < plan().outputs.size(); ++c) {
    append(plan().references[plan().outputs[c]], id, matches().column(c));
  }
  matches().end_row(partials_->timestamp(id), at_key_, cause);
}

void InstancePattern::drop_key(uint32_t key) {
  if (key >= instances_.all().size() || !instances_.at(key).begun) return;
  go_to(key);
  for (size_t list = 0; list < lists_per_key(); ++list) release_all(at_fresh_[list]);
  *at_ = Instances{};
  busy_[key] = 0;
  if (!absent_states_.empty()) {
    for (uint32_t s = 0; s < plan().states.size(); ++s) absence(s) = Absence{};
  }
  partials_->free_unowned();
}

void InstancePattern::archive_state(StateArchive& archive) {
  archive_stores(archive);
  archive(*partials_, instances_);
  size_t keys = instances_.all().size();
  if (!archive.loads()) {  // what there is room for already is not state
    busy_.resize(std::min(busy_.size(), keys));
    lists_.resize(std::min(lists_.size(), keys * lists_per_key()));
    absences_.resize(std::min(absences_.size(), keys * plan().states.size()));
  }
  archive(busy_, lists_, absences_);
  if (timer_) archive(*timer_);
  if (!archive.loads()) return;
  bool sized = lists_.size() <= keys * lists_per_key() && lists_.size() % lists_per_key() == 0 &&
               busy_.size() <= keys && absences_.size() <= keys * plan().states.size();
  if (!sized) return archive.fail();
  uint64_t known = plan().states.size() == 64 ? UINT64_MAX : bit(plan().states.size()) - 1;
  for (const Instances& each : instances_.all()) {
    if (((each.pending_mask | each.fresh_mask | each.restart_mask) & ~known) != 0) archive.fail();
  }
  for (const SmallIds& list : lists_) {
    for (uint32_t k = 0; k < list.size(); ++k) {
      if (list[k] != kVirgin && !partials_->has(list[k])) archive.fail();
    }
  }
}

size_t InstancePattern::state_bytes() const {
  size_t bytes = partials_->bytes() + instances_.all().capacity() * sizeof(Instances) +
                 busy_.capacity() + lists_.capacity() * sizeof(SmallIds) +
                 absences_.capacity() * sizeof(Absence);
  for (const SmallIds& list : lists_) bytes += list.heap_bytes();
  return bytes + stores_bytes();
}

}  // namespace pollux
