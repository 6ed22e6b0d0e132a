// delay(t): rows go on t milliseconds after they came.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>

#include "engine/operators/window.h"

namespace pollux {

class DelayWindow final : public WindowOperator {
 public:
  DelayWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next) {}
  void contents(uint32_t key, std::vector<Slot>& slots) override;

 private:
  struct Held {
    Slot slot;
    int64_t time;
    void archive(StateArchive& archive) { archive(slot, time); }
  };
  struct State {
    Ring<Held> held;
    int64_t newest = std::numeric_limits<int64_t>::min();
    void archive(StateArchive& archive) { archive(held, newest); }
  };

  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void on_deadline(uint32_t key) override;
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;
  void let_go(uint32_t key, int64_t clock);

  KeyedState<State> states_;
};

}  // namespace pollux
