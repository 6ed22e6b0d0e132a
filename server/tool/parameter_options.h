// --param NAME=VALUE: parameters of a plan, given on the command line. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "engine/language/parameters.h"

namespace CLI {
class App;
}

namespace pollux::tool {

/// Adds the option to `command`; `names` is "--param", perhaps with others behind a comma.
/// Values without a name are wrong usage.
void add_parameter_option(CLI::App& command, const char* names, std::vector<std::string>& given);

/// The last one given of a name counts.
PlanParameters parameters_of(const std::vector<std::string>& given);

}  // namespace pollux::tool
