// The parts of a text between matches of a regular expression, for stream functions.
#pragma once

#include <vector>

#include "engine/expression/function_registry.h"

namespace pollux {

/// Of (text, regex): a list of the parts, as str:split has them; null for null.
CallResult make_split_list(std::vector<ExpressionPtr> arguments);

}  // namespace pollux
