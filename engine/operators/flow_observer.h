// Sees what passes through a deployed plan: what each query puts out, and each stream carries.
#pragma once

#include <string_view>

#include "engine/operators/chunk.h"

namespace pollux {

/// Calls come while an entry is applied. Rows that share an output id go on together.
class FlowObserver {
 public:
  virtual ~FlowObserver() = default;
  /// What a query with a name (`@info`) puts out, behind its output rate: current and expired rows;
  /// no rows at all where a snapshot of nothing comes out.
  virtual void on_query(std::string_view query, const Chunk& chunk) = 0;
  virtual void on_stream(std::string_view stream, const Chunk& chunk) = 0;
};

}  // namespace pollux
