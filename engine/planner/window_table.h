// The one table of windows: name, what it is, signature, doc. Reference pages are written from it;
// the planner finds windows in it and counts their parameters by the signatures.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/operators/window.h"

namespace pollux {

struct WindowEntry {
  /// Batches: the first parameter tells rows apart, of which one is kept.
  enum class Unique : uint8_t { kNo, kLast, kFirst };

  std::string_view name;  ///< with its namespace
  WindowPlan::Kind kind;
  std::string_view signature;  ///< "(<int> length, [<bool> rows at once])"
  std::string_view doc;
  Unique unique = Unique::kNo;
};

/// All windows, in a fixed order.
const std::vector<WindowEntry>& window_table();

}  // namespace pollux
