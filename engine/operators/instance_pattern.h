// Patterns and sequences of any kind: instances stand in lists, by state.
//
// Each state has the instances that wait for its next event (pending) and those that will from the
// next event on (fresh). An event is offered to the states that read its stream, the last first.
// In a sequence an instance that an event does not move is gone. With `every` the chain begins
// anew whenever the part under it is through, or too old. `within` counts from the first event of
// an instance; equal is inside. Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/small_ids.h"
#include "engine/operators/partial_matches.h"
#include "engine/operators/pattern_operator.h"

namespace pollux {

class InstancePattern final : public PatternOperator {
 public:
  InstancePattern(PatternPlan plan, PlanContext& context, Receiver& next);

  void begin_key(uint32_t key, int64_t clock) override;
  void drop_key(uint32_t key) override;
  size_t state_bytes() const override;
  void archive_state(StateArchive& archive) override;
  void add_counts(PlanCounts& counts) const override {
    counts.partial_matches += partials_->live();
  }

 private:
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

    void archive(StateArchive& archive) {
      archive(pending_mask, fresh_mask, restart_mask, earliest_ms, latest_ms, begun, initialized);
    }
    bool idle() const { return (pending_mask | fresh_mask | restart_mask) == 0; }
  };

  /// Wakes absent states: its keys are instance * states + state.
  class Timer final : public TimerOperator {
   public:
    Timer(InstancePattern& owner, PlanContext& context, int64_t least_delay_ms)
        : TimerOperator(context, least_delay_ms), owner_(owner) {}
    using TimerOperator::schedule;

   private:
    void on_timer(uint32_t key) override;
    void on_start() override;

    InstancePattern& owner_;
  };
  /// Of one absent state of a partition instance.
  struct Absence {
    int64_t wakes_ms = 0;    ///< when the last of what waits has waited long enough
    int64_t arrived_ms = 0;  ///< of and/or: the last event that should not have come; 0: none
    bool active = true;      ///< without `every` the first match is the last

    void archive(StateArchive& archive) { archive(wakes_ms, arrived_ms, active); }
  };

  /// An instance that has no events yet: nothing needs to be stored for it.
  static constexpr PartialId kVirgin = UINT32_MAX;

  SmallIds& pending(uint32_t state) { return at_pending_[state]; }
  SmallIds& fresh(uint32_t state) { return at_fresh_[state]; }
  size_t lists_per_key() const { return 2 * plan().states.size(); }
  void go_to(uint32_t key);
  void receive(uint32_t input, const Chunk& chunk) override;
  void settle() override;
  bool sweep(int64_t now) override;
  void evict();
  /// Ends the instances of all keys for which `ends(id)` holds.
  template <class Ends>
  void end_everywhere(Ends&& ends);
  void prefetch(uint32_t key) const;
  bool passes_by(uint32_t input, uint32_t key, uint32_t i) const;
  void offer(uint32_t input, const Chunk& chunk, uint32_t i);
  void process(uint32_t state, const Chunk& chunk, uint32_t i);
  void begin_again(uint32_t state, const Chunk& chunk, uint32_t i);
  void take(PartialId id, uint32_t state, const Chunk& chunk, uint32_t i);
  bool passes(uint32_t state, PartialId id, uint32_t i);
  /// The event has been taken by the state; moves the instance on. `since`: its time before that.
  void taken(uint32_t state, PartialId id, int64_t since);
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
  bool aged(PartialId id, int64_t limit) const;
  /// Ends the instances of the key at hand for which `ends(id)` holds. `in_order`: of those that
  /// wait in a state, those behind one that does not end do not end either.
  template <class Ends>
  void end_instances(Ends&& ends, bool in_order);
  void begin_after(uint32_t state, PartialId late);
  bool too_late(const PatternState& rule, PartialId id, int64_t time) const;
  void push_fresh(uint32_t state, PartialId id);
  void move_fresh(uint32_t state);
  void clear_pending(uint32_t state);
  void release_all(SmallIds& list);
  void emit(PartialId id, uint32_t cause);
  void begin();

  // instance_pattern_absent.cc
  Absence& absence(uint32_t state);
  bool is_logical(uint32_t state) const {
    return plan().states[state].partner != PatternState::kNone;
  }
  bool has_next_waiting(uint32_t state);
  void wake_at(uint32_t state, int64_t time_ms);
  void add_absent(uint32_t state, PartialId id);
  void offer_to_absent(uint32_t state, const Chunk& chunk, uint32_t i);
  void offer_to_absent_half(uint32_t state, const Chunk& chunk, uint32_t i);
  void stop_waiting(uint32_t state, PartialId id);
  bool can_proceed_without(uint32_t absent, PartialId id);
  void begin_absences();
  void on_tick(uint32_t key, uint32_t state);
  void tick(uint32_t state, int64_t now);
  void tick_half(uint32_t state, int64_t now);
  bool take_none_of_half(uint32_t state, PartialId id);
  void pass_absent(uint32_t state, const std::vector<PartialId>& due, int64_t now);
  PartialId real(PartialId id);
  void append(const PatternReference& reference, PartialId id, Column& to);

  std::vector<uint32_t> start_states_;
  uint64_t start_mask_ = 0;
  /// A sequence whose one start state waits again after every event: it needs no list.
  bool rearms_ = false;
  std::unique_ptr<PartialMatches> partials_;
  KeyedState<Instances> instances_;
  std::vector<uint8_t> busy_;    ///< by instance: whether it is not idle
  std::vector<SmallIds> lists_;  ///< by instance: fresh by state, then pending by state

  std::unique_ptr<Timer> timer_;         ///< only with absent states
  std::vector<uint32_t> absent_states_;  ///< those that wait for time
  std::vector<Absence> absences_;        ///< by instance and state, where there are absent ones

  // While a chunk is worked on.
  uint32_t at_key_ = 0;
  Instances* at_ = nullptr;
  SmallIds* at_fresh_ = nullptr;
  SmallIds* at_pending_ = nullptr;
  bool changed_ = false;   ///< the instance leaves the state
  bool complete_ = false;  ///< the instance is through
};

/// Calls `use` for each state in the mask, the first one first.
template <class F>
void for_each_state(uint64_t mask, F&& use) {
  for (; mask != 0; mask &= mask - 1) use(static_cast<uint32_t>(__builtin_ctzll(mask)));
}

template <class Ends>
void InstancePattern::end_instances(Ends&& ends, bool in_order) {
  for_each_state(at_->pending_mask | at_->fresh_mask, [&](uint32_t s) {
    PartialId ended = kVirgin;
    auto end_in = [&](SmallIds& list, bool ordered) {
      uint32_t kept = 0;
      for (uint32_t k = 0; k < list.size(); ++k) {
        PartialId id = list[k];
        if (id == kVirgin || !ends(id)) {
          if (ordered && k == 0) return;
          list[kept++] = id;
          if (!ordered) continue;
          while (++k < list.size()) list[kept++] = list[k];
          break;
        }
        if (!partials_->expired(id)) {
          partials_->set_expired(id);
          ended = id;
        }
        partials_->release(id);
      }
      list.truncate(kept);
    };
    end_in(pending(s), in_order);
    if (pending(s).empty()) at_->pending_mask &= ~bit(s);
    end_in(fresh(s), false);
    if (fresh(s).empty()) at_->fresh_mask &= ~bit(s);
    int32_t begins = plan().states[s].within_every;
    if (ended == kVirgin || begins == PatternState::kNone) return;
    add_every(static_cast<uint32_t>(begins), ended);
    update(static_cast<uint32_t>(begins));
  });
}

}  // namespace pollux
