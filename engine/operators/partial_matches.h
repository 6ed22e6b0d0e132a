// The instances of a pattern that have begun: for each state, the events that it took.
//
// An instance may stand in the lists of several states; it goes when the last list lets go of it.
// Only events that a filter or the selection reads are stored, and of a counted state only those
// at the places that are asked for. Thread: the shard's.
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
  /// An event that was taken but is not stored.
  static constexpr Slot kPresent = RowStore::kNoSlot - 1;

  PartialMatches(std::vector<CaptureRule> rules, std::vector<RowStore*> stores);

  PartialId create();
  /// A copy without the events of states `from_state` and later.
  PartialId copy_before(PartialId id, uint32_t from_state);
  void retain(PartialId id) { ++partials_[id].owners; }
  /// Once nobody owns it the instance is freed at the next free_unowned().
  void release(PartialId id);
  void free_unowned();

  bool has(PartialId id, uint32_t state) const { return partials_[id].counts[state] != 0; }
  uint32_t count(PartialId id, uint32_t state) const { return partials_[id].counts[state]; }
  int64_t first_time(PartialId id, uint32_t state) const {
    return partials_[id].first_times[state];
  }
  /// The stored event at a place; kNoSlot when there is none. From the back: 0 is the last.
  Slot from_front(PartialId id, uint32_t state, uint32_t place) const;
  Slot from_back(PartialId id, uint32_t state, uint32_t place) const;

  /// The state takes row i of the chunk.
  void take(PartialId id, uint32_t state, const Chunk& chunk, uint32_t i);

  int64_t timestamp(PartialId id) const { return partials_[id].timestamp; }
  void set_timestamp(PartialId id, int64_t timestamp) { partials_[id].timestamp = timestamp; }
  bool expired(PartialId id) const { return partials_[id].expired; }
  void set_expired(PartialId id) { partials_[id].expired = true; }

  uint32_t live() const { return live_; }
  size_t bytes() const;

 private:
  struct Partial {
    int64_t timestamp = -1;
    uint32_t owners = 0;
    bool expired = false;
    bool doomed = false;
    std::vector<uint32_t> counts;
    std::vector<int64_t> first_times;
    std::vector<std::vector<Slot>> slots;
  };

  void drop_events(Partial& partial, uint32_t from_state);
  void release_slot(uint32_t store, Slot slot);
  Slot share_slot(uint32_t store, Slot slot);

  std::vector<CaptureRule> rules_;
  std::vector<RowStore*> stores_;
  std::vector<std::vector<uint32_t>> slot_owners_;  ///< by store and slot
  std::vector<Partial> partials_;
  std::vector<PartialId> free_, doomed_;
  uint32_t live_ = 0;
};

}  // namespace pollux
