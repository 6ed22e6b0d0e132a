// A filter behind a window: rows for which a condition holds go on, and no reset is ever lost.
//
// The reset of a row that is left out goes on with the instance's next row that passes, in this
// chunk or a later one: until then nothing changes its aggregates. Thread: the shard's.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/operators/chunk_filter.h"
#include "engine/operators/plan_context.h"

namespace pollux {

class WindowFilter final : public Receiver, public KeyedOperator {
 public:
  WindowFilter(ExpressionPtr condition, PlanContext& context, Receiver& next);

  void receive(const Chunk& chunk) override;
  void drop_key(uint32_t key) override { resets_.at(key) = 0; }
  size_t state_bytes() const override { return resets_.all().capacity(); }
  void archive_state(StateArchive& archive) override { archive(resets_); }

 private:
  void carry_resets(const Chunk& chunk);

  ExpressionPtr condition_;
  PlanContext& context_;
  Receiver& next_;
  KeyedState<uint8_t> resets_;  ///< by instance: one waits for the next row
  std::vector<uint32_t> picked_;
  std::vector<uint8_t> kinds_;
  ChunkPick pick_;
};

}  // namespace pollux
