// Arguments of calls as their makers need them: constants as values, others as one type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/expression/expression.h"

namespace pollux {

// Empty when the argument is no constant of that type, or null.
std::optional<std::string> constant_text(const ExpressionPtr& argument);
std::optional<bool> constant_bool(const ExpressionPtr& argument);
/// Of an int or a long.
std::optional<int64_t> constant_integer(const ExpressionPtr& argument);
/// Of any numeric type.
std::optional<double> constant_number(const ExpressionPtr& argument);

/// The argument's values as objects.
ExpressionPtr as_object(ExpressionPtr argument);
/// A numeric argument's values as doubles.
ExpressionPtr as_double(ExpressionPtr argument);

}  // namespace pollux
