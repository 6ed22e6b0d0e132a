// From an on-demand query to the plans that answer it.
//
// Rows of a store come batch by batch and may be far more than can be kept, so a query is answered
// in steps, each a plan over one stream: `scan` lets pass what meets the condition, with the
// columns that the rest reads; `fold`, when there are groups or aggregates, takes each batch of
// those to the last row so far of every group; `compact` drops all but the last row of a group;
// `finish` gives the answer, in order. The steps are planned and run like any other plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/calendar_unit.h"
#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/types/schema.h"

namespace pollux {

/// A condition `column == constant` that every row of the answer meets.
struct KeyEquality {
  std::string column;
  Value value;  ///< of the column's type
};

struct OnDemandSteps {
  ast::Plan whole;  ///< the query as one plan over the store's rows: says what is wrong with it
  ast::Plan scan;
  std::optional<ast::Plan> fold;
  std::optional<ast::Plan> compact;
  ast::Plan finish;
  std::vector<KeyEquality> equalities;
  std::optional<TimeRange> time_range;
  std::optional<CalendarUnit> per;
  /// Rows that need to pass, when the first ones are as good as any.
  std::optional<uint64_t> rows_needed;
};

/// Takes a find query apart. What cannot be said of `schema` shows when `whole` is built; the steps
/// are of use only when that gives no diagnostics. `diagnostics` takes what is wrong with `within`.
/// `units`: what an aggregation has, whose rows have their buckets' beginnings for timestamps; null
/// for other stores.
OnDemandSteps plan_on_demand(ast::OnDemandQuery query, const Schema& schema,
                             const std::vector<CalendarUnit>* units, Diagnostics& diagnostics);

/// Says what rows `compact` and `finish` read: those that the built `fold` puts out.
void set_rows(ast::Plan& step, const Schema& schema);

/// What each step inserts into: no store can have this name.
constexpr const char* kOnDemandRows = "rows of the query";

}  // namespace pollux
