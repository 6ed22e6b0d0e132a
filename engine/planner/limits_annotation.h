// @app:limits(partition.instances='100000', groups='100000', partial.matches='100000',
// lateness='1 min')
#pragma once

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/operators/plan_limits.h"

namespace pollux {

struct LimitsReading {
  PlanLimits limits;
  Diagnostics diagnostics;
};

/// What is not given keeps its default.
LimitsReading read_limits(const ast::Annotation& annotation);

}  // namespace pollux
