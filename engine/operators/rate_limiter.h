// Output rates: which of the rows that a query selected go on, and when.
//
// By number of rows or by time; all, the first or the last; of each group when the query groups.
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/language/ast.h"
#include "engine/operators/group_table.h"
#include "engine/operators/plan_context.h"
#include "engine/operators/row_store.h"
#include "engine/operators/selector.h"

namespace pollux {

class RateLimiter final : public SelectedReceiver, public KeyedOperator {
 public:
  struct Options {
    ast::OutputRate::Which which = ast::OutputRate::Which::kAll;
    int64_t amount = 1;  ///< rows, or milliseconds
    bool by_time = false;
    bool grouped = false;
    bool keyed = false;  ///< inside a partition: each instance has its own rate
    /// `first` as in 3.1: the firsts of groups are held until n rows of any group have come, or
    /// until the tick; by time without groups it is the first behind a tick.
    bool first_by_steps = false;
  };

  RateLimiter(Options options, SchemaPtr schema, PlanContext& context, SelectedReceiver& next);
  ~RateLimiter() override;

  void receive(const Selected& selected) override;
  void begin_key(uint32_t key, int64_t clock) override;
  void drop_key(uint32_t key) override;
  void drop_keys(const std::vector<bool>& dropped) override;
  size_t state_bytes() const override;
  void archive_state(StateArchive& archive) override;

 private:
  static constexpr uint32_t kSweepGroupsMin = 1024;

  class Ticker;

  struct Held {
    Slot slot;
    uint8_t kind;
    uint32_t group;
    void archive(StateArchive& archive) { archive(slot, kind, group); }
  };
  struct State {
    bool started = false;
    int64_t next_tick_ms = 0;
    int64_t seen = 0;         ///< rows since the last release
    std::vector<Held> held;   ///< in order of release
    bool has_output = false;  ///< first by time, ungrouped
    int64_t last_output_ms = 0;

    void archive(StateArchive& archive) {
      archive(started, next_tick_ms, seen, held, has_output, last_output_ms);
    }
  };

  void take(State& state, uint32_t key, const Selected& selected, uint32_t i);
  /// Rows held, each of which stands for its group.
  bool holds_groups() const {
    return options_.grouped &&
           (options_.which == ast::OutputRate::Which::kLast ||
            (options_.which == ast::OutputRate::Which::kFirst && options_.first_by_steps));
  }
  bool take_first(State& state, uint32_t key, const Selected& selected, uint32_t i);
  void hold(State& state, uint32_t key, const Selected& selected, uint32_t i);
  uint32_t group_of(const Selected& selected, uint32_t i, uint32_t key);
  void drop_held(State& state);
  void sweep(int64_t clock);
  void release_held(State& state, uint32_t key);
  void emit(uint32_t key, Slot slot, uint8_t kind);
  void cut_chunk() { ++chunk_id_; }
  void hand_on();
  void on_tick(uint32_t key);

  Options options_;
  PlanContext& context_;
  SelectedReceiver& next_;
  RowStore store_;
  BatchPool pool_;
  GroupTable groups_;
  /// By group. First: rows counted, or time of the last output. Last: place among the held.
  std::vector<int64_t> group_marks_;
  uint32_t sweep_at_ = kSweepGroupsMin;
  KeyedState<State> states_;
  std::unique_ptr<Ticker> ticker_;

  /// What goes on, row by row.
  struct Emitted {
    std::vector<Slot> slots;
    std::vector<uint8_t> kinds;
    std::vector<uint32_t> chunk_ids, keys, causes;

    void clear();
  };
  Emitted emitted_;
  uint32_t chunk_id_ = 0;
  uint32_t cause_ = 0;
};

}  // namespace pollux
