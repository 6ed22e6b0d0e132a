#include "engine/operators/windows_sliding.h"

namespace pollux {

void SlidingWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  const State& held = state(key);
  for (uint32_t i = 0; i < held.size(); ++i) slots.push_back(held[i].slot);
}

void SlidingWindow::expire_front(uint32_t key, int64_t clock) {
  Held left = state(key).pop();
  emit_expired(key, left.slot, clock);
  release_later(left.slot);
}

void SlidingWindow::expire_until(uint32_t key, int64_t time, int64_t clock) {
  State& held = state(key);
  while (!held.empty() && held.front().time + plan().extent <= time) expire_front(key, clock);
}

void SlidingWindow::release_key(uint32_t key) {
  State& held = state(key);
  while (!held.empty()) release_later(held.pop().slot);
}

void SlidingWindow::archive_held(StateArchive& archive) {
  archive(states_);
  for (const State& held : states_.all()) {
    for (uint32_t i = 0; i < held.size(); ++i) check_slot(archive, held[i].slot);
  }
}

void LengthWindow::enter(uint32_t key, Slot slot, int64_t time, int64_t clock) {
  if (plan().extent == 0) {
    emit_current(key, slot);
    emit_expired(key, slot, rows().timestamp(slot));
    emit_reset();
    return release_later(slot);
  }
  if (state(key).size() >= static_cast<uint64_t>(plan().extent)) expire_front(key, clock);
  state(key).push({slot, time});
  emit_current(key, slot);
}

void TimeWindow::enter(uint32_t key, Slot slot, int64_t time, int64_t clock) {
  expire_until(key, clock, clock);
  bool first = state(key).empty();
  const std::optional<int64_t>& rows_max = plan().rows_max;
  bool full = rows_max && state(key).size() >= static_cast<uint64_t>(*rows_max);
  if (full && !first) expire_front(key, clock);
  emit_current(key, slot);
  if (full && first) return release_later(slot);  // it holds no rows at all
  state(key).push({slot, time});
  if (plan().extent <= 0) return;
  // One deadline for each different time, so that what leaves at one moment leaves together.
  int64_t& last = last_asked_.at(key);
  if (first || last != time) {
    schedule(key, time + plan().extent);
    last = time;
  }
}

void TimeWindow::on_deadline(uint32_t key) {
  cut_chunk();
  expire_until(key, context().now(), context().now());
  cut_chunk();
}

void ExternalTimeWindow::enter(uint32_t key, Slot slot, int64_t time, int64_t) {
  expire_until(key, time, time);
  state(key).push({slot, time});
  emit_current(key, slot);
}

}  // namespace pollux
