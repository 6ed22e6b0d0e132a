// from (from S select .. return) ..: a query in place of a stream.
//
// It becomes a query of its own in front of the one that reads it, with a stream between them that
// has a name which nobody can write by chance and which is no result of the plan.
#pragma once

#include <string_view>

#include "engine/language/ast.h"

namespace pollux {

/// Leaves no anonymous source in `plan`.
void name_anonymous_streams(ast::Plan& plan);

/// Whether a stream of that name was made so.
bool is_anonymous_stream(std::string_view name);

}  // namespace pollux
