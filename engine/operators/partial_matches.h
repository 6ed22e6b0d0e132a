// The instances of a pattern that have begun: for each state, the events that it took.
//
// An instance may stand in the lists of several states; it goes when the last list lets go of it.
// Only events that a filter or the selection reads are kept, and of a counted state only those at
// the places that are asked for. Events of the chunk in hand are kept by their row; what is still
// asked for at its end is stored then, since most instances end as soon as they began.
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/operators/row_store.h"

namespace pollux {

using PartialId = uint32_t;

/// What is kept of the events of one state.
struct CaptureRule {
  bool stored = false;      ///< somebody reads attributes of them
  bool counted = false;     ///< several events
  uint32_t first_kept = 0;  ///< places from the front that are asked for
  uint32_t last_kept = 0;   ///< places from the back
  uint32_t store = 0;       ///< which RowStore
};

class PartialMatches {
 public:
  PartialMatches(std::vector<CaptureRule> rules, std::vector<RowStore*> stores);

  PartialId create();
  /// A copy without the events of states `from_state` and later.
  PartialId copy_before(PartialId id, uint32_t from_state);
  void retain(PartialId id) { ++partials_[id].owners; }
  /// Once nobody owns it the instance is freed at the next free_unowned().
  void release(PartialId id);
  void free_unowned();

  bool has(PartialId id, uint32_t state) const { return at(id, state).count != 0; }
  uint32_t count(PartialId id, uint32_t state) const { return at(id, state).count; }
  int64_t first_time(PartialId id, uint32_t state) const { return at(id, state).first_time; }
  /// The kept event at a place; kNoSlot when there is none. From the back: 0 is the last.
  Slot from_front(PartialId id, uint32_t state, uint32_t place) const;
  Slot from_back(PartialId id, uint32_t state, uint32_t place) const;

  /// The state takes row i of the chunk in hand.
  void take(PartialId id, uint32_t state, const Chunk& chunk, uint32_t i);
  /// The state counts as passed, though no event came.
  void take_none(PartialId id, uint32_t state) { at(id, state) = {-1, 1, RowStore::kNoSlot}; }
  /// The chunk in hand, whose rows went to states of `store`, goes: stores what is still kept of
  /// it.
  void settle(const Chunk& chunk, uint32_t store);

  int64_t timestamp(PartialId id) const { return partials_[id].timestamp; }
  void set_timestamp(PartialId id, int64_t timestamp) { partials_[id].timestamp = timestamp; }
  bool expired(PartialId id) const { return partials_[id].expired; }
  void set_expired(PartialId id) { partials_[id].expired = true; }

  bool has(PartialId id) const { return id < partials_.size(); }
  /// Whether the instance's first event came when the clock showed its time, more or less.
  bool on_time(PartialId id) const { return partials_[id].on_time; }
  void set_on_time(PartialId id, bool on_time) { partials_[id].on_time = on_time; }

  uint32_t live() const { return live_; }
  /// Instances have numbers below this.
  uint32_t capacity() const { return static_cast<uint32_t>(partials_.size()); }
  bool is_owned(PartialId id) const { return partials_[id].owners > 0; }
  size_t bytes() const;
  /// Between chunks; the stores are somebody else's and come before.
  void archive(StateArchive& archive);

 private:
  struct Partial {
    int64_t timestamp = -1;
    uint32_t owners = 0;
    bool expired = false;
    bool doomed = false;
    bool on_time = false;
    void archive(StateArchive& archive) { archive(timestamp, owners, expired, on_time); }
  };
  /// What an instance has of one state.
  struct Taken {
    int64_t first_time = 0;
    uint32_t count = 0;
    Slot slot = RowStore::kNoSlot;  ///< of states that take one event
    void archive(StateArchive& archive) { archive(first_time, count, slot); }
  };

  Taken& at(PartialId id, uint32_t state) { return taken_[size_t{id} * rules_.size() + state]; }
  const Taken& at(PartialId id, uint32_t state) const {
    return taken_[size_t{id} * rules_.size() + state];
  }
  /// The kept events of a counted state.
  std::vector<Slot>& chain(PartialId id, uint32_t state) {
    return chains_[size_t{id} * counted_states_ + chain_of_state_[state]];
  }
  const std::vector<Slot>& chain(PartialId id, uint32_t state) const {
    return chains_[size_t{id} * counted_states_ + chain_of_state_[state]];
  }

  void drop_event(PartialId id, uint32_t state);
  void release_slot(uint32_t store, Slot slot);
  /// One more instance keeps the event.
  void share_slot(PartialId id, uint32_t state, Slot slot);
  Slot keep_in_hand(PartialId id, uint32_t state, uint32_t i);
  void settle_slot(const Chunk& chunk, uint32_t store, Slot& slot);

  std::vector<CaptureRule> rules_;
  std::vector<RowStore*> stores_;
  std::vector<uint32_t> chain_of_state_;
  size_t counted_states_ = 0;
  std::vector<std::vector<uint32_t>> slot_owners_;  ///< by store and slot
  std::vector<Partial> partials_;
  std::vector<Taken> taken_;               ///< by instance and state
  std::vector<std::vector<Slot>> chains_;  ///< by instance and counted state
  std::vector<PartialId> free_, doomed_;
  struct Kept {
    PartialId id;
    uint32_t state;
  };
  std::vector<Kept> in_hand_;         ///< who was given rows of the chunk in hand
  std::vector<Slot> stored_in_hand_;  ///< by row of the chunk in hand, while it is settled
  uint32_t live_ = 0;
};

}  // namespace pollux
