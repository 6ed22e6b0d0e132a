// Patterns (a -> b) and sequences (a, b): what their operators have in common.
//
// Each state of the chain takes an event, or several, that pass its filters; instances move through
// it. Events of the chunk in hand are kept by their row, and stored at its end if still asked for.
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/time_distance.h"
#include "engine/operators/chunk.h"
#include "engine/operators/pattern_matches.h"
#include "engine/operators/pattern_plan.h"
#include "engine/operators/plan_context.h"
#include "engine/operators/row_store.h"
#include "engine/operators/sweeper.h"

namespace pollux {

class OutputGate;

class PatternOperator : public KeyedOperator {
 public:
  /// The operator that suits the plan best.
  static std::unique_ptr<PatternOperator> create(PatternPlan plan, PlanContext& context,
                                                 Receiver& next);
  ~PatternOperator() override;

  /// Where what is selected of the matches waits until all events of a chunk have been offered:
  /// in a plan that feeds itself, of streams that stand for several states.
  void set_gate(OutputGate& gate) { gate_ = &gate; }

  /// Where the rows of input `index` go.
  Receiver& input(uint32_t index);

 protected:
  PatternOperator(PatternPlan plan, PlanContext& context, Receiver& next);

  virtual void receive(uint32_t input, const Chunk& chunk) = 0;
  /// What instances keep of the chunk in hand is stored; what nobody keeps is freed.
  virtual void settle() = 0;

  const PatternPlan& plan() const { return plan_; }
  PatternMatches& matches() { return matches_; }
  PlanContext& context() { return context_; }
  RowStore& store(uint32_t input) { return *stores_[input]; }
  /// Those that read an input, the last first.
  const std::vector<uint32_t>& states_of_input(uint32_t input) const {
    return states_of_input_[input];
  }
  bool has_chunk_in_hand() const { return in_hand_ != nullptr; }
  const Chunk& in_hand() const { return *in_hand_; }
  uint32_t input_in_hand() const { return input_in_hand_; }

  /// Takes the chunk in hand and finds out which rows pass which filters on the event alone.
  void take_in_hand(uint32_t input, const Chunk& chunk);
  /// By row of the chunk in hand, of a state that reads its stream: 1 or 0.
  const std::vector<uint8_t>& passing(uint32_t state) const { return passing_[state]; }
  /// Whether row i of the chunk in hand passes the state's filter that reads events of the instance
  /// as well; `append(reference, column)` appends what the instance has of one.
  template <class Append>
  bool passes_correlated(const PatternState& rule, uint32_t i, Append&& append) {
    references_row_.clear();
    for (uint32_t r : rule.correlated_references) {
      append(plan_.references[r], references_row_.column(r));
    }
    return passes_with_references(*rule.correlated, i);
  }
  /// What there is of an event that an instance has taken (or has not), at `slot`.
  void append_reference(const PatternReference& reference, bool taken, Slot slot, Column& to);

  /// Where the chunk in hand is one of several events, or matches may come back as events, what
  /// matches bring about comes when all its events have been offered and settled.
  bool behind_chunk() const { return !in_hand_->single_row_chunks() || context_.loops(); }
  /// All events of the chunk have been offered: hands on the matches and settles.
  void hand_on();
  /// The same for what time brought about; there is no chunk in hand.
  void hand_on_between_chunks();

  /// What has lain in state for so long that no event can need it goes. Returns whether something
  /// is left that time will end.
  virtual bool sweep(int64_t now) = 0;
  /// Something begins with row i of the chunk in hand.
  void arm_sweeper(uint32_t i) { sweeper_.arm(context_.clock_at(*in_hand_, i)); }
  /// Whether row i of the chunk in hand comes when the clock shows its time, by and large: then
  /// what it begins is over when `within` has passed by the clock. Events of the past do not age.
  bool is_on_time(uint32_t i) const {
    return plan_.within_ms && time_distance(in_hand_->timestamp(i),
                                            context_.clock_at(*in_hand_, i)) <= *plan_.within_ms;
  }
  /// What began on time before this moment is too old for any event that is not later than the
  /// plan's limit says.
  int64_t aged_before(int64_t now) const {
    return now - *plan_.within_ms - context_.limits().lateness_ms.value_or(*plan_.within_ms);
  }

  size_t stores_bytes() const;
  void archive_stores(StateArchive& archive);

 private:
  class Input;

  bool passes_with_references(Expression& filter, uint32_t i);

  PatternPlan plan_;
  PlanContext& context_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<std::vector<uint32_t>> states_of_input_;
  std::vector<std::unique_ptr<RowStore>> stores_;  ///< by input
  Sweeper sweeper_;
  PatternMatches matches_;
  OutputGate* gate_ = nullptr;

  // While a chunk is worked on.
  const Chunk* in_hand_ = nullptr;
  uint32_t input_in_hand_ = 0;
  std::vector<std::vector<uint8_t>> passing_;  ///< by state
  EventBatch references_row_;
  std::vector<uint32_t> picked_;
};

}  // namespace pollux
