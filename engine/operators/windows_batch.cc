#include "engine/operators/windows_batch.h"

#include <algorithm>
#include <utility>

#include "engine/base/time_distance.h"

namespace pollux {

void BatchWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  const State& held = state(key);
  slots.insert(slots.end(), held.previous.begin(), held.previous.end());
}

size_t BatchWindow::state_bytes() const { return WindowOperator::state_bytes() + index_.bytes(); }

void BatchWindow::add(State& held, uint32_t key, Slot slot) {
  if (plan().fold != nullptr) return fold_row(slot);
  held.reset = true;
  if (unique()) return add_unique(held, key, slot);
  if (!plan().stream_current) {
    held.current.push_back(slot);
    return;
  }
  emit_current(key, slot);
  held.previous.push_back(slot);
}

void BatchWindow::add_unique(State& held, uint32_t key, Slot slot) {
  uint32_t number = index_.take(row_key(), key);
  uint32_t& place = index_.place(number);
  if (place == UniqueIndex::kNoPlace) {
    place = static_cast<uint32_t>(held.current.size());
    held.current.push_back(slot);
    held.current_keys.push_back(number);
    return;
  }
  index_.drop(number);  // the row that is there holds the key already
  if (!plan().first_of_key) std::swap(held.current[place], slot);
  release_later(slot);
}

/// The rows have gone elsewhere; their keys go.
void BatchWindow::forget_current(State& held) {
  for (uint32_t number : held.current_keys) {
    index_.place(number) = UniqueIndex::kNoPlace;
    index_.drop(number);
  }
  held.current_keys.clear();
  held.current.clear();
}

void BatchWindow::forget_previous(State& held) {
  for (uint32_t number : held.previous_keys) index_.drop(number);
  held.previous_keys.clear();
  held.previous.clear();
}

void BatchWindow::merge_previous(State& held) {
  for (uint32_t number : held.current_keys) index_.place(number) = UniqueIndex::kNoPlace;
  if (held.previous.empty()) {
    held.previous.swap(held.current);
    held.previous_keys.swap(held.current_keys);
    return;
  }
  for (uint32_t i = 0; i < held.previous_keys.size(); ++i) {
    index_.place(held.previous_keys[i]) = i;
  }
  for (size_t i = 0; i < held.current.size(); ++i) {
    uint32_t place = unique() ? index_.place(held.current_keys[i]) : UniqueIndex::kNoPlace;
    if (place != UniqueIndex::kNoPlace) {
      release_later(std::exchange(held.previous[place], held.current[i]));
      index_.drop(held.current_keys[i]);
      continue;
    }
    held.previous.push_back(held.current[i]);
    if (unique()) held.previous_keys.push_back(held.current_keys[i]);
  }
  for (uint32_t number : held.previous_keys) index_.place(number) = UniqueIndex::kNoPlace;
  held.current.clear();
  held.current_keys.clear();
}

void BatchWindow::flush(State& held, uint32_t key, int64_t clock, bool keep) {
  if (plan().fold != nullptr) return end_fold();
  for (Slot slot : held.previous) {
    emit_expired(key, slot, clock);
    release_later(slot);
  }
  if (held.reset && plan().resets_at_once && !held.previous.empty()) {
    emit_reset_at_once(key, held.previous.back());
  } else if (held.reset) {
    emit_reset();
  }
  forget_previous(held);
  held.reset = false;
  for (Slot slot : held.current) {
    emit_current(key, slot);
    if (!keep) release_later(slot);
  }
  if (keep) {
    merge_previous(held);
  } else {
    forget_current(held);
  }
}

void BatchWindow::release_key(uint32_t key) {
  State& held = state(key);
  for (Slot slot : held.current) release_later(slot);
  for (Slot slot : held.previous) release_later(slot);
  forget_current(held);
  forget_previous(held);
  held = State{};
}

void BatchWindow::archive_held(StateArchive& archive) {
  archive(index_, states_);
  for (const State& held : states_.all()) {
    check_slots(archive, held.current);
    check_slots(archive, held.previous);
    if (!archive.loads()) continue;
    index_.hold_again(archive, held.current_keys, unique() ? held.current.size() : 0, true);
    index_.hold_again(archive, held.previous_keys, unique() ? held.previous.size() : 0, false);
  }
}

void LengthBatchWindow::enter(uint32_t key, Slot slot, int64_t, int64_t clock) {
  State& held = state(key);
  cut_chunk();
  if (plan().extent == 0) {
    emit_current(key, slot);
    emit_expired(key, slot, clock);
    emit_reset();
    return release_later(slot);
  }
  if (plan().stream_current) {
    if (held.count == plan().extent) {
      flush(held, key, clock, false);
      held.count = 0;
    }
    ++held.count;
    return add(held, key, slot);
  }
  add(held, key, slot);
  held.count = unique() ? static_cast<int64_t>(held.current.size()) : held.count + 1;
  if (held.count < plan().extent) return;
  flush(held, key, clock, keeps_previous());
  held.count = 0;
}

void TimeBatchWindow::enter(uint32_t key, Slot slot, int64_t, int64_t clock) {
  State& held = state(key);
  if (held.next_ms == -1) {
    int64_t t = plan().extent;
    held.next_ms = plan().has_start ? clock + (t - (clock - plan().start_ms) % t) : clock + t;
    schedule(key, held.next_ms);
  }
  if (!held.ends &&
      clock >= held.next_ms) {  // the clock leapt, and its deadline has not come up yet
    held.next_ms += plan().extent;
    schedule(key, held.next_ms);
    held.ends = true;
  }
  add(held, key, slot);
}

void TimeBatchWindow::end_chunk(uint32_t key, int64_t clock) {
  State& held = state(key);
  if (!held.ends) return;
  held.ends = false;
  flush(held, key, clock, keeps_previous());
}

void TimeBatchWindow::on_deadline(uint32_t key) {
  State& held = state(key);
  int64_t clock = context().now();
  if (held.next_ms == -1 || clock < held.next_ms) return;
  cut_chunk();
  flush(held, key, clock, keeps_previous());
  cut_chunk();
  held.next_ms = next_step(held.next_ms, plan().extent, clock);
  schedule(key, held.next_ms);
}

int64_t ExternalTimeBatchWindow::end_after(const State& held, int64_t time) const {
  int64_t elapsed = 0;
  if (__builtin_sub_overflow(time, held.start_ms, &elapsed)) return INT64_MAX;
  return later_by(time, plan().extent - elapsed % plan().extent);
}

void ExternalTimeBatchWindow::ask_for_timeout(State& held, uint32_t key, int64_t clock) {
  if (plan().timeout_ms <= 0) return;
  held.timeout_at_ms = later_by(clock, plan().timeout_ms);
  schedule(key, held.timeout_at_ms);
}

void ExternalTimeBatchWindow::begin(State& held, uint32_t key, Slot slot, int64_t time,
                                    int64_t clock) {
  if (plan().start_attribute) {
    EventBatch row(rows().schema());
    rows().gather({slot}, row);
    FrameSource source{&row, nullptr, 0, false};
    Vec start = plan().start_attribute->evaluate({1, &source, clock});
    held.start_ms = start.is_null(0) ? time : start.at<int64_t>(0);
    held.next_ms = later_by(held.start_ms, plan().extent);
  } else if (plan().has_start) {
    held.start_ms = plan().start_ms;
    held.next_ms = end_after(held, time);
  } else {
    held.start_ms = time;
    held.next_ms = later_by(time, plan().extent);
  }
  ask_for_timeout(held, key, clock);
}

void ExternalTimeBatchWindow::enter(uint32_t key, Slot slot, int64_t time, int64_t clock) {
  State& held = state(key);
  if (held.next_ms < 0) begin(held, key, slot, time, clock);
  held.greatest_ms = std::max(held.greatest_ms, time);
  if (time >= held.next_ms) {
    cut_chunk();
    if (held.flushed) {
      flush_again(held, key, held.greatest_ms, keeps_previous());
      held.flushed = false;
    } else {
      flush(held, key, held.greatest_ms, keeps_previous());
    }
    cut_chunk();
    held.next_ms = end_after(held, held.greatest_ms);
    ask_for_timeout(held, key, clock);
  }
  if (plan().replace_column >= 0) {
    Vec end;
    end.type = AttributeType::kLong;
    end.constant = true;
    end.data = &held.next_ms;
    rows().set(slot, static_cast<size_t>(plan().replace_column), end, 0);
  }
  add(held, key, slot);
}

void ExternalTimeBatchWindow::on_deadline(uint32_t key) {
  State& held = state(key);
  if (held.next_ms < 0 || held.timeout_at_ms > context().now()) return;
  cut_chunk();
  if (!held.flushed) {
    flush(held, key, held.greatest_ms, true);
    held.flushed = true;
  } else if (!held.current.empty()) {
    flush_again(held, key, held.greatest_ms, true);
  }
  cut_chunk();
  ask_for_timeout(held, key, context().now());
}

void ExternalTimeBatchWindow::flush_again(State& held, uint32_t key, int64_t clock, bool keep) {
  if (!held.current.empty()) {
    for (Slot slot : held.previous) emit_expired(key, slot, clock);
    emit_reset();
    held.reset = false;
    merge_previous(held);
    for (Slot slot : held.previous) emit_current(key, slot);
  }
  if (keep) return;
  for (Slot slot : held.previous) release_later(slot);
  forget_previous(held);
}

/// A moment without new rows changes nothing, so only rows ask for one.
void CronWindow::enter(uint32_t key, Slot slot, int64_t, int64_t clock) {
  State& held = state(key);
  if (held.next_ms == -1) {
    held.next_ms = plan().cron->next_after(clock);
    if (held.next_ms != INT64_MAX) schedule(key, held.next_ms);
  }
  add(held, key, slot);
}

void CronWindow::on_deadline(uint32_t key) {
  State& held = state(key);
  int64_t clock = context().now();
  if (held.next_ms == -1 || clock < held.next_ms) return;  // of an instance that has gone
  cut_chunk();
  flush(held, key, clock, keeps_previous());
  cut_chunk();
  held.next_ms = -1;
}

void ChunkBatchWindow::enter(uint32_t key, Slot slot, int64_t, int64_t clock) {
  State& held = state(key);
  if (held.count == 0) {  // the first row of a chunk: those of the chunk before leave
    for (Slot gone : held.previous) {
      emit_expired(key, gone, clock);
      release_later(gone);
    }
    held.previous.clear();
  }
  ++held.count;
  held.current.push_back(slot);
  if (static_cast<int64_t>(held.current.size()) == plan().extent) end_batch(held, key);
}

/// A reset goes before each batch but the very first.
void ChunkBatchWindow::end_batch(State& held, uint32_t key) {
  if (held.reset) emit_reset();
  held.reset = true;
  for (Slot slot : held.current) {
    emit_current(key, slot);
    if (!keeps_previous()) release_later(slot);
  }
  if (keeps_previous()) {
    held.previous.insert(held.previous.end(), held.current.begin(), held.current.end());
  }
  held.current.clear();
  cut_chunk();
}

void ChunkBatchWindow::end_chunk(uint32_t key, int64_t) {
  State& held = state(key);
  if (!held.current.empty()) end_batch(held, key);
  held.count = 0;
}

}  // namespace pollux
