// define aggregation: events are taken into buckets of every unit, from seconds to years, as they
// come, and read back by unit and time range.
//
// Buckets are purged every so often, counted from the plan's beginning, when they began longer ago
// than their unit's retention. Nothing is seen of that but when rows are read, so that no timer is
// needed: what came due since the last event is hidden from readers, and goes with the next event.
// Of an aggregation that is stored, the time is that of its latest bucket where that is earlier
// than the clock's: old events that are sent today fill their buckets before these go. Thread: the
// shard's.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "engine/operators/aggregation_buckets.h"
#include "engine/operators/chunk.h"
#include "engine/operators/plan_context.h"

namespace pollux {

class Aggregation final : public Receiver, public Stateful {
 public:
  Aggregation(AggregationPlan plan, PlanContext& context);

  /// Events of the source. One without a time (null, no such text, or beyond all calendars) is left
  /// out and counted.
  void receive(const Chunk& chunk) override;

  const SchemaPtr& schema() const { return plan_.schema; }
  const std::vector<AggregationPlan::Unit>& units() const { return plan_.units; }
  /// The buckets of a unit; null when the aggregation has none such.
  const AggregationBuckets* buckets(CalendarUnit unit) const;
  /// By the order of units().
  AggregationBuckets& buckets_at(size_t unit) { return units_[unit]; }
  /// The part of a range that readers see at `clock`.
  TimeRange visible(CalendarUnit unit, TimeRange range, int64_t clock) const;
  size_t state_bytes() const;
  void archive_state(StateArchive& archive) override;

 private:
  /// The latest purge at or before `clock`.
  int64_t last_purge(int64_t clock) const;
  void purge(int64_t clock);
  /// Buckets of the unit that began before it go with a purge at `clock`; empty: none goes.
  std::optional<int64_t> kept_from(const AggregationPlan::Unit& unit, int64_t clock) const;
  void take(const Chunk& chunk);
  /// The picked rows, into a unit or all of them.
  void take_picked(const EventBatch& batch, AggregationBuckets* only);
  /// A stored unit's rows of buckets that are gone would come to stand in the store instead of
  /// them: these rows are left out there, and counted. True: all others were taken.
  bool take_apart(const EventBatch& batch);
  /// Finds the rows of the chunk that have a time.
  void pick_timed(const Chunk& chunk);

  AggregationPlan plan_;
  PlanContext& context_;
  std::deque<AggregationBuckets> units_;
  int64_t next_purge_ms_ = INT64_MIN;
  KeyEncoder encoder_;
  std::vector<uint32_t> rows_;  ///< of the batch in hand
  std::vector<int64_t> times_;
  std::vector<Vec> keys_, kept_, arguments_;
  std::vector<StringRef> no_keys_;
};

}  // namespace pollux
