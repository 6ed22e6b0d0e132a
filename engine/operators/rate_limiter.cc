#include "engine/operators/rate_limiter.h"

#include <algorithm>
#include <utility>

namespace pollux {
namespace {

using Which = ast::OutputRate::Which;
constexpr int64_t kNoMark = INT64_MIN;

}  // namespace

/// The clock of a limiter that releases by time.
class RateLimiter::Ticker final : public TimerOperator {
 public:
  Ticker(RateLimiter& owner, PlanContext& context, int64_t period_ms)
      : TimerOperator(context, period_ms), owner_(owner) {}

  void begin(uint32_t key, int64_t clock) {
    State& state = owner_.states_.at(key);
    state.started = true;
    state.next_tick_ms = clock + owner_.options_.amount;
    schedule(key, state.next_tick_ms);
  }

 private:
  void on_start() override {
    if (owner_.options_.keyed) return;
    begin(0, owner_.context_.now());
  }
  void on_timer(uint32_t key) override {
    owner_.on_tick(key);
    State& state = owner_.states_.at(key);
    state.next_tick_ms =
        next_step(state.next_tick_ms, owner_.options_.amount, owner_.context_.now());
    schedule(key, state.next_tick_ms);
    owner_.hand_on();
  }

  RateLimiter& owner_;
};

RateLimiter::RateLimiter(Options options, SchemaPtr schema, PlanContext& context,
                         SelectedReceiver& next)
    : options_(options),
      context_(context),
      next_(next),
      store_(schema, std::vector<bool>(schema->size(), true), context.strings()),
      pool_(schema),
      groups_(context.strings()) {
  if (options_.by_time && (options_.which != Which::kFirst || options_.first_by_steps)) {
    ticker_ = std::make_unique<Ticker>(*this, context, options_.amount);
  }
}

RateLimiter::~RateLimiter() = default;

void RateLimiter::receive(const Selected& selected) {
  const Chunk& chunk = selected.chunk;
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    uint32_t key = options_.keyed ? chunk.key(i) : 0;
    if (i > 0 && !chunk.continues(i)) cut_chunk();
    cause_ = chunk.cause(i);
    take(states_.at(key), key, selected, i);
  }
  hand_on();
}

uint32_t RateLimiter::group_of(const Selected& selected, uint32_t i, uint32_t key) {
  uint32_t group = groups_.find_or_insert(selected.group_keys[i], key);
  if (group_marks_.size() < groups_.capacity()) group_marks_.resize(groups_.capacity(), kNoMark);
  return group;
}

void RateLimiter::take(State& state, uint32_t key, const Selected& selected, uint32_t i) {
  if (options_.which == Which::kFirst && !holds_groups()) {
    if (take_first(state, key, selected, i)) {
      Slot slot = store_.insert(selected.chunk, i);
      emit(key, slot, selected.chunk.kind(i));
    }
    return;
  }
  hold(state, key, selected, i);
  if (options_.by_time || ++state.seen < options_.amount) return;
  state.seen = 0;
  release_held(state, key);
}

/// Of each n rows, or of each stretch of time, the first; of each group if there are groups.
bool RateLimiter::take_first(State& state, uint32_t key, const Selected& selected, uint32_t i) {
  int64_t clock = context_.clock_at(selected.chunk, i);
  if (!options_.grouped) {
    if (options_.by_time) {
      bool waits = options_.first_by_steps || state.last_output_ms + options_.amount > clock;
      if (state.has_output && waits) return false;
      state.has_output = true;
      state.last_output_ms = clock;
      return true;
    }
    bool first = state.seen == 0;
    state.seen = (state.seen + 1) % options_.amount;
    return first;
  }
  uint32_t group = group_of(selected, i, key);
  int64_t& mark = group_marks_[group];
  bool first = false;
  if (options_.by_time) {
    first = mark == kNoMark || mark + options_.amount <= clock;
    if (first) mark = clock;
    if (groups_.size() >= sweep_at_) sweep(clock);
  } else {
    first = mark == kNoMark;
    mark = first ? 1 : mark + 1;
    if (mark >= options_.amount) {
      mark = kNoMark;
      groups_.release(group);
    }
  }
  return first;
}

/// Forgets the groups whose last output no longer holds anything back.
void RateLimiter::sweep(int64_t clock) {
  for (uint32_t group = 0; group < groups_.capacity(); ++group) {
    if (group_marks_[group] == kNoMark || group_marks_[group] + options_.amount > clock) continue;
    group_marks_[group] = kNoMark;
    groups_.release(group);
  }
  sweep_at_ = std::max(kSweepGroupsMin, 2 * groups_.size());
}

void RateLimiter::hold(State& state, uint32_t key, const Selected& selected, uint32_t i) {
  uint32_t group = holds_groups() ? group_of(selected, i, key) : 0;
  bool first = options_.which == Which::kFirst;
  if (first && group_marks_[group] != kNoMark) return;
  Held fresh{store_.insert(selected.chunk, i), selected.chunk.kind(i), group};
  if (options_.which == Which::kAll) return state.held.push_back(fresh);
  // The last of its group takes the place of the one before.
  int64_t at = state.held.empty() ? kNoMark : 0;
  if (options_.grouped) at = group_marks_[group];
  if (at != kNoMark) {
    store_.release(state.held[static_cast<size_t>(at)].slot);
    state.held[static_cast<size_t>(at)] = fresh;
    return;
  }
  if (options_.grouped) group_marks_[group] = static_cast<int64_t>(state.held.size());
  state.held.push_back(fresh);
}

void RateLimiter::release_held(State& state, uint32_t key) {
  for (const Held& held : state.held) {
    emit(key, held.slot, held.kind);
    if (!holds_groups()) continue;
    group_marks_[held.group] = kNoMark;
    groups_.release(held.group);
  }
  state.held.clear();
}

void RateLimiter::on_tick(uint32_t key) {
  State& state = states_.at(key);
  cause_ = context_.timer_cause();
  state.has_output = false;
  cut_chunk();
  release_held(state, key);
  cut_chunk();
}

void RateLimiter::emit(uint32_t key, Slot slot, uint8_t kind) {
  emitted_.slots.push_back(slot);
  emitted_.kinds.push_back(kind);
  emitted_.chunk_ids.push_back(chunk_id_);
  emitted_.keys.push_back(key);
  emitted_.causes.push_back(cause_);
}

void RateLimiter::hand_on() {
  chunk_id_ = 0;
  if (emitted_.slots.empty()) return;
  // In a plan that feeds itself more rows may come before these are through.
  Emitted emitted = std::exchange(emitted_, {});
  std::shared_ptr<EventBatch> out = pool_.take();
  store_.gather(emitted.slots, *out);
  own_strings(*out);
  for (Slot slot : emitted.slots) store_.release(slot);
  Selected selected;
  Chunk& chunk = selected.chunk;
  chunk.batch = out.get();
  chunk.rows = static_cast<uint32_t>(emitted.slots.size());
  chunk.kinds = emitted.kinds.data();
  chunk.chunk_ids = emitted.chunk_ids.data();
  chunk.keys = options_.keyed ? emitted.keys.data() : nullptr;
  chunk.causes = emitted.causes.data();
  chunk.strings_shared = true;
  selected.batch = std::move(out);
  next_.receive(selected);
  if (!emitted_.slots.empty()) return;
  emitted.clear();
  emitted_ = std::move(emitted);  // for its memory
}

void RateLimiter::Emitted::clear() {
  slots.clear();
  kinds.clear();
  chunk_ids.clear();
  keys.clear();
  causes.clear();
}

void RateLimiter::begin_key(uint32_t key, int64_t clock) {
  if (ticker_ && !states_.at(key).started) ticker_->begin(key, clock);
}

void RateLimiter::drop_key(uint32_t key) {
  std::vector<bool> dropped(key + 1, false);
  dropped[key] = true;
  drop_keys(dropped);
}

void RateLimiter::drop_keys(const std::vector<bool>& dropped) {
  for (uint32_t key = 0; key < dropped.size(); ++key) {
    if (dropped[key]) drop_held(states_.at(key));
  }
  for (uint32_t group = 0; group < groups_.capacity(); ++group) {
    uint32_t key = groups_.instance(group);
    bool ends = key < dropped.size() && dropped[key];
    if (!ends || groups_.find(groups_.key(group), key) != group) continue;
    group_marks_[group] = kNoMark;
    groups_.release(group);
  }
}

void RateLimiter::drop_held(State& state) {
  for (const Held& held : state.held) store_.release(held.slot);
  State emptied;
  emptied.started = state.started;  // its ticks go on and find nothing
  emptied.next_tick_ms = state.next_tick_ms;
  state = std::move(emptied);
}

void RateLimiter::archive_state(StateArchive& archive) {
  archive(store_, groups_, group_marks_, sweep_at_, states_);
  if (ticker_) archive(*ticker_);
  for (const State& state : states_.all()) {
    for (const Held& held : state.held) {
      bool grouped_last = options_.grouped && options_.which == Which::kLast;
      bool known =
          store_.has_slot(held.slot) && (!grouped_last || held.group < group_marks_.size());
      if (archive.loads() && !known) archive.fail();
    }
  }
  if (group_marks_.size() < groups_.capacity()) archive.fail();
}

size_t RateLimiter::state_bytes() const {
  return store_.bytes() + groups_.bytes() + group_marks_.capacity() * sizeof(int64_t);
}

}  // namespace pollux
