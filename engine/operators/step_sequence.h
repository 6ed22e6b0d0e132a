// Sequences of single events that may begin with any event: `every a, b, c`.
//
// Each event moves an instance on or ends it, so the one that waits at state s began s events ago
// and there is one at most. Thus a partition instance needs a bit for each state, and the last
// events. Thread: the shard's.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/operators/pattern_operator.h"

namespace pollux {

class StepSequence final : public PatternOperator {
 public:
  static bool suits(const PatternPlan& plan);

  StepSequence(PatternPlan plan, PlanContext& context, Receiver& next);

  void drop_key(uint32_t key) override;
  size_t state_bytes() const override;
  void add_counts(PlanCounts& counts) const override;
  void archive_state(StateArchive& archive) override;

 private:
  /// One of the last events of a partition instance.
  struct Kept {
    int64_t timestamp = 0;
    Slot slot = RowStore::kNoSlot;  ///< kNoSlot: nobody reads it
    uint16_t input = 0;
    bool on_time = false;
    void archive(StateArchive& archive) { archive(timestamp, slot, input, on_time); }
  };

  void receive(uint32_t input, const Chunk& chunk) override;
  void settle() override;
  bool sweep(int64_t now) override;
  void mark_rows(const Chunk& chunk, uint32_t input);
  void grow_to(uint32_t key);
  void prefetch(uint32_t key) const;
  void offer(uint32_t key, uint32_t i);
  uint64_t not_too_old(uint64_t waiting, const Kept* kept, int64_t time) const;
  uint64_t pass_correlated(uint64_t moves, const Kept* kept, uint32_t i);
  void append(const PatternReference& reference, uint32_t step, const Kept* kept, Column& to);
  void emit(const Kept* kept, uint32_t key, uint32_t i);
  void keep(uint64_t before, uint64_t after, Kept* kept, uint32_t key, uint32_t i);
  void let_go(Kept& event);
  Kept* kept_of(uint32_t key) { return &kept_[size_t{key} * (plan().states.size() - 1)]; }

  uint64_t stored_states_ = 0;      ///< of whose events attributes are read later on
  uint64_t correlated_states_ = 0;  ///< with a filter that reads other events
  std::vector<uint64_t> waiting_;   ///< by partition instance: bit s for an instance at state s > 0
  std::vector<Kept> kept_;          ///< by partition instance: its last events, the latest first

  // While a chunk is worked on.
  std::vector<uint64_t> marks_;  ///< by row: the states whose local filters it passes
  std::vector<uint32_t> touched_;
  struct Freed {
    uint32_t input;
    Slot slot;
  };
  std::vector<Freed> freed_;  ///< matches may still read them
};

}  // namespace pollux
