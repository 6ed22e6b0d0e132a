// A filter: rows for which a condition holds go on.
#pragma once

#include <utility>
#include <vector>

#include "engine/operators/chunk_filter.h"
#include "engine/operators/plan_context.h"

namespace pollux {

class Filter final : public Receiver {
 public:
  Filter(ExpressionPtr condition, PlanContext& context, Receiver& next)
      : condition_(std::move(condition)), context_(context), next_(next) {}

  void receive(const Chunk& chunk) override {
    FrameSource source = chunk.source();
    picked_.clear();
    select_rows(*condition_, {chunk.rows, &source, context_.now()}, picked_);
    if (picked_.empty()) return;
    if (!context_.loops()) return next_.receive(pick_.pick(chunk, picked_));
    ChunkPick pick;
    next_.receive(pick.pick(chunk, picked_));
  }

 private:
  ExpressionPtr condition_;
  PlanContext& context_;
  Receiver& next_;
  std::vector<uint32_t> picked_;
  ChunkPick pick_;
};

}  // namespace pollux
