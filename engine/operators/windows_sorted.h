// sort(n, attribute [, order], ...): the n rows that come first in an order.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/operators/window.h"

namespace pollux {

class SortWindow final : public WindowOperator {
 public:
  SortWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next) {}
  void contents(uint32_t key, std::vector<Slot>& slots) override;

 private:
  struct State {
    std::vector<Slot> held;
    bool sorted = false;  ///< not before the first row has left
    void archive(StateArchive& archive) { archive(held, sorted); }
  };

  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;
  bool before(Slot a, Slot b) const;

  KeyedState<State> states_;
};

}  // namespace pollux
