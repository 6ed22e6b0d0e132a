// Windows that rows leave one by one, in the order in which they came.
#pragma once

#include <utility>

#include "engine/operators/window.h"

namespace pollux {

/// A side of a join without a window: each row comes, leaves at once, and aggregations start
/// afresh.
class NoWindow final : public WindowOperator {
 public:
  NoWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next) {}
  void contents(uint32_t, std::vector<Slot>&) override {}

 private:
  void enter(uint32_t key, Slot slot, int64_t, int64_t clock) override {
    emit_current(key, slot);
    emit_expired(key, slot, clock);
    emit_reset();
    cut_chunk();
    release_later(slot);
  }
  void release_key(uint32_t) override {}
  void archive_held(StateArchive&) override {}
};

class SlidingWindow : public WindowOperator {
 public:
  void contents(uint32_t key, std::vector<Slot>& slots) override;

 protected:
  SlidingWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next) {}

  struct Held {
    Slot slot;
    int64_t time;
    void archive(StateArchive& archive) { archive(slot, time); }
  };
  using State = Ring<Held>;

  State& state(uint32_t key) { return states_.at(key); }
  /// The oldest row leaves.
  void expire_front(uint32_t key, int64_t clock);
  void expire_until(uint32_t key, int64_t time, int64_t clock);
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;

 private:
  KeyedState<State> states_;
};

/// length(n): the last n rows.
class LengthWindow final : public SlidingWindow {
 public:
  LengthWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : SlidingWindow(std::move(plan), context, next) {}

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
};

/// time(t): the rows of the last t milliseconds of the clock; timeLength(t, n): n of them at most.
class TimeWindow final : public SlidingWindow {
 public:
  TimeWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : SlidingWindow(std::move(plan), context, next) {}

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void on_deadline(uint32_t key) override;
  void archive_held(StateArchive& archive) override {
    SlidingWindow::archive_held(archive);
    archive(last_asked_);
  }

  KeyedState<int64_t> last_asked_;
};

/// externalTime(attribute, t): as time, by an attribute's value.
class ExternalTimeWindow final : public SlidingWindow {
 public:
  ExternalTimeWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : SlidingWindow(std::move(plan), context, next) {}

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
};

}  // namespace pollux
