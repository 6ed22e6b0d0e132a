// Annotations that change nothing here but must make sense: @Async, and whatever stands twice where
// it is read once. Unknown annotations are nobody's business.
#pragma once

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"

namespace pollux {

/// What is wrong goes to `diagnostics`.
void check_annotations(const ast::Plan& plan, Diagnostics& diagnostics);

}  // namespace pollux
