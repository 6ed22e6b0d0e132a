#include "engine/operators/windows_unique.h"

namespace pollux {

void UniqueWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  for (uint32_t number : seen_.at(key)) slots.push_back(slot_of_key_[number]);
}

size_t UniqueWindow::state_bytes() const {
  return WindowOperator::state_bytes() + keys_.bytes() + slot_of_key_.capacity() * sizeof(Slot);
}

void UniqueWindow::enter(uint32_t key, Slot slot, int64_t, int64_t clock) {
  uint32_t number = keys_.find_or_insert(row_key(), key);
  if (number >= slot_of_key_.size()) slot_of_key_.resize(number + 1, RowStore::kNoSlot);
  Slot& held = slot_of_key_[number];
  if (held == RowStore::kNoSlot) {
    seen_.at(key).push_back(number);
  } else if (plan().kind == WindowPlan::Kind::kFirstUnique) {
    return release_later(slot);
  } else {
    emit_expired(key, held, clock);
    release_later(held);
  }
  held = slot;
  emit_current(key, slot);
}

void UniqueWindow::release_key(uint32_t key) {
  for (uint32_t number : seen_.at(key)) {
    release_later(slot_of_key_[number]);
    slot_of_key_[number] = RowStore::kNoSlot;
    keys_.release(number);
  }
  seen_.at(key) = {};
}

void UniqueWindow::archive_held(StateArchive& archive) {
  archive(keys_);
  archive.list(slot_of_key_, [&](Slot& slot) { store().archive_slot(archive, slot); });
  archive(seen_);
  for (const std::vector<uint32_t>& seen : seen_.all()) {
    for (uint32_t number : seen) {
      bool held = keys_.is_live(number) && number < slot_of_key_.size() &&
                  slot_of_key_[number] != RowStore::kNoSlot;
      if (!held) archive.fail();
    }
  }
}

void UniqueSlidingWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  for (const auto& [order, held] : states_.at(key).held) slots.push_back(held.slot);
}

size_t UniqueSlidingWindow::state_bytes() const {
  size_t rows = store().size();
  return WindowOperator::state_bytes() + keys_.bytes() +
         place_of_key_.capacity() * sizeof(uint64_t) + rows * (sizeof(Held) + 5 * sizeof(void*));
}

void UniqueSlidingWindow::expire(uint32_t key, std::map<uint64_t, Held>::iterator held,
                                 int64_t clock) {
  Held gone = held->second;
  emit_expired(key, gone.slot, clock);
  release_later(gone.slot);
  place_of_key_[gone.number] = 0;
  keys_.release(gone.number);
  states_.at(key).held.erase(held);
}

void UniqueSlidingWindow::expire_until(uint32_t key, int64_t clock) {
  std::map<uint64_t, Held>& held = states_.at(key).held;
  while (!held.empty() && held.begin()->second.time + plan().extent <= clock) {
    expire(key, held.begin(), clock);
  }
}

void UniqueSlidingWindow::enter(uint32_t key, Slot slot, int64_t time, int64_t clock) {
  if (by_time()) expire_until(key, clock);
  State& state = states_.at(key);
  uint32_t same = keys_.find(row_key(), key);
  if (same != GroupTable::kNone) {
    expire(key, state.held.find(place_of_key_[same]), clock);
  } else if (!by_time() && state.held.size() >= static_cast<uint64_t>(plan().extent)) {
    expire(key, state.held.begin(), clock);
  }
  bool first = state.held.empty();
  uint32_t number = keys_.find_or_insert(row_key(), key);
  if (number >= place_of_key_.size()) place_of_key_.resize(number + 1, 0);
  place_of_key_[number] = state.next;
  state.held.emplace_hint(state.held.end(), state.next++, Held{slot, number, time});
  emit_current(key, slot);
  if (!by_time()) return;
  // One deadline for each different time, so that what leaves at one moment leaves together.
  if (first || state.last_asked != time) schedule(key, time + plan().extent);
  state.last_asked = time;
}

void UniqueSlidingWindow::on_deadline(uint32_t key) {
  cut_chunk();
  expire_until(key, context().now());
  cut_chunk();
}

void UniqueSlidingWindow::archive_held(StateArchive& archive) {
  archive(keys_, states_);
  if (!archive.loads()) return;
  place_of_key_.assign(keys_.capacity(), 0);
  uint32_t rows = 0;
  for (uint32_t key = 0; key < states_.all().size(); ++key) {
    for (const auto& [order, held] : states_.at(key).held) {
      check_slot(archive, held.slot);
      bool known = order != 0 && keys_.is_live(held.number) && keys_.instance(held.number) == key;
      if (!known) return archive.fail();
      place_of_key_[held.number] = order;
      ++rows;
    }
  }
  if (rows != keys_.size()) archive.fail();
}

void UniqueSlidingWindow::release_key(uint32_t key) {
  State& state = states_.at(key);
  for (const auto& [order, held] : state.held) {
    release_later(held.slot);
    place_of_key_[held.number] = 0;
    keys_.release(held.number);
  }
  state = State{};
}

}  // namespace pollux
