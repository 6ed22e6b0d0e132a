// Whether a value is the same whenever it is asked for.
#pragma once

#include "engine/language/ast.h"

namespace pollux {

/// The expression reads no clock and no table: of one row and one state of the aggregates it always
/// gives the same.
bool is_timeless(const ast::Expression& expression);
/// Everything that a selection computes.
bool is_timeless(const ast::Selector& selector);

}  // namespace pollux
