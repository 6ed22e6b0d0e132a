// What an extension offers, as entries of the table of functions.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "engine/expression/function_registry.h"
#include "engine/extension/pollux_extension.h"

namespace pollux {

/// The functions, or what is wrong with the first of them that is wrong. The extension must outlive
/// them.
std::variant<std::vector<FunctionEntry>, std::string> functions_of(
    const pollux_extension& extension);

}  // namespace pollux
