// What two nodes must have in common so that the same entries have the same results on both: the
// mathematical functions of their C library. The meaning of the language has versions of its own
// (entry.h), of which they must have one in common.
#pragma once

#include <cstdint>

namespace pollux {

/// A hash of what those functions give for some hundred arguments.
uint64_t node_fingerprint();

}  // namespace pollux
