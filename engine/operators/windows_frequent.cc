#include "engine/operators/windows_frequent.h"

#include <cmath>
#include <limits>

namespace pollux {

void CountingWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  for (uint32_t number : state(key).counted) slots.push_back(counted_[number].slot);
}

size_t CountingWindow::state_bytes() const {
  return WindowOperator::state_bytes() + keys_.bytes() + counted_.capacity() * sizeof(Counted);
}

uint32_t CountingWindow::number_of_row(uint32_t key) {
  uint32_t number = keys_.find_or_insert(row_key(), key);
  if (number >= counted_.size()) counted_.resize(number + 1);
  return number;
}

void CountingWindow::replace(Counted& counted, Slot slot) {
  if (counted.slot != RowStore::kNoSlot) release_later(counted.slot);
  counted.slot = slot;
}

void CountingWindow::forget(uint32_t number) {
  if (counted_[number].slot != RowStore::kNoSlot) release_later(counted_[number].slot);
  counted_[number] = Counted{};
  keys_.release(number);
}

void CountingWindow::expire(uint32_t key, uint32_t number, int64_t clock) {
  emit_expired(key, counted_[number].slot, clock);
  forget(number);
}

void CountingWindow::release_key(uint32_t key) {
  for (uint32_t number : state(key).counted) forget(number);
  state(key) = State{};
}

void CountingWindow::archive_held(StateArchive& archive) {
  archive(keys_, counted_, states_);
  for (const Counted& counted : counted_) {
    if (counted.slot != RowStore::kNoSlot) check_slot(archive, counted.slot);
  }
  for (const State& state : states_.all()) {
    for (uint32_t number : state.counted) {
      bool held = keys_.is_live(number) && number < counted_.size() &&
                  counted_[number].slot != RowStore::kNoSlot;
      if (!held) archive.fail();
    }
  }
}

void FrequentWindow::take_one_off(uint32_t key, int64_t clock) {
  std::vector<uint32_t>& keys = state(key).counted;
  size_t kept = 0;
  for (uint32_t number : keys) {
    if (--counted(number).count == 0) {
      expire(key, number, clock);
    } else {
      keys[kept++] = number;
    }
  }
  keys.resize(kept);
}

void FrequentWindow::enter(uint32_t key, Slot slot, int64_t, int64_t clock) {
  uint32_t number = number_of_row(key);
  std::vector<uint32_t>& keys = state(key).counted;
  if (counted(number).slot == RowStore::kNoSlot) {
    auto places = static_cast<uint64_t>(plan().extent);
    if (keys.size() >= places) take_one_off(key, clock);
    if (keys.size() >= places) {
      forget(number);
      return release_later(slot);
    }
    keys.push_back(number);
  }
  replace(counted(number), slot);
  ++counted(number).count;
  emit_current(key, slot);
}

LossyFrequentWindow::LossyFrequentWindow(WindowPlan plan, PlanContext& context, Receiver& next)
    : CountingWindow(std::move(plan), context, next) {
  double width = std::ceil(1 / this->plan().error);
  constexpr auto kMost = static_cast<double>(std::numeric_limits<int32_t>::max());
  width_ = width < kMost ? static_cast<int64_t>(width) : std::numeric_limits<int64_t>::max();
}

void LossyFrequentWindow::enter(uint32_t key, Slot slot, int64_t, int64_t clock) {
  State& all = state(key);
  ++all.rows;
  int64_t bucket = (all.rows - 1) / width_ + 1;
  uint32_t number = number_of_row(key);
  if (counted(number).slot == RowStore::kNoSlot) {
    counted(number).bucket = bucket - 1;
    all.counted.push_back(number);
  }
  replace(counted(number), slot);
  int64_t count = ++counted(number).count;
  double least = (plan().support - plan().error) * static_cast<double>(all.rows);
  if (static_cast<double>(count) >= least) emit_current(key, slot);
  if (all.rows % width_ != 0) return;
  size_t kept = 0;
  for (uint32_t each : all.counted) {
    if (counted(each).count + counted(each).bucket <= bucket) {
      expire(key, each, clock);
    } else {
      all.counted[kept++] = each;
    }
  }
  all.counted.resize(kept);
}

}  // namespace pollux
