// Stream processors that hold rows, or what is known of them, before they go on: reorder:kslack and
// unique:deduplicate. They stand where filters stand, and nothing leaves them as expired.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "engine/operators/window.h"

namespace pollux {

/// reorder:kslack(time [, timeout [, slack.max [, discard.late]]]): rows go on in the order of
/// their times. They wait as long as the greatest delay seen so far, but not longer than the
/// timeout. Source: Mutschler and Philippsen, "Distributed low-latency out-of-order event
/// processing for high data rate sensor streams", IPDPS 2013.
class ReorderWindow final : public WindowOperator {
 public:
  ReorderWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next) {}
  void contents(uint32_t key, std::vector<Slot>& slots) override;

 private:
  using ByTime = std::map<int64_t, std::vector<Slot>>;
  struct State {
    ByTime waiting;
    int64_t slack = 0;
    std::optional<int64_t> earliest;  ///< of the rows since the greatest time
    std::optional<int64_t> greatest;
    std::optional<int64_t> sent;  ///< the greatest time that went on
    bool timing = false;

    void archive(StateArchive& archive) {
      archive(waiting, slack, earliest, greatest, sent, timing);
    }
  };

  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void on_deadline(uint32_t key) override;
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;
  void let_go_until(uint32_t key, int64_t time);

  KeyedState<State> states_;
};

/// unique:deduplicate(key, t): a row goes on unless one of its key did in the t milliseconds
/// before.
class DeduplicateWindow final : public WindowOperator {
 public:
  DeduplicateWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next), keys_(context.strings()) {}
  void contents(uint32_t, std::vector<Slot>&) override {}
  size_t state_bytes() const override;

 private:
  struct Seen {
    uint32_t number = 0;  ///< of the key
    int64_t time = 0;

    void archive(StateArchive& archive) { archive(number, time); }
  };

  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;
  void forget(const Seen& seen);

  GroupTable keys_;
  std::vector<int64_t> time_of_key_;
  KeyedState<Ring<Seen>> seen_;  ///< rows that went on, the oldest first
};

}  // namespace pollux
