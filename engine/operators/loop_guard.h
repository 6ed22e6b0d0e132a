// A stream that feeds itself may do so without end: this bounds it.
//
// One guard a plan; every gate behind a query goes through it, so that a step is one query that
// puts out rows because of others' rows. Thread: the shard's.
// Failure: a plan that goes beyond throws AssertionFailed, and so is suspended; others go on.
#pragma once

#include <cstdint>

#include "engine/base/check.h"

namespace pollux {

class LoopGuard {
 public:
  /// Queries that stand in each other's call: each takes some frames of the stack.
  static constexpr uint32_t kDepthMax = 400;
  /// Steps that come of one row or timer of the outside.
  static constexpr uint32_t kStepsMax = 1'000'000;

  class Step {
   public:
    explicit Step(LoopGuard& guard) : guard_(guard) { guard_.enter(); }
    ~Step() { --guard_.depth_; }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    LoopGuard& guard_;
  };

 private:
  void enter() {
    if (depth_ == 0) steps_ = 0;
    if (depth_ >= kDepthMax) {
      throw AssertionFailed("a stream feeds itself more than 400 queries deep");
    }
    if (++steps_ > kStepsMax) {
      throw AssertionFailed("a stream feeds itself more than a million times for one event");
    }
    ++depth_;
  }

  uint32_t depth_ = 0;
  uint32_t steps_ = 0;
};

}  // namespace pollux
