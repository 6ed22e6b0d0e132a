// A join's look into an aggregation: each row says, by `within` and `per`, which buckets it wants.
//
// A row whose time range or unit is null, no such thing, or not the aggregation's finds nothing.
// Thread: the shard's.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/operators/aggregation.h"
#include "engine/operators/search.h"

namespace pollux {

/// What `within` and `per` give for a row that searches (source kRow).
struct AggregationWindow {
  std::vector<ExpressionPtr> within;  ///< a pattern of time; or two times, each a long or a text
  ExpressionPtr per;                  ///< a text
};

/// The range of `within` for row `i` of its values; empty when it is none.
std::optional<TimeRange> range_of(const std::vector<Vec>& within, uint32_t i);

class AggregationSearch final : public Searched {
 public:
  /// `condition` may be null.
  AggregationSearch(const Aggregation& aggregation, AggregationWindow window,
                    ExpressionPtr condition, PlanContext& context);
  void find(const Chunk& chunk, std::vector<Match>& matches) override;
  const RowStore& store() const override { return store_; }

 private:
  /// What was found for a unit and range.
  struct Wanted {
    const AggregationBuckets* buckets = nullptr;
    TimeRange range;
  };

  Wanted wanted_by(const Chunk& chunk, uint32_t i, const Vec& per) const;
  /// Copies the rows into the store.
  void copy(const Wanted& wanted);

  const Aggregation& aggregation_;
  AggregationWindow window_;
  ExpressionPtr condition_;
  PlanContext& context_;
  MatchFilter filter_;
  RowStore store_;  ///< until the next search
  EventBatch rows_;
  std::vector<AggregationBuckets::Found> found_;
  std::vector<Slot> slots_;   ///< for the row in hand
  std::vector<Slot> stored_;  ///< all that stand in the store
  std::vector<Vec> within_;
};

}  // namespace pollux
