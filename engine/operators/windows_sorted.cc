#include "engine/operators/windows_sorted.h"

#include <algorithm>

namespace pollux {

void SortWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  const std::vector<Slot>& held = states_.at(key).held;
  slots.insert(slots.end(), held.begin(), held.end());
}

bool SortWindow::before(Slot a, Slot b) const {
  for (const WindowPlan::SortKey& key : plan().sort_keys) {
    int order = store().compare(a, b, key.column);
    if (order != 0) return key.descending ? order > 0 : order < 0;
  }
  return false;
}

void SortWindow::enter(uint32_t key, Slot slot, int64_t, int64_t clock) {
  State& state = states_.at(key);
  std::vector<Slot>& held = state.held;
  emit_current(key, slot);
  if (held.size() < static_cast<uint64_t>(plan().extent)) {
    held.push_back(slot);
    return;
  }
  auto less = [this](Slot a, Slot b) { return before(a, b); };
  if (!state.sorted) std::stable_sort(held.begin(), held.end(), less);
  state.sorted = true;
  held.insert(std::upper_bound(held.begin(), held.end(), slot, less), slot);
  emit_expired(key, held.back(), clock);
  release_later(held.back());
  held.pop_back();
}

void SortWindow::archive_held(StateArchive& archive) {
  archive(states_);
  for (const State& state : states_.all()) check_slots(archive, state.held);
}

void SortWindow::release_key(uint32_t key) {
  State& state = states_.at(key);
  for (Slot slot : state.held) release_later(slot);
  state = State{};
}

}  // namespace pollux
