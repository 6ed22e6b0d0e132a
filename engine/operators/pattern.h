// Patterns (a -> b) and sequences (a, b): a chain of states through which instances move.
//
// Each state has the instances that wait for its next event (pending) and those that will from the
// next event on (fresh). An event is offered to the states that read its stream, the last first.
// In a sequence an instance that an event does not move is gone. With `every` the chain begins
// anew whenever the part under it is through, or too old. `within` counts from the first event of
// an instance; equal is inside. Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/base/small_ids.h"
#include "engine/language/ast.h"
#include "engine/operators/chunk.h"
#include "engine/operators/partial_matches.h"
#include "engine/operators/plan_context.h"

namespace pollux {

/// An attribute of an event that an instance holds. `column` kPresence: whether it is there.
struct PatternReference {
  static constexpr int32_t kPresence = -1;

  uint32_t state = 0;
  bool from_back = false;
  uint32_t place = 0;
  int32_t column = 0;
  AttributeType type = AttributeType::kBool;

  friend bool operator==(const PatternReference&, const PatternReference&) = default;
};

/// Places of the sources in the frame of a state's filter.
struct PatternSource {
  static constexpr uint32_t kEvent = 0;       ///< the event that is offered
  static constexpr uint32_t kReferences = 1;  ///< one row, one column a reference
};

struct PatternState {
  enum class Kind : uint8_t { kSingle, kCount, kAnd, kOr };
  static constexpr int32_t kNone = -1;

  Kind kind = Kind::kSingle;
  uint32_t input = 0;        ///< which of the pattern's streams
  ExpressionPtr local;       ///< filter on the event alone; null: none
  ExpressionPtr correlated;  ///< filter that reads events of the instance as well; null: none
  std::vector<uint32_t> correlated_references;  ///< which references it reads
  int64_t min_count = 1;
  int64_t max_count = 1;
  int32_t partner = kNone;       ///< of and/or
  int32_t next = kNone;          ///< kNone: the last
  int32_t every = kNone;         ///< the state at which a new instance begins once this is through
  int32_t within_every = kNone;  ///< the state at which one begins when an instance gets too old
  int32_t restarts = kNone;      ///< an optional start state that begins anew with this one
  bool start = false;
  bool last = false;
};

struct PatternPlan {
  static constexpr size_t kStatesMax = 64;

  bool sequence = false;
  std::optional<int64_t> within_ms;
  std::vector<SchemaPtr> inputs;
  std::vector<PatternState> states;
  std::vector<PatternReference> references;  ///< what filters and the selection read
  std::vector<uint32_t> outputs;             ///< references that the selection reads, in order
};

class OutputGate;

class PatternOperator final : public KeyedOperator {
 public:
  PatternOperator(PatternPlan plan, PlanContext& context, Receiver& next);
  ~PatternOperator() override;

  /// Where what is selected of the matches waits until all events of a chunk have been offered:
  /// in a plan that feeds itself, of streams that stand for several states.
  void set_gate(OutputGate& gate) { gate_ = &gate; }

  /// Where the rows of input `index` go.
  Receiver& input(uint32_t index);
  /// Columns of what goes on: one for each of the plan's outputs.
  const SchemaPtr& schema() const { return out_.schema_ptr(); }

  void drop_key(uint32_t key) override;
  size_t state_bytes() const override;

 private:
  class Input;
  /// The lists of one partition instance; a bit of a mask for each list that is not empty.
  struct Instances {
    uint64_t pending_mask = 0;
    uint64_t fresh_mask = 0;
    uint64_t restart_mask = 0;  ///< optional start states of a sequence: begin anew
    // Of all that began since nothing was on its way: first events are no earlier, no later.
    int64_t earliest_ms = INT64_MAX;
    int64_t latest_ms = INT64_MIN;
    bool begun = false;
    bool initialized = false;

    bool idle() const { return (pending_mask | fresh_mask | restart_mask) == 0; }
  };

  SmallIds& pending(uint32_t state) { return at_pending_[state]; }
  SmallIds& fresh(uint32_t state) { return at_fresh_[state]; }
  size_t lists_per_key() const { return plan_.states.size() * (passing_ ? 1 : 2); }
  void go_to(uint32_t key);
  void receive(uint32_t input, const Chunk& chunk);
  void settle();
  void prefetch(uint32_t key) const;
  bool passes_by(uint32_t input, uint32_t key, uint32_t i) const;
  void offer(uint32_t input, const Chunk& chunk, uint32_t i);
  void process(uint32_t state, const Chunk& chunk, uint32_t i);
  void begin_again(uint32_t state, const Chunk& chunk, uint32_t i);
  void take(PartialId id, uint32_t state, const Chunk& chunk, uint32_t i);
  bool passes(uint32_t state, PartialId id, const Chunk& chunk, uint32_t i);
  /// The event has been taken by the state; moves the instance on.
  void taken(uint32_t state, PartialId id);
  void advance(uint32_t state, PartialId id);
  void add_state(uint32_t state, PartialId id);
  void add_every(uint32_t state, PartialId id);
  void min_count_reached(uint32_t state, PartialId id);
  void begin_instance(uint32_t state);
  void restart_start(uint32_t state);
  void expire(int64_t time);
  bool none_too_old(int64_t time) const;
  void reset(uint32_t state);
  void update(uint32_t state);
  bool too_old(PartialId id, int64_t time) const;
  void push_fresh(uint32_t state, PartialId id);
  void move_fresh(uint32_t state);
  void clear_pending(uint32_t state);
  void release_all(SmallIds& list);
  void emit(PartialId id, const Chunk& chunk, uint32_t i);
  void append_reference(const PatternReference& reference, PartialId id, Column& to);
  void note_matches(uint32_t input);
  Chunk matches() const;
  void hand_on();
  void hand_on_one_by_one(const Chunk& matches);
  void hand_on_behind_chunk(bool selected_first);
  void clear_matches();

  PatternPlan plan_;
  PlanContext& context_;
  Receiver& next_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<std::vector<uint32_t>> states_of_input_;  ///< last first
  std::vector<uint32_t> start_states_;
  uint64_t start_mask_ = 0;
  /// A sequence whose one start state waits again after every event: it needs no list.
  bool rearms_ = false;
  /// A sequence of single events: nothing is pending but while an event is offered.
  bool passing_ = false;
  std::vector<std::unique_ptr<RowStore>> stores_;
  std::unique_ptr<PartialMatches> partials_;
  KeyedState<Instances> instances_;
  std::vector<uint8_t> busy_;    ///< by instance: whether it is not idle
  std::vector<SmallIds> lists_;  ///< by instance: fresh by state, then (if kept) pending by state
  std::vector<SmallIds> passing_pending_;

  // While a chunk is worked on.
  const Chunk* in_hand_ = nullptr;
  uint32_t input_in_hand_ = 0;
  Instances* at_ = nullptr;
  SmallIds* at_fresh_ = nullptr;
  SmallIds* at_pending_ = nullptr;
  std::vector<std::vector<uint8_t>> passes_;  ///< by state: rows that pass the local filter
  bool changed_ = false;                      ///< the instance leaves the state
  bool complete_ = false;                     ///< the instance is through
  EventBatch references_row_;
  std::vector<uint32_t> picked_;

  EventBatch out_;
  std::vector<uint32_t> output_ids_, keys_, causes_;
  OutputGate* gate_ = nullptr;
};

}  // namespace pollux
