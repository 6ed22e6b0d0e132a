// What two nodes must have in common so that the same entries have the same results on both: the
// mathematical functions of their C library, and the meaning of the language.
#pragma once

#include <cstdint>

namespace pollux {

/// A hash of what those functions give for some hundred arguments, and of the version of the
/// semantics.
uint64_t node_fingerprint();

}  // namespace pollux
