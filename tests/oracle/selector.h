// The select part of one query instance: attributes, groups, having, order, limit, offset.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/oracle/aggregator.h"
#include "tests/oracle/clock.h"
#include "tests/oracle/event.h"
#include "tests/oracle/expression.h"

namespace pollux::oracle {

/// The bound text of a select clause; shared by the instances of a partition.
struct SelectorPlan {
  struct Order {
    Bound value;
    bool descending;
  };

  Fields output;
  std::vector<Bound> attributes;
  std::vector<Bound> group_by;
  Bound having;  ///< no eval: none
  std::vector<Order> order_by;
  std::optional<int64_t> limit, offset;
  bool has_aggregator = false;
  std::vector<bool> aggregated;  ///< by attribute: it is an aggregate and nothing else
  /// For snapshots: every event comes out, and resets without groups.
  bool each_event = false;
  bool current_on = true;
  bool expired_on = false;
};

/// Binds a select clause over `scope`; throws PlanError.
SelectorPlan bind_selector(const ast::Query& query, const Scope& scope);

class Selector {
 public:
  Selector(const SelectorPlan& plan, const Clock& clock, const std::vector<Table*>& tables)
      : plan_(plan), clock_(clock), tables_(tables) {}

  /// What comes out for one chunk. With groups that is the last event of each, in the order in
  /// which the groups came; without, but with an aggregator, the last event; else all.
  CombinedChunk select(CombinedChunk chunk);

 private:
  EvalContext context(const Combined& event);
  bool compute(Combined& event);
  bool wanted(const Combined& event) const;
  CombinedChunk last_of_each_group(CombinedChunk chunk);
  CombinedChunk last_of_all(CombinedChunk chunk);
  CombinedChunk each_of_groups(CombinedChunk chunk);
  CombinedChunk all(CombinedChunk chunk);
  void order(CombinedChunk& chunk);
  void cut(CombinedChunk& chunk) const;

  const SelectorPlan& plan_;
  const Clock& clock_;
  const std::vector<Table*>& tables_;
  AggregatorBank aggregators_;
};

}  // namespace pollux::oracle
