#include "engine/operators/windows_reorder.h"

#include <algorithm>

namespace pollux {

void ReorderWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  for (const auto& [time, rows] : states_.at(key).waiting) {
    slots.insert(slots.end(), rows.begin(), rows.end());
  }
}

void ReorderWindow::let_go_until(uint32_t key, int64_t until) {
  State& state = states_.at(key);
  while (!state.waiting.empty() && state.waiting.begin()->first <= until) {
    state.sent = state.waiting.begin()->first;
    for (Slot slot : state.waiting.begin()->second) {
      emit_current(key, slot);
      release_later(slot);
    }
    state.waiting.erase(state.waiting.begin());
  }
}

/// The slack grows when a greater time comes: by then it is known how late the rows before it were.
void ReorderWindow::enter(uint32_t key, Slot slot, int64_t time, int64_t clock) {
  State& state = states_.at(key);
  if (plan().drop_late && state.sent && time < *state.sent) return release_later(slot);
  state.waiting[time].push_back(slot);
  state.earliest = std::min(state.earliest.value_or(time), time);
  if (plan().timeout_ms > 0 && !state.timing) {
    state.timing = true;
    schedule(key, clock + plan().timeout_ms);
  }
  if (state.greatest && time <= *state.greatest) return;
  state.greatest = time;
  state.slack = std::max(state.slack, std::min(time - *state.earliest, plan().slack_max_ms));
  state.earliest.reset();
  let_go_until(key, time - state.slack);
}

void ReorderWindow::on_deadline(uint32_t key) {
  State& state = states_.at(key);
  state.timing = false;
  state.earliest.reset();
  cut_chunk();
  if (!state.waiting.empty()) let_go_until(key, state.waiting.rbegin()->first);
  cut_chunk();
}

void ReorderWindow::release_key(uint32_t key) {
  State& state = states_.at(key);
  for (const auto& [time, rows] : state.waiting) {
    for (Slot slot : rows) release_later(slot);
  }
  state = State{};
}

void ReorderWindow::archive_held(StateArchive& archive) {
  archive(states_);
  for (const State& state : states_.all()) {
    for (const auto& [time, rows] : state.waiting) check_slots(archive, rows);
  }
}

size_t DeduplicateWindow::state_bytes() const {
  size_t bytes = WindowOperator::state_bytes() + keys_.bytes();
  for (const Ring<Seen>& seen : seen_.all()) bytes += seen.bytes();
  return bytes + time_of_key_.capacity() * sizeof(int64_t);
}

void DeduplicateWindow::forget(const Seen& seen) {
  if (time_of_key_[seen.number] == seen.time) keys_.release(seen.number);
}

void DeduplicateWindow::enter(uint32_t key, Slot slot, int64_t time, int64_t) {
  Ring<Seen>& seen = seen_.at(key);
  while (!seen.empty() && time - seen.front().time > plan().extent) forget(seen.pop());
  release_later(slot);
  uint32_t same = keys_.find(row_key(), key);
  if (same != GroupTable::kNone && time - time_of_key_[same] <= plan().extent) return;
  uint32_t number = keys_.find_or_insert(row_key(), key);
  if (number >= time_of_key_.size()) time_of_key_.resize(number + 1);
  time_of_key_[number] = time;
  seen.push({number, time});
  emit_current(key, slot);
}

void DeduplicateWindow::release_key(uint32_t key) {
  Ring<Seen>& seen = seen_.at(key);
  while (!seen.empty()) forget(seen.pop());
  seen = {};
}

void DeduplicateWindow::archive_held(StateArchive& archive) {
  archive(keys_, time_of_key_, seen_);
  for (const Ring<Seen>& seen : seen_.all()) {
    for (uint32_t i = 0; i < seen.size(); ++i) {
      uint32_t number = seen[i].number;
      bool known = number < time_of_key_.size() &&
                   (time_of_key_[number] != seen[i].time || keys_.is_live(number));
      if (archive.loads() && !known) archive.fail();
    }
  }
}

}  // namespace pollux
