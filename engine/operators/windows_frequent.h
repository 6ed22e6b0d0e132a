// Windows of the rows whose keys come often: frequent(n [, attribute, ...]) and
// lossyFrequent(support [, error [, attribute, ...]]).
//
// Both hold the last row of each key they count, and give that one back when they drop the key.
// Sources: Misra and Gries, "Finding repeated elements", 1982; Manku and Motwani, "Approximate
// frequency counts over data streams", 2002 (lossy counting).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/operators/window.h"

namespace pollux {

class CountingWindow : public WindowOperator {
 public:
  void contents(uint32_t key, std::vector<Slot>& slots) override;
  size_t state_bytes() const override;

 protected:
  CountingWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next), keys_(context.strings()) {}

  struct Counted {
    Slot slot = RowStore::kNoSlot;
    int64_t count = 0;
    int64_t bucket = 0;  ///< lossyFrequent: how often the key may have come before it was counted

    void archive(StateArchive& archive) { archive(slot, count, bucket); }
  };
  struct State {
    std::vector<uint32_t> counted;  ///< numbers of the keys, the oldest first
    int64_t rows = 0;               ///< that ever came

    void archive(StateArchive& archive) { archive(counted, rows); }
  };

  State& state(uint32_t key) { return states_.at(key); }
  Counted& counted(uint32_t number) { return counted_[number]; }
  /// The number of the key of the row in hand; new ones have no slot.
  uint32_t number_of_row(uint32_t key);
  /// The row stands for its key from now on.
  void replace(Counted& counted, Slot slot);
  void forget(uint32_t number);
  void expire(uint32_t key, uint32_t number, int64_t clock);
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;

 private:
  GroupTable keys_;
  std::vector<Counted> counted_;  ///< by number of the key
  KeyedState<State> states_;
};

/// At most n keys are counted. While all places are taken, a row of another key takes one off each
/// count, and gets a place if that frees any; else it is dropped.
class FrequentWindow final : public CountingWindow {
 public:
  FrequentWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : CountingWindow(std::move(plan), context, next) {}

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void take_one_off(uint32_t key, int64_t clock);
};

/// Rows go on whose key makes up at least support - error of all rows; keys that are too rare are
/// dropped after every 1 / error rows.
class LossyFrequentWindow final : public CountingWindow {
 public:
  LossyFrequentWindow(WindowPlan plan, PlanContext& context, Receiver& next);

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;

  int64_t width_;  ///< rows a bucket
};

}  // namespace pollux
