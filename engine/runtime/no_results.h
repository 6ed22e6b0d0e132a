// For who applies entries and wants nothing of what comes out.
#pragma once

#include "engine/runtime/engine.h"

namespace pollux {

class NoResults final : public ResultSink {
 public:
  void on_result(const ResultBatch& /*results*/) override {}
};

}  // namespace pollux
