// What 3.1 does differently with a pattern or a sequence.
#pragma once

#include "engine/language/ast.h"
#include "engine/operators/pattern_plan.h"

namespace pollux {

/// Changes a pattern whose states are all in place:
/// - `within` bounds the part that it stands behind: a single event by the time since the one
///   before it, a chain by the time since its first event.
/// - `every` around a part with a counted event lets it happen once: what begins anew has the
///   events of that count already, and never reaches its least number again. So does one that may
///   be empty, unless it is the first.
/// - A sequence begins anew with each event, with `every` or without.
/// - Each match goes on alone.
void as_in_31(const ast::StateInput& input, PatternPlan& pattern);

}  // namespace pollux
