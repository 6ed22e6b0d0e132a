// `output snapshot every t`: at each tick the present state of what a query selected.
//
// Without a window that is the last row, or the last of each group. With one it is the rows in the
// window, their aggregates as the newest row has them; where every attribute is an aggregate, one
// row stands for all, or for its group. A row that leaves takes out the oldest that shows the same
// and is of its group. Thread: the shard's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "engine/operators/batch_pool.h"
#include "engine/operators/group_table.h"
#include "engine/operators/plan_context.h"
#include "engine/operators/row_store.h"
#include "engine/operators/selector.h"

namespace pollux {

class SnapshotLimiter final : public SelectedReceiver, public KeyedOperator, public TimerOperator {
 public:
  struct Options {
    int64_t period_ms = 1;
    bool windowed = false;         ///< rows leave again: a window or a join
    bool grouped = false;          ///< the query groups
    bool tells_empty = false;      ///< an empty snapshot goes on as well, for an observer
    bool keyed = false;            ///< inside a partition: each instance has its own ticks
    std::vector<bool> aggregated;  ///< by output attribute: it is an aggregate and nothing else
  };

  SnapshotLimiter(Options options, SchemaPtr schema, PlanContext& context, SelectedReceiver& next);

  void receive(const Selected& selected) override;
  void begin_key(uint32_t key, int64_t clock) override;
  void drop_key(uint32_t key) override;
  size_t state_bytes() const override;
  void archive_state(StateArchive& archive) override;

 private:
  struct Held {
    Slot slot = RowStore::kNoSlot;
    uint8_t kind = EventKind::kCurrent;
    uint32_t group = 0;
    uint32_t shown = 0;  ///< what the row shows besides aggregates; where all rows are held

    void archive(StateArchive& archive) { archive(slot, kind, group, shown); }
  };
  struct Group {
    Slot newest = RowStore::kNoSlot;  ///< has the newest aggregates; where all rows are held
    uint64_t place = 0;               ///< of its row; where only the last is held
    int64_t rows = 0;

    void archive(StateArchive& archive) { archive(newest, place, rows); }
  };
  struct State {
    bool started = false;
    int64_t next_tick_ms = 0;
    std::map<uint64_t, Held> rows;  ///< by place, oldest first

    void archive(StateArchive& archive) { archive(started, next_tick_ms, rows); }
  };

  void on_start() override;
  void on_timer(uint32_t key) override;
  void begin(uint32_t key, int64_t clock);

  void take_last(State& state, uint32_t key, const Selected& selected, uint32_t i);
  void take_row(State& state, uint32_t key, const Selected& selected, uint32_t i, uint32_t shown);
  void remove_shown(State& state, uint32_t shown);
  void set_newest(Group& group, const Chunk& chunk, uint32_t i);
  void forget_last(State& state, uint32_t group);
  void release_group(uint32_t group);
  uint32_t group_of(const Selected& selected, uint32_t i, uint32_t key);
  const StringRef* shown_keys(const Selected& selected);
  void hand_on(const State& state, uint32_t key);
  bool is_sound(const Held& held) const;

  Options options_;
  PlanContext& context_;
  SelectedReceiver& next_;
  bool holds_rows_;   ///< else one row, or one a group
  bool aggregates_;   ///< held rows show the newest aggregates
  bool one_a_group_;  ///< of the rows held only the oldest of each group comes out
  bool by_group_;     ///< groups are told apart
  RowStore store_;
  BatchPool pool_;
  GroupTable groups_;
  std::vector<Group> group_states_;
  GroupTable shown_;
  std::vector<std::deque<uint64_t>> places_;  ///< by number in shown_: its rows, oldest first
  std::vector<ExpressionPtr> shown_columns_;
  std::vector<Vec> shown_values_;
  KeyEncoder encoder_;
  KeyedState<State> states_;
  uint64_t next_place_ = 0;
};

}  // namespace pollux
