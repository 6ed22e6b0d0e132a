#include "engine/operators/snapshot_limiter.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/base/check.h"

namespace pollux {
namespace {

bool all_of(const std::vector<bool>& flags) {
  return std::find(flags.begin(), flags.end(), false) == flags.end();
}

bool any_of(const std::vector<bool>& flags) {
  return std::find(flags.begin(), flags.end(), true) != flags.end();
}

}  // namespace

SnapshotLimiter::SnapshotLimiter(Options options, SchemaPtr schema, PlanContext& context,
                                 SelectedReceiver& next)
    : TimerOperator(context, options.period_ms),
      options_(std::move(options)),
      context_(context),
      next_(next),
      holds_rows_(options_.windowed && !all_of(options_.aggregated)),
      aggregates_(holds_rows_ && any_of(options_.aggregated)),
      one_a_group_(aggregates_ && options_.grouped),
      by_group_(options_.grouped && (!holds_rows_ || aggregates_)),
      store_(schema, std::vector<bool>(schema->size(), true), context.strings()),
      pool_(schema),
      groups_(context.strings()),
      shown_(context.strings()) {
  for (size_t c = 0; c < schema->size(); ++c) {
    if (options_.aggregated[c]) continue;
    shown_columns_.push_back(
        std::make_shared<ColumnExpression>((*schema)[c].type, 0, static_cast<uint32_t>(c)));
  }
}

// ---- ticks ----

void SnapshotLimiter::on_start() {
  if (!options_.keyed) begin(0, context_.now());
}

void SnapshotLimiter::begin_key(uint32_t key, int64_t clock) {
  if (!states_.at(key).started) begin(key, clock);
}

void SnapshotLimiter::begin(uint32_t key, int64_t clock) {
  State& state = states_.at(key);
  state.started = true;
  state.next_tick_ms = clock + options_.period_ms;
  schedule(key, state.next_tick_ms);
}

void SnapshotLimiter::on_timer(uint32_t key) {
  State& state = states_.at(key);
  state.next_tick_ms = next_step(state.next_tick_ms, options_.period_ms, context_.now());
  schedule(key, state.next_tick_ms);
  if (!holds_rows_ && options_.windowed && options_.grouped) {
    std::vector<uint32_t> gone;  // groups that have left the window
    for (const auto& [place, held] : state.rows) {
      if (group_states_[held.group].rows <= 0) gone.push_back(held.group);
    }
    for (uint32_t group : gone) forget_last(state, group);
  }
  hand_on(state, key);
}

void SnapshotLimiter::hand_on(const State& state, uint32_t key) {
  std::vector<Slot> slots;
  std::vector<Slot> newest;
  std::vector<uint8_t> kinds;
  std::vector<bool> seen(one_a_group_ ? groups_.capacity() : 0, false);
  for (const auto& [place, held] : state.rows) {
    if (one_a_group_ && seen[held.group]) continue;
    if (one_a_group_) seen[held.group] = true;
    slots.push_back(held.slot);
    kinds.push_back(held.kind);
    if (aggregates_) newest.push_back(group_states_[held.group].newest);
  }
  if (slots.empty() && !options_.tells_empty) return;
  auto rows = static_cast<uint32_t>(slots.size());
  std::shared_ptr<EventBatch> out = pool_.take();
  for (size_t c = 0; c < options_.aggregated.size(); ++c) {
    bool from_newest = aggregates_ && options_.aggregated[c];
    store_.gather_column(from_newest ? newest.data() : slots.data(), rows, c, out->column(c));
  }
  for (Slot slot : slots) out->end_row(store_.timestamp(slot));
  own_strings(*out);
  std::vector<uint32_t> causes(rows, context_.timer_cause());
  std::vector<uint32_t> keys(rows, key);
  Selected selected;
  Chunk& chunk = selected.chunk;
  chunk.batch = out.get();
  chunk.rows = rows;
  chunk.one_chunk = true;
  chunk.kinds = kinds.data();
  chunk.keys = options_.keyed ? keys.data() : nullptr;
  chunk.causes = causes.data();
  chunk.strings_shared = true;
  selected.batch = std::move(out);
  next_.receive(selected);
}

// ---- rows ----

void SnapshotLimiter::receive(const Selected& selected) {
  const Chunk& chunk = selected.chunk;
  const StringRef* keys = holds_rows_ && chunk.rows > 0 ? shown_keys(selected) : nullptr;
  auto reset = selected.resets.begin();
  auto take_resets = [&](uint32_t before) {
    for (; reset != selected.resets.end() && reset->before <= before; ++reset) {
      drop_key(options_.keyed ? reset->key : 0);
    }
  };
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    take_resets(i);
    uint32_t key = options_.keyed ? chunk.key(i) : 0;
    State& state = states_.at(key);
    if (!holds_rows_) {
      take_last(state, key, selected, i);
      continue;
    }
    uint32_t shown = shown_.find_or_insert(keys[i], key);
    if (places_.size() < shown_.capacity()) places_.resize(shown_.capacity());
    take_row(state, key, selected, i, shown);
  }
  take_resets(chunk.rows);
}

/// What each row shows besides aggregates, with its group where groups are told apart.
const StringRef* SnapshotLimiter::shown_keys(const Selected& selected) {
  FrameSource source = selected.chunk.source();
  Frame frame{selected.chunk.rows, &source, context_.now()};
  shown_values_.clear();
  for (const ExpressionPtr& column : shown_columns_) {
    shown_values_.push_back(column->evaluate(frame));
  }
  if (by_group_) {
    shown_values_.push_back({AttributeType::kString, false, selected.group_keys, nullptr});
  }
  return encoder_.encode(shown_values_, selected.chunk.rows);
}

/// Without groups every row of an instance is of one group.
uint32_t SnapshotLimiter::group_of(const Selected& selected, uint32_t i, uint32_t key) {
  uint32_t group = groups_.find_or_insert(by_group_ ? selected.group_keys[i] : StringRef(), key);
  if (group_states_.size() < groups_.capacity()) group_states_.resize(groups_.capacity());
  return group;
}

void SnapshotLimiter::take_last(State& state, uint32_t key, const Selected& selected, uint32_t i) {
  uint8_t kind = selected.chunk.kind(i) & EventKind::kExpired;
  bool leaves = kind != EventKind::kCurrent;
  if (leaves && !options_.windowed) return;
  uint32_t number = group_of(selected, i, key);
  Group& group = group_states_[number];
  auto held = state.rows.find(group.place);
  bool known = held != state.rows.end() && held->second.group == number;
  if (leaves && (!known || !by_group_)) {
    return known ? forget_last(state, number) : release_group(number);
  }
  group.rows += leaves ? -1 : 1;
  Slot fresh = store_.insert(selected.chunk, i);
  if (known) {
    store_.release(held->second.slot);
    held->second.slot = fresh;
    held->second.kind = kind;
    return;
  }
  group.place = next_place_++;
  state.rows[group.place] = {fresh, kind, number, 0};
  if (options_.windowed || state.rows.size() <= context_.limits().groups) return;
  ++context_.counts().groups_evicted;  // nothing else ever takes a group away
  forget_last(state, state.rows.begin()->second.group);
}

void SnapshotLimiter::forget_last(State& state, uint32_t number) {
  auto held = state.rows.find(group_states_[number].place);
  POLLUX_CHECK(held != state.rows.end());
  store_.release(held->second.slot);
  state.rows.erase(held);
  release_group(number);
}

void SnapshotLimiter::release_group(uint32_t number) {
  Group& group = group_states_[number];
  if (group.newest != RowStore::kNoSlot) store_.release(group.newest);
  group = Group{};
  groups_.release(number);
}

void SnapshotLimiter::take_row(State& state, uint32_t key, const Selected& selected, uint32_t i,
                               uint32_t shown) {
  const Chunk& chunk = selected.chunk;
  uint32_t number = 0;
  if ((chunk.kind(i) & EventKind::kExpired) == 0) {
    if (aggregates_) {
      number = group_of(selected, i, key);
      ++group_states_[number].rows;
      set_newest(group_states_[number], chunk, i);
    }
    places_[shown].push_back(next_place_);
    state.rows[next_place_++] = {store_.insert(chunk, i), EventKind::kCurrent, number, shown};
    return;
  }
  bool held = !places_[shown].empty();
  if (held) remove_shown(state, shown);
  if (places_[shown].empty()) shown_.release(shown);
  if (!held || !aggregates_) return;
  number = group_of(selected, i, key);
  if (--group_states_[number].rows == 0) return release_group(number);
  set_newest(group_states_[number], chunk, i);
}

void SnapshotLimiter::remove_shown(State& state, uint32_t shown) {
  auto held = state.rows.find(places_[shown].front());
  places_[shown].pop_front();
  store_.release(held->second.slot);
  state.rows.erase(held);
}

void SnapshotLimiter::set_newest(Group& group, const Chunk& chunk, uint32_t i) {
  if (group.newest != RowStore::kNoSlot) store_.release(group.newest);
  group.newest = store_.insert(chunk, i);
}

void SnapshotLimiter::drop_key(uint32_t key) {
  State& state = states_.at(key);
  std::map<uint64_t, Held> rows = std::exchange(state.rows, {});  // its ticks go on, with nothing
  for (const auto& [place, held] : rows) {
    store_.release(held.slot);
    if (holds_rows_) {
      places_[held.shown].pop_front();
      if (places_[held.shown].empty()) shown_.release(held.shown);
    }
    if (holds_rows_ && !aggregates_) continue;
    Group& group = group_states_[held.group];
    if (!holds_rows_ || --group.rows == 0) release_group(held.group);
  }
}

void SnapshotLimiter::archive_state(StateArchive& archive) {
  archive(store_, groups_, shown_, group_states_, states_, next_place_);
  TimerOperator::archive(archive);
  if (!archive.loads()) return;
  if (group_states_.size() != groups_.capacity()) return archive.fail();
  for (const Group& group : group_states_) {
    if (group.newest != RowStore::kNoSlot && !store_.has_slot(group.newest)) archive.fail();
  }
  places_.assign(shown_.capacity(), {});
  for (const State& state : states_.all()) {
    for (const auto& [place, held] : state.rows) {
      if (!is_sound(held)) return archive.fail();
      if (holds_rows_) places_[held.shown].push_back(place);
    }
  }
}

/// Of a row that was loaded: what it refers to is there.
bool SnapshotLimiter::is_sound(const Held& held) const {
  bool has_group = !holds_rows_ || aggregates_;
  return store_.has_slot(held.slot) && (!holds_rows_ || held.shown < shown_.capacity()) &&
         (!has_group || held.group < group_states_.size());
}

size_t SnapshotLimiter::state_bytes() const {
  size_t rows = 0;
  for (const State& state : states_.all()) rows += state.rows.size();
  return store_.bytes() + groups_.bytes() + shown_.bytes() +
         rows * (sizeof(Held) + 2 * sizeof(uint64_t)) + group_states_.capacity() * sizeof(Group);
}

}  // namespace pollux
