// @purge and @retentionPeriod of an aggregation: what is dropped when.
#pragma once

#include <vector>

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/operators/aggregation_buckets.h"

namespace pollux {

/// Sets the plan's purge interval and its units' retention from the annotations and the defaults.
/// False, and told, when they cannot be.
bool plan_retention(const std::vector<ast::Annotation>& annotations, AggregationPlan& plan,
                    Diagnostics& diagnostics);

}  // namespace pollux
