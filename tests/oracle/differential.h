// Runs one random case through the oracle and the engine, the engine with its input packed in
// several ways, and tells the first difference.
#pragma once

#include <optional>
#include <string>

#include "tests/oracle/random_plan.h"

namespace pollux::oracle {

/// The first difference as text; empty when all agree.
std::optional<std::string> difference(const RandomCase& made);

/// Leaves out rows and parts of the plan as long as some difference remains.
RandomCase minimised(RandomCase made);

/// Number of rows that the oracle gives for the case.
size_t result_count(const RandomCase& made);

}  // namespace pollux::oracle
