// Rows for the streams of a random plan, with few different values so that they meet.
#pragma once

#include "tests/oracle/random.h"
#include "tests/oracle/random_plan.h"

namespace pollux::oracle {

/// Fills `made.runs` and `made.final_tick`; `size` (1 ..) bounds the number of rows.
void make_events(Random& random, RandomCase& made, int size);

}  // namespace pollux::oracle
