// distinctCount(): the number of different values in a group; null is a value of its own.
//
// A value's bytes are kept once, however many groups hold it; groups count the values' numbers.
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/operators/aggregator.h"
#include "engine/operators/group_table.h"
#include "engine/operators/id_counts.h"

namespace pollux {

class DistinctCount final : public Aggregator {
 public:
  DistinctCount(AttributeType argument, StringPool& strings)
      : Aggregator(AttributeType::kLong), argument_(argument), values_(strings) {}

  void run(const AggregateSteps& steps, Column& results) override;
  void read(const uint32_t* groups, uint32_t count, Column& results) const override;
  void reset(uint32_t group) override;
  void release(uint32_t group) override { reset(group); }
  bool is_fresh(uint32_t group) const override {
    return group >= counts_.size() || counts_[group].size() == 0;
  }
  void archive_state(StateArchive& archive) override;
  size_t state_bytes() const override;

 private:
  static constexpr int32_t kFree = -1;

  StringRef key_of(const Vec& values, uint32_t i) const;
  void step(uint32_t group, uint32_t value, bool removes);
  void let_go(uint32_t value) { referenced_ -= --holders_[value] == 0 ? 1 : 0; }
  /// Forgets values that no group holds, once they are most of all.
  void sweep();

  AttributeType argument_;
  GroupTable values_;
  std::vector<int32_t> holders_;  ///< by value: groups that hold it, or kFree
  uint32_t referenced_ = 0;       ///< values that some group holds
  std::vector<IdCounts> counts_;  ///< by group
};

}  // namespace pollux
