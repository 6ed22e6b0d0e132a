// Looks through an operator's state every so often, as long as there is some.
//
// It is armed by a row, so a plan at rest asks for no time. Thread: the shard's.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "engine/operators/plan_context.h"

namespace pollux {

class Sweeper final : public TimerOperator {
 public:
  static constexpr int64_t kPeriodMs = 10'000;

  /// `sweep(now)` returns whether it wants to look again without another row.
  Sweeper(PlanContext& context, int64_t period_ms, std::function<bool(int64_t now)> sweep)
      : TimerOperator(context, period_ms),
        context_(context),
        period_ms_(period_ms),
        sweep_(std::move(sweep)) {}

  /// There is state; `clock` is that of the row which made it.
  void arm(int64_t clock) {
    if (!armed_) schedule(0, clock + period_ms_);
    armed_ = true;
  }

  void archive(StateArchive& archive) {
    TimerOperator::archive(archive);
    archive(armed_);
  }

 private:
  void on_timer(uint32_t) override {
    armed_ = false;
    int64_t now = context_.now();
    if (sweep_(now)) arm(now);
  }

  PlanContext& context_;
  int64_t period_ms_;
  std::function<bool(int64_t now)> sweep_;
  bool armed_ = false;
};

}  // namespace pollux
