#include "engine/operators/pattern.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/operators/output_gate.h"

namespace pollux {
namespace {

/// An instance that has no events yet: nothing needs to be stored for it.
constexpr PartialId kVirgin = UINT32_MAX;

constexpr uint64_t bit(size_t state) { return uint64_t{1} << state; }

/// Calls `use` for each state in the mask, the first one first.
template <class F>
void for_each_state(uint64_t mask, F&& use) {
  for (; mask != 0; mask &= mask - 1) use(static_cast<uint32_t>(__builtin_ctzll(mask)));
}

/// The same, the last one first.
template <class F>
void for_each_state_backwards(uint64_t mask, F&& use) {
  while (mask != 0) {
    auto state = static_cast<uint32_t>(63 - __builtin_clzll(mask));
    mask &= ~bit(state);
    use(state);
  }
}

/// Milliseconds between two moments, at most INT64_MAX.
int64_t distance(int64_t a, int64_t b) {
  uint64_t between = a > b ? static_cast<uint64_t>(a) - static_cast<uint64_t>(b)
                           : static_cast<uint64_t>(b) - static_cast<uint64_t>(a);
  return static_cast<int64_t>(std::min<uint64_t>(between, INT64_MAX));
}

void append_value(const Column& from, uint32_t row, Column& to) {
  if (from.is_null(row)) return to.append_null();
  switch (from.width()) {
    case 1:
      return to.append(from.data<uint8_t>()[row]);
    case 4:
      return to.append(from.data<uint32_t>()[row]);
    case 8:
      return to.append(from.data<uint64_t>()[row]);
    default:
      return to.append(from.data<StringRef>()[row]);
  }
}

SchemaPtr columns_of(const std::vector<PatternReference>& references,
                     const std::vector<uint32_t>& picked) {
  std::vector<Attribute> columns;
  for (uint32_t r : picked) columns.push_back({"", references[r].type});
  return std::make_shared<Schema>("", std::move(columns));
}

SchemaPtr columns_of(const std::vector<PatternReference>& references) {
  std::vector<uint32_t> all(references.size());
  for (uint32_t r = 0; r < all.size(); ++r) all[r] = r;
  return columns_of(references, all);
}

}  // namespace

class PatternOperator::Input final : public Receiver {
 public:
  Input(PatternOperator& owner, uint32_t index) : owner_(owner), index_(index) {}
  void receive(const Chunk& chunk) override { owner_.receive(index_, chunk); }

 private:
  PatternOperator& owner_;
  uint32_t index_;
};

PatternOperator::PatternOperator(PatternPlan plan, PlanContext& context, Receiver& next)
    : plan_(std::move(plan)),
      context_(context),
      next_(next),
      states_of_input_(plan_.inputs.size()),
      passes_(plan_.states.size()),
      references_row_(columns_of(plan_.references)),
      out_(columns_of(plan_.references, plan_.outputs)) {
  std::vector<CaptureRule> rules(plan_.states.size());
  std::vector<std::vector<bool>> kept;
  for (const SchemaPtr& schema : plan_.inputs) kept.emplace_back(schema->size(), false);
  for (size_t s = 0; s < plan_.states.size(); ++s) {
    rules[s].counted = plan_.states[s].kind == PatternState::Kind::kCount;
    rules[s].store = plan_.states[s].input;
    if (!plan_.states[s].start) continue;
    start_states_.push_back(static_cast<uint32_t>(s));
    start_mask_ |= bit(s);
  }
  for (const PatternReference& reference : plan_.references) {
    if (reference.column == PatternReference::kPresence) continue;
    CaptureRule& rule = rules[reference.state];
    rule.stored = true;
    uint32_t& asked = reference.from_back ? rule.last_kept : rule.first_kept;
    asked = std::max(asked, reference.place + 1);
    kept[rule.store][static_cast<size_t>(reference.column)] = true;
  }
  std::vector<RowStore*> stores;
  for (size_t i = 0; i < plan_.inputs.size(); ++i) {
    inputs_.push_back(std::make_unique<Input>(*this, static_cast<uint32_t>(i)));
    stores_.push_back(
        std::make_unique<RowStore>(plan_.inputs[i], std::move(kept[i]), context.strings()));
    stores.push_back(stores_.back().get());
  }
  if (plan_.sequence && start_states_.size() == 1) {
    const PatternState& start = plan_.states[start_states_[0]];
    rearms_ = start.kind == PatternState::Kind::kSingle &&
              start.every == static_cast<int32_t>(start_states_[0]) &&
              start.restarts == PatternState::kNone;
  }
  passing_ = plan_.sequence &&
             std::all_of(plan_.states.begin(), plan_.states.end(), [](const PatternState& state) {
               return state.kind == PatternState::Kind::kSingle;
             });
  if (passing_) passing_pending_.resize(plan_.states.size());
  partials_ = std::make_unique<PartialMatches>(std::move(rules), std::move(stores));
  for (size_t s = plan_.states.size(); s-- > 0;) {
    states_of_input_[plan_.states[s].input].push_back(static_cast<uint32_t>(s));
  }
}

PatternOperator::~PatternOperator() = default;

Receiver& PatternOperator::input(uint32_t index) { return *inputs_[index]; }

void PatternOperator::push_fresh(uint32_t state, PartialId id) {
  if (id != kVirgin) partials_->retain(id);
  fresh(state).push(id);
  at_->fresh_mask |= bit(state);
}

void PatternOperator::release_all(SmallIds& list) {
  for (uint32_t k = 0; k < list.size(); ++k) {
    if (list[k] != kVirgin) partials_->release(list[k]);
  }
  list.clear();
}

void PatternOperator::clear_pending(uint32_t state) {
  release_all(pending(state));
  at_->pending_mask &= ~bit(state);
}

/// What instances keep of the chunk in hand is stored.
void PatternOperator::settle() {
  partials_->free_unowned();
  partials_->settle(*in_hand_, input_in_hand_);
}

void PatternOperator::receive(uint32_t input, const Chunk& chunk) {
  in_hand_ = &chunk;
  input_in_hand_ = input;
  FrameSource source = chunk.source();
  Frame frame{chunk.rows, &source, context_.now()};
  for (uint32_t s : states_of_input_[input]) {
    std::vector<uint8_t>& passes = passes_[s];
    if (!plan_.states[s].local) {
      passes.assign(chunk.rows, 1);
      continue;
    }
    Vec truth = plan_.states[s].local->evaluate(frame);
    if (!truth.constant && truth.nulls == nullptr) {
      passes.assign(truth.as<uint8_t>(), truth.as<uint8_t>() + chunk.rows);
      continue;
    }
    passes.resize(chunk.rows);
    for (uint32_t i = 0; i < chunk.rows; ++i) {
      passes[i] = static_cast<uint8_t>(truth.at<uint8_t>(i) != 0 && !truth.is_null(i));
    }
  }
  // Where a chunk has several events, or matches may come back as events, what matches bring about
  // comes when all events have been offered.
  bool behind_chunk = !chunk.single_row_chunks() || context_.loops();
  bool several_states = states_of_input_[input].size() > 1;
  constexpr uint32_t kAhead = 8;
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    if (i + kAhead < chunk.rows) {
      uint32_t key = chunk.key(i + kAhead);
      if (!rearms_ || !passes_by(input, key, i + kAhead)) prefetch(key);
    }
    if (rearms_ && passes_by(input, chunk.key(i), i)) continue;
    uint32_t before = out_.rows();
    offer(input, chunk, i);
    if (behind_chunk || out_.rows() <= before + 1) continue;
    if (output_ids_[before] == output_ids_.back()) continue;
    hand_on_one_by_one(matches());
    clear_matches();
  }
  if (behind_chunk) return hand_on_behind_chunk(several_states);
  hand_on();
  settle();
}

/// The matches of an event go on one by one; where several states read its stream, what they make
/// of an event at one state goes on together.
void PatternOperator::note_matches(uint32_t input) {
  bool together = states_of_input_[input].size() > 1;
  uint32_t id = output_ids_.empty() ? 0 : output_ids_.back() + 1;
  while (output_ids_.size() < out_.rows()) output_ids_.push_back(together ? id : id++);
}

/// As hand_on_one_by_one(), but nothing is in hand any more: what comes of the matches may be
/// events for this pattern.
void PatternOperator::hand_on_behind_chunk(bool selected_first) {
  if (out_.rows() == 0) return settle();
  EventBatch batch = std::exchange(out_, EventBatch(out_.schema_ptr()));
  own_strings(batch);  // before the instances they come from are freed
  std::vector<uint32_t> output_ids = std::exchange(output_ids_, {});
  std::vector<uint32_t> keys = std::exchange(keys_, {});
  std::vector<uint32_t> causes = std::exchange(causes_, {});
  settle();
  Chunk all;
  all.batch = &batch;
  all.rows = batch.rows();
  all.output_ids = output_ids.data();
  all.keys = keys.data();
  all.causes = causes.data();
  if (gate_ != nullptr && selected_first) gate_->close();
  hand_on_one_by_one(all);
  if (gate_ != nullptr && selected_first) gate_->open();
}

/// Asks for the memory of an instance that comes up soon.
void PatternOperator::prefetch(uint32_t key) const {
  size_t first = size_t{key} * lists_per_key();
  if (first + lists_per_key() > lists_.size()) return;
  __builtin_prefetch(&instances_.all()[key]);
  constexpr size_t kListsInLine = 64 / sizeof(SmallIds);
  for (size_t list = 0; list < lists_per_key(); list += kListsInLine) {
    __builtin_prefetch(&lists_[first + list]);
  }
}

void PatternOperator::go_to(uint32_t key) {
  at_ = &instances_.at(key);
  size_t first = size_t{key} * lists_per_key();
  if (first + lists_per_key() > lists_.size()) {
    lists_.resize(instances_.all().capacity() * lists_per_key());
    busy_.resize(instances_.all().capacity());
  }
  at_fresh_ = &lists_[first];
  at_pending_ = passing_ ? passing_pending_.data() : at_fresh_ + plan_.states.size();
}

/// Nothing of the sequence is on its way, and the event begins nothing.
bool PatternOperator::passes_by(uint32_t input, uint32_t key, uint32_t i) const {
  uint32_t start = start_states_[0];
  if (plan_.states[start].input == input && passes_[start][i] != 0) return false;
  return key >= busy_.size() || busy_[key] == 0;
}

void PatternOperator::offer(uint32_t input, const Chunk& chunk, uint32_t i) {
  go_to(chunk.key(i));
  if (!at_->begun) {
    at_->begun = true;
    for (uint32_t s : start_states_) begin_instance(s);
  }
  if (plan_.within_ms && !none_too_old(chunk.timestamp(i))) expire(chunk.timestamp(i));
  if (plan_.sequence) {
    uint64_t waiting = at_->pending_mask | (rearms_ ? 0 : start_mask_);
    for_each_state_backwards(waiting, [this](uint32_t s) { reset(s); });
    for_each_state(at_->fresh_mask | at_->restart_mask, [this](uint32_t s) { update(s); });
  } else {
    for (uint32_t s : states_of_input_[input]) update(s);
  }
  for (uint32_t s : states_of_input_[input]) {
    if ((at_->pending_mask & bit(s)) != 0) process(s, chunk, i);
    if (rearms_ && s == start_states_[0]) begin_again(s, chunk, i);
    if (output_ids_.size() < out_.rows()) note_matches(input);
  }
  // What waits for another stream's event has been passed over.
  if (passing_) for_each_state(at_->pending_mask, [this](uint32_t s) { clear_pending(s); });
  bool idle = at_->idle();
  if (rearms_) busy_[chunk.key(i)] = idle ? 0 : 1;
  if (idle) {
    at_->earliest_ms = INT64_MAX;
    at_->latest_ms = INT64_MIN;
  }
}

/// The event begins an instance in a state that stands in no list because it always waits.
void PatternOperator::begin_again(uint32_t state, const Chunk& chunk, uint32_t i) {
  if (!passes(state, kVirgin, chunk, i)) return;
  PartialId id = partials_->create();
  partials_->retain(id);
  take(id, state, chunk, i);
  if (complete_) emit(id, chunk, i);
  partials_->release(id);
}

/// The state takes the event; the instance moves on.
void PatternOperator::take(PartialId id, uint32_t state, const Chunk& chunk, uint32_t i) {
  int64_t time = chunk.timestamp(i);
  if (plan_.states[state].start && !partials_->has(id, state)) {
    at_->earliest_ms = std::min(at_->earliest_ms, time);
    at_->latest_ms = std::max(at_->latest_ms, time);
  }
  partials_->take(id, state, chunk, i);
  partials_->set_timestamp(id, time);
  changed_ = complete_ = false;
  taken(state, id);
}

/// Offers the event to every instance that waits in the state.
void PatternOperator::process(uint32_t state, const Chunk& chunk, uint32_t i) {
  using Kind = PatternState::Kind;
  const PatternState& rule = plan_.states[state];
  SmallIds& waiting = pending(state);
  uint32_t kept = 0;
  uint32_t count = waiting.size();
  for (uint32_t k = 0; k < count; ++k) {
    PartialId id = waiting[k];
    if (id != kVirgin) {
      // A counted instance whose next state has been reached takes no more.
      bool moved_on = rule.kind == Kind::kCount &&
                      ((state + 1 < plan_.states.size() && partials_->has(id, state + 1)) ||
                       (state + 2 < plan_.states.size() && partials_->has(id, state + 2)));
      bool other_way =
          rule.kind == Kind::kOr && partials_->has(id, static_cast<uint32_t>(rule.partner));
      if (moved_on || other_way) {
        partials_->release(id);
        continue;
      }
    }
    if (!passes(state, id, chunk, i)) {
      if (!plan_.sequence) {
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
    if (complete_) emit(id, chunk, i);
    if (changed_) {
      partials_->release(id);
    } else {
      waiting[kept++] = id;
    }
  }
  waiting.truncate(kept);
  if (kept == 0) at_->pending_mask &= ~bit(state);
}

bool PatternOperator::passes(uint32_t state, PartialId id, const Chunk& chunk, uint32_t i) {
  if (passes_[state][i] == 0) return false;
  const PatternState& rule = plan_.states[state];
  if (!rule.correlated) return true;
  references_row_.clear();
  for (uint32_t r : rule.correlated_references) {
    append_reference(plan_.references[r], id, references_row_.column(r));
  }
  uint32_t row = chunk.row(i);
  FrameSource sources[2];
  sources[PatternSource::kEvent] = {chunk.batch, nullptr, row, false};
  sources[PatternSource::kReferences] = {&references_row_, nullptr, 0, false};
  picked_.clear();
  select_rows(*rule.correlated, {1, sources, context_.now()}, picked_);
  return !picked_.empty();
}

void PatternOperator::taken(uint32_t state, PartialId id) {
  const PatternState& rule = plan_.states[state];
  switch (rule.kind) {
    case PatternState::Kind::kSingle:
    case PatternState::Kind::kOr:
      changed_ = true;
      return advance(state, id);
    case PatternState::Kind::kAnd:
      changed_ = true;
      if (partials_->has(id, static_cast<uint32_t>(rule.partner))) advance(state, id);
      return;
    case PatternState::Kind::kCount:
      break;
  }
  int64_t count = partials_->count(id, state);
  if (plan_.sequence) {
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

void PatternOperator::advance(uint32_t state, PartialId id) {
  const PatternState& rule = plan_.states[state];
  if (rule.last) complete_ = true;
  if (rule.next != PatternState::kNone) add_state(static_cast<uint32_t>(rule.next), id);
  if (rule.every != PatternState::kNone) add_every(static_cast<uint32_t>(rule.every), id);
  if (rule.restarts != PatternState::kNone) restart_start(state);
}

void PatternOperator::min_count_reached(uint32_t state, PartialId id) {
  const PatternState& rule = plan_.states[state];
  if (rule.last) complete_ = changed_ = true;
  if (rule.next != PatternState::kNone) add_state(static_cast<uint32_t>(rule.next), id);
  if (rule.every != PatternState::kNone) add_every(static_cast<uint32_t>(rule.every), id);
}

void PatternOperator::add_state(uint32_t state, PartialId id) {
  const PatternState& rule = plan_.states[state];
  bool logical = rule.kind == PatternState::Kind::kAnd || rule.kind == PatternState::Kind::kOr;
  bool only_one = plan_.sequence || (logical && rule.start);
  if (!only_one || fresh(state).empty()) push_fresh(state, id);
  if (logical) {
    auto partner = static_cast<uint32_t>(rule.partner);
    if (!only_one || fresh(partner).empty()) push_fresh(partner, id);
  }
  if (rule.kind == PatternState::Kind::kCount && rule.min_count == 0 &&
      !partials_->has(id, state)) {
    min_count_reached(state, id);
  }
}

/// The part under `every` is through: an instance with what came before it begins anew.
void PatternOperator::add_every(uint32_t state, PartialId id) {
  if (rearms_ && state == start_states_[0]) return;  // it waits in any case
  const PatternState& rule = plan_.states[state];
  bool needs_events = state != 0 || rule.kind != PatternState::Kind::kSingle;
  uint32_t first = state;  // of a pair neither half is kept
  if (rule.partner != PatternState::kNone) {
    first = std::min(first, static_cast<uint32_t>(rule.partner));
  }
  PartialId copy = needs_events ? partials_->copy_before(id, first) : kVirgin;
  push_fresh(state, copy);
  if (rule.partner != PatternState::kNone) push_fresh(static_cast<uint32_t>(rule.partner), copy);
}

void PatternOperator::begin_instance(uint32_t state) {
  const PatternState& rule = plan_.states[state];
  if (rearms_ || !rule.start || (at_->initialized && rule.every == PatternState::kNone)) return;
  bool plain = rule.kind == PatternState::Kind::kSingle ||
               (rule.kind == PatternState::Kind::kCount && rule.min_count > 0);
  if (plain) {
    if (!plan_.sequence || fresh(state).empty()) push_fresh(state, kVirgin);
  } else {
    PartialId id = partials_->create();
    partials_->retain(id);
    add_state(state, id);
    partials_->release(id);
  }
  at_->initialized = true;
}

void PatternOperator::restart_start(uint32_t state) {
  at_->restart_mask |= bit(static_cast<size_t>(plan_.states[state].restarts));
}

bool PatternOperator::too_old(PartialId id, int64_t time) const {
  for (uint32_t s : start_states_) {
    if (!partials_->has(id, s)) continue;
    if (distance(partials_->first_time(id, s), time) > *plan_.within_ms) return true;
  }
  return false;
}

/// What began in a sequence lies so near that no look at each instance is needed.
bool PatternOperator::none_too_old(int64_t time) const {
  if (!plan_.sequence) return false;
  if (at_->earliest_ms > at_->latest_ms) return true;
  return distance(at_->earliest_ms, time) <= *plan_.within_ms &&
         distance(at_->latest_ms, time) <= *plan_.within_ms;
}

void PatternOperator::expire(int64_t time) {
  for_each_state(at_->pending_mask | at_->fresh_mask, [&](uint32_t s) {
    PartialId expired = kVirgin;
    auto let_go = [&](PartialId id) {
      if (!partials_->expired(id)) {
        partials_->set_expired(id);
        expired = id;
      }
      partials_->release(id);
    };
    SmallIds& waiting = pending(s);
    uint32_t front = 0;
    while (front < waiting.size() && waiting[front] != kVirgin && too_old(waiting[front], time)) {
      let_go(waiting[front++]);
    }
    if (front > 0) {
      std::copy(waiting.data() + front, waiting.data() + waiting.size(), waiting.data());
      waiting.truncate(waiting.size() - front);
      if (waiting.empty()) at_->pending_mask &= ~bit(s);
    }
    SmallIds& beginning = fresh(s);
    uint32_t kept = 0;
    for (uint32_t k = 0; k < beginning.size(); ++k) {
      if (beginning[k] != kVirgin && too_old(beginning[k], time)) {
        let_go(beginning[k]);
      } else {
        beginning[kept++] = beginning[k];
      }
    }
    beginning.truncate(kept);
    if (kept == 0) at_->fresh_mask &= ~bit(s);
    int32_t begins = plan_.states[s].within_every;
    if (expired == kVirgin || begins == PatternState::kNone) return;
    add_every(static_cast<uint32_t>(begins), expired);
    update(static_cast<uint32_t>(begins));
  });
}

/// A new event comes to a sequence: what still waits has been passed over.
void PatternOperator::reset(uint32_t state) {
  const PatternState& rule = plan_.states[state];
  if (rule.kind == PatternState::Kind::kAnd || rule.kind == PatternState::Kind::kOr) {
    auto partner = static_cast<uint32_t>(rule.partner);
    bool half_way = pending(state).size() != pending(partner).size();
    if (rule.kind == PatternState::Kind::kAnd && half_way) return;
    clear_pending(partner);
  }
  clear_pending(state);
  if (rule.start && fresh(state).empty()) begin_instance(state);
}

/// What was added since the last event may take this one.
void PatternOperator::update(uint32_t state) {
  if ((at_->restart_mask & bit(state)) != 0) {
    at_->restart_mask &= ~bit(state);
    begin_instance(state);
  }
  move_fresh(state);
  int32_t partner = plan_.states[state].partner;
  if (partner != PatternState::kNone) move_fresh(static_cast<uint32_t>(partner));
}

/// Oldest first, beginners last.
void PatternOperator::move_fresh(uint32_t state) {
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

void PatternOperator::append_reference(const PatternReference& reference, PartialId id,
                                       Column& to) {
  if (reference.column == PatternReference::kPresence) {
    return to.append(static_cast<uint8_t>(id != kVirgin &&
                                          reference.place < partials_->count(id, reference.state)));
  }
  Slot slot = RowStore::kNoSlot;
  if (id != kVirgin) {
    slot = reference.from_back ? partials_->from_back(id, reference.state, reference.place)
                               : partials_->from_front(id, reference.state, reference.place);
  }
  if (slot == RowStore::kNoSlot) return to.append_null();
  if (PartialMatches::in_hand(slot)) {
    uint32_t row = in_hand_->row(PartialMatches::row_in_hand(slot));
    return append_value(in_hand_->batch->column(static_cast<size_t>(reference.column)), row, to);
  }
  stores_[plan_.states[reference.state].input]->gather_column(
      &slot, 1, static_cast<size_t>(reference.column), to);
}

void PatternOperator::emit(PartialId id, const Chunk& chunk, uint32_t i) {
  for (size_t c = 0; c < plan_.outputs.size(); ++c) {
    append_reference(plan_.references[plan_.outputs[c]], id, out_.column(c));
  }
  out_.end_row(partials_->timestamp(id));
  keys_.push_back(chunk.key(i));
  causes_.push_back(chunk.cause(i));
}

Chunk PatternOperator::matches() const {
  Chunk chunk;
  chunk.batch = &out_;
  chunk.rows = out_.rows();
  chunk.output_ids = output_ids_.data();
  chunk.keys = keys_.data();
  chunk.causes = causes_.data();
  return chunk;
}

void PatternOperator::hand_on_one_by_one(const Chunk& matches) {
  for (uint32_t begin = 0, end = 0; begin < matches.rows; begin = end) {
    ++end;
    while (end < matches.rows && matches.output_ids[end] == matches.output_ids[begin]) ++end;
    next_.receive(matches.part(begin, end));
  }
}

void PatternOperator::clear_matches() {
  out_.clear();
  output_ids_.clear();
  keys_.clear();
  causes_.clear();
}

void PatternOperator::hand_on() {
  if (out_.rows() == 0) return;
  next_.receive(matches());
  clear_matches();
}

void PatternOperator::drop_key(uint32_t key) {
  if (key >= instances_.all().size() || !instances_.at(key).begun) return;
  go_to(key);
  for (size_t list = 0; list < lists_per_key(); ++list) release_all(at_fresh_[list]);
  *at_ = Instances{};
  busy_[key] = 0;
  partials_->free_unowned();
}

size_t PatternOperator::state_bytes() const {
  size_t bytes = partials_->bytes() + instances_.all().capacity() * sizeof(Instances) +
                 busy_.capacity() + lists_.capacity() * sizeof(SmallIds);
  for (const SmallIds& list : lists_) bytes += list.heap_bytes();
  for (const auto& store : stores_) bytes += store->bytes();
  return bytes;
}

}  // namespace pollux
