// How large a plan may be: whoever sends a larger one means harm or has made it by mistake.
//
// What is written in a few bytes and takes much (spans of time, lengths) is bounded where it is
// planned; how deep and how long a text may be the parser bounds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"

namespace pollux {

constexpr size_t kDefinitionsMax = 10'000;
constexpr size_t kQueriesMax = 5'000;      ///< with those in partitions
constexpr size_t kAttributesMax = 4'096;   ///< of a definition or a selection
constexpr size_t kChainMax = 400;          ///< queries that stand in each other's call
constexpr size_t kHandlersMax = 256;       ///< filters, functions and windows behind one source
constexpr size_t kPartitionKeysMax = 256;  ///< streams of a partition, and ranges of each

/// What of `plan` is beyond these goes to `diagnostics`; then it should not be built.
void check_size_limits(const ast::Plan& plan, Diagnostics& diagnostics);

}  // namespace pollux
