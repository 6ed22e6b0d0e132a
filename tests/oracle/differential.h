// Runs one random case through the oracle and the engine, the engine with its input packed in
// several ways, and tells the first difference.
#pragma once

#include <optional>
#include <string>

#include "tests/oracle/random_plan.h"

namespace pollux::oracle {

struct Comparison {
  std::optional<std::string> difference;  ///< the first one as text; empty when all agree
  size_t result_rows = 0;                 ///< that the oracle gives
  size_t input_rows = 0;
  /// The case multiplies its rows beyond what can be evaluated row by row: both sides were given
  /// its first input rows only.
  bool cut = false;
  size_t input_rows_left_out = 0;
};

Comparison compared(RandomCase made);

/// Leaves out rows and parts of the plan as long as some difference remains.
RandomCase minimised(RandomCase made);
}  // namespace pollux::oracle
