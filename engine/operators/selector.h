// The select part of a query: group by, aggregates, having, order, limit, projection.
//
// Rows of one chunk that belong together leave one row behind when there are aggregates or groups:
// the last of the chunk, or the last of each group. Aggregates change before `having` is asked.
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/operators/aggregator.h"
#include "engine/operators/batch_pool.h"
#include "engine/operators/chunk.h"
#include "engine/operators/group_table.h"
#include "engine/operators/plan_context.h"
#include "engine/operators/sweeper.h"

namespace pollux {

/// Places of the sources in a selector's frame.
struct SelectorSource {
  static constexpr uint32_t kInput = 0;
  static constexpr uint32_t kAggregates = 1;
};

struct SelectorPlan {
  struct Aggregate {
    std::unique_ptr<Aggregator> function;
    ExpressionPtr argument;  ///< null for count()
  };
  struct Order {
    ExpressionPtr expression;
    bool descending = false;
  };

  SchemaPtr output;
  std::vector<ExpressionPtr> projection;
  std::vector<ExpressionPtr> group_by;
  std::vector<Aggregate> aggregates;
  ExpressionPtr having;
  std::vector<Order> order_by;
  std::optional<int64_t> limit, offset;
  bool current = true;             ///< current rows come out
  bool expired = false;            ///< expired rows come out
  bool having_for_expired = true;  ///< else they come out whatever `having` says
  /// The last row of a chunk, or of each group in it, stands for the others.
  bool batching = true;
  /// No row leaves its group again: groups are there for ever but for the plan's limit.
  bool rows_stay = false;
  bool group_keys_wanted = false;  ///< whoever takes the rows asks for their groups
  bool resets_wanted = false;      ///< and for the resets among them
};

/// All that came of an instance is over.
struct SelectedReset {
  uint32_t before = 0;  ///< how many of the rows came before
  uint32_t key = 0;
};

/// Rows that left a selector; the chunk's kinds tell current from expired ones.
struct Selected {
  Chunk chunk;  ///< no rows at all only where there are resets
  EventBatchPtr batch;
  const StringRef* group_keys = nullptr;  ///< the group of each row, when there are groups
  std::span<const SelectedReset> resets;
};

class SelectedReceiver {
 public:
  virtual ~SelectedReceiver() = default;
  virtual void receive(const Selected& selected) = 0;
};

class Selector : public Receiver, public KeyedOperator {
 public:
  Selector(SelectorPlan plan, PlanContext& context, SelectedReceiver& next);

  void receive(const Chunk& chunk) override;
  void drop_key(uint32_t key) override;
  void drop_keys(const std::vector<bool>& dropped) override;
  void add_counts(PlanCounts& counts) const override { counts.groups += groups_.size(); }
  size_t state_bytes() const override;
  void archive_state(StateArchive& archive) override;

 protected:
  const SelectorPlan& plan() const { return plan_; }
  PlanContext& context() { return context_; }

  /// Finds the group of each row of the chunk.
  const std::vector<uint32_t>& groups_of(const Chunk& chunk);
  /// Values of each aggregate's argument for the rows of the chunk.
  const std::vector<Vec>& arguments_of(const Chunk& chunk);
  /// Empties the table of results; each aggregate is then run over the same steps.
  void clear_results();
  void run_aggregate(size_t index, AggregateSteps steps);
  /// Keeps count of what lives in each group; idle groups are released at the end.
  void count_live(uint32_t group, bool removed);
  void release_idle_groups();
  /// Runs all aggregates over the rows, with the resets among them.
  void run_rows(const Chunk& chunk, const std::vector<uint32_t>& groups);
  /// From here on, of the rows that are run at once only the last of each group is looked at.
  void see_last_of_groups() { last_seen_ = true; }
  /// The groups of a partition instance start afresh.
  void reset_groups(uint32_t key);
  /// Having, and one row a chunk or group: the rows that will be put out.
  const std::vector<uint32_t>& choose(const Chunk& chunk, const uint32_t* step_of_row,
                                      const std::vector<uint32_t>& groups);
  /// What expressions over these rows of the chunk are evaluated on.
  Frame frame_of(const std::vector<uint32_t>& places, const Chunk& chunk,
                 const uint32_t* step_of_row);
  std::shared_ptr<EventBatch> take_batch() { return pool_.take(); }
  void put_on(const Selected& selected) { next_.receive(selected); }

  /// Having, one row a chunk or group, order, limit, projection. Row i's results stand in step
  /// step_of_row[i], or i.
  void emit(const Chunk& chunk, const uint32_t* step_of_row, const std::vector<uint32_t>& groups);

 private:
  bool grouped() const { return !plan_.group_by.empty(); }
  void run_range(uint32_t begin, uint32_t end, const std::vector<uint32_t>& groups,
                 const std::vector<Vec>& arguments);
  void release_group(uint32_t group);
  void end_group(uint32_t group);
  bool evict();
  void take_candidates(const Chunk& chunk, const uint32_t* step_of_row);
  void pick_expired(const Chunk& chunk);
  void keep_last_of_chunks(const Chunk& chunk, const std::vector<uint32_t>& groups);
  void order_and_limit(const Chunk& chunk, const uint32_t* step_of_row);
  void note_resets(const Chunk& chunk);
  void project(const Chunk& chunk, const uint32_t* step_of_row,
               const std::vector<uint32_t>& groups);

  static constexpr int64_t kReleased = INT64_MIN;

  SelectorPlan plan_;
  PlanContext& context_;
  SelectedReceiver& next_;
  BatchPool pool_;
  bool last_seen_ = false;

  GroupTable groups_;
  KeyEncoder encoder_;
  std::vector<int64_t> live_;  ///< by group: values in minus values out, or kReleased
  std::vector<uint32_t> idle_;
  std::optional<Sweeper> bounder_;  ///< where rows stay
  uint32_t sweeps_ = 0;
  std::vector<uint32_t> used_at_;  ///< by group: after how many sweeps it was used last

  EventBatch results_;  ///< one column an aggregate, one row a step
  std::vector<uint32_t> row_groups_;
  std::vector<uint8_t> removes_;
  std::vector<Vec> vecs_, arguments_;
  std::vector<uint32_t> chosen_, picked_, seen_at_, frame_rows_, frame_steps_;
  FrameSource sources_[2];
  std::vector<uint32_t> out_chunk_ids_, out_keys_, out_causes_;
  std::vector<uint8_t> out_kinds_;
  std::vector<StringRef> out_group_keys_;
  std::vector<SelectedReset> resets_;
};

}  // namespace pollux
