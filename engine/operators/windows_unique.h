// Windows of one row a key: unique and firstUnique for ever, and those that keep the last row of
// each key within a length or a time. Batches of one row a key: see windows_batch.h.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "engine/operators/window.h"

namespace pollux {

/// unique(attribute, ...): a row replaces the one of its key; firstUnique(attribute, ...): only the
/// first row of each key goes on.
class UniqueWindow final : public WindowOperator {
 public:
  UniqueWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next), keys_(context.strings()) {}
  void contents(uint32_t key, std::vector<Slot>& slots) override;
  size_t state_bytes() const override;

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;

  GroupTable keys_;
  std::vector<Slot> slot_of_key_;
  KeyedState<std::vector<uint32_t>> seen_;  ///< keys in the order in which they first came
};

/// unique:length(attribute, n) and unique:time(attribute, t): rows leave as from length and time,
/// or when another row of their key comes.
class UniqueSlidingWindow final : public WindowOperator {
 public:
  UniqueSlidingWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next), keys_(context.strings()) {}
  void contents(uint32_t key, std::vector<Slot>& slots) override;
  size_t state_bytes() const override;

 private:
  struct Held {
    Slot slot;
    uint32_t number;  ///< of its key
    int64_t time;

    void archive(StateArchive& archive) { archive(slot, number, time); }
  };
  struct State {
    std::map<uint64_t, Held> held;  ///< by order of arrival
    uint64_t next = 1;
    int64_t last_asked = std::numeric_limits<int64_t>::min();

    void archive(StateArchive& archive) { archive(held, next, last_asked); }
  };

  bool by_time() const { return plan().kind == WindowPlan::Kind::kUniqueTime; }
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void on_deadline(uint32_t key) override;
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;
  void expire(uint32_t key, std::map<uint64_t, Held>::iterator held, int64_t clock);
  void expire_until(uint32_t key, int64_t clock);

  GroupTable keys_;
  std::vector<uint64_t> place_of_key_;  ///< in State::held; 0: none
  KeyedState<State> states_;
};

}  // namespace pollux
