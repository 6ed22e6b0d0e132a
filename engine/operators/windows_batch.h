// Windows that hold rows until a batch is full, and let it go on as one chunk: first the rows of
// the batch before, as expired, then a reset, then the rows of this one. Where the plan says what
// tells rows apart, a batch has one row a key, which stands where the first of them came.
#pragma once

#include <utility>

#include "engine/operators/unique_index.h"
#include "engine/operators/window.h"

namespace pollux {

class BatchWindow : public WindowOperator {
 public:
  void contents(uint32_t key, std::vector<Slot>& slots) override;
  size_t state_bytes() const override;

 protected:
  BatchWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : WindowOperator(std::move(plan), context, next), index_(context.strings()) {}

  struct State {
    std::vector<Slot> current;   ///< of the batch that is being filled
    std::vector<Slot> previous;  ///< of the batch before; kept while somebody asks for them
    std::vector<uint32_t> current_keys, previous_keys;  ///< numbers, where keys are looked at
    bool reset = false;                                 ///< a row came since the last reset
    int64_t count = 0;
    int64_t next_ms = -1;  ///< timeBatch: when the batch ends; externalTimeBatch: its end
    int64_t start_ms = 0;
    int64_t greatest_ms = 0;  ///< externalTimeBatch: the latest time seen
    int64_t timeout_at_ms = 0;
    bool ends = false;     ///< timeBatch: the batch ends with the chunk in hand
    bool flushed = false;  ///< externalTimeBatch: the batch went out on its timeout

    void archive(StateArchive& archive) {
      archive(current, previous, current_keys, previous_keys, reset, count, next_ms, start_ms,
              greatest_ms, timeout_at_ms, ends, flushed);
    }
  };

  State& state(uint32_t key) { return states_.at(key); }
  bool unique() const { return !plan().row_keys.empty(); }
  bool keeps_previous() const { return plan().expired_wanted || plan().searched; }
  void add(State& state, uint32_t key, Slot slot);
  /// Expired rows, reset, current rows; the current become the previous ones.
  void flush(State& state, uint32_t key, int64_t clock, bool keep);
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;
  /// The rows of both batches, one a key, become the previous ones.
  void merge_previous(State& state);
  void forget_current(State& state);
  void forget_previous(State& state);

 private:
  bool cuts_go_alone() const override { return true; }
  void add_unique(State& state, uint32_t key, Slot slot);

  UniqueIndex index_;
  KeyedState<State> states_;
};

/// lengthBatch(n).
class LengthBatchWindow final : public BatchWindow {
 public:
  LengthBatchWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : BatchWindow(std::move(plan), context, next) {}

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
};

/// timeBatch(t [, start]): by the clock.
class TimeBatchWindow final : public BatchWindow {
 public:
  TimeBatchWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : BatchWindow(std::move(plan), context, next) {}

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void end_chunk(uint32_t key, int64_t clock) override;
  void on_deadline(uint32_t key) override;
};

/// externalTimeBatch(attribute, t [, start [, timeout [, replace]]]): by an attribute's value.
class ExternalTimeBatchWindow final : public BatchWindow {
 public:
  ExternalTimeBatchWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : BatchWindow(std::move(plan), context, next) {}

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void on_deadline(uint32_t key) override;
  void begin(State& state, uint32_t key, Slot slot, int64_t time, int64_t clock);
  int64_t end_after(const State& state, int64_t time) const;
  void ask_for_timeout(State& state, uint32_t key, int64_t clock);
  /// The batch went out already: what came since goes out together with it once more.
  void flush_again(State& state, uint32_t key, int64_t clock, bool keep);
};

/// cron(expression): a batch goes on at each moment of the expression.
class CronWindow final : public BatchWindow {
 public:
  CronWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : BatchWindow(std::move(plan), context, next) {}

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void on_deadline(uint32_t key) override;
};

/// batch([n]): each chunk that comes is a batch, or cut into batches of n rows.
class ChunkBatchWindow final : public BatchWindow {
 public:
  ChunkBatchWindow(WindowPlan plan, PlanContext& context, Receiver& next)
      : BatchWindow(std::move(plan), context, next) {}

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void end_chunk(uint32_t key, int64_t clock) override;
  void end_batch(State& state, uint32_t key);
};

}  // namespace pollux
