#include "engine/operators/windows_delay.h"

namespace pollux {

void DelayWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  const Ring<Held>& held = states_.at(key).held;
  for (uint32_t i = 0; i < held.size(); ++i) slots.push_back(held[i].slot);
}

void DelayWindow::let_go(uint32_t key, int64_t clock) {
  Ring<Held>& held = states_.at(key).held;
  while (!held.empty() && held.front().time + plan().extent <= clock) {
    Slot slot = held.pop().slot;
    emit_current_at(key, slot, clock);
    release_later(slot);
  }
}

void DelayWindow::enter(uint32_t key, Slot slot, int64_t time, int64_t clock) {
  let_go(key, clock);
  State& state = states_.at(key);
  if (time > state.newest) {
    state.newest = time;
    schedule(key, time + plan().extent);
  }
  state.held.push({slot, time});
}

void DelayWindow::on_deadline(uint32_t key) {
  cut_chunk();
  let_go(key, context().now());
  cut_chunk();
}

void DelayWindow::archive_held(StateArchive& archive) {
  archive(states_);
  for (const State& state : states_.all()) {
    for (uint32_t i = 0; i < state.held.size(); ++i) check_slot(archive, state.held[i].slot);
  }
}

void DelayWindow::release_key(uint32_t key) {
  State& state = states_.at(key);
  while (!state.held.empty()) release_later(state.held.pop().slot);
  state = State{};
}

}  // namespace pollux
