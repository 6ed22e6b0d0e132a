#include "engine/operators/partial_matches.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/operators/in_hand.h"

namespace pollux {

PartialMatches::PartialMatches(std::vector<CaptureRule> rules, std::vector<RowStore*> stores)
    : rules_(std::move(rules)), stores_(std::move(stores)), slot_owners_(stores_.size()) {
  for (const CaptureRule& rule : rules_) {
    chain_of_state_.push_back(static_cast<uint32_t>(counted_states_));
    if (rule.counted) ++counted_states_;
  }
}

PartialId PartialMatches::create() {
  ++live_;
  PartialId id = 0;
  if (!free_.empty()) {
    id = free_.back();
    free_.pop_back();
  } else {
    id = static_cast<PartialId>(partials_.size());
    partials_.emplace_back();
    taken_.resize(taken_.size() + rules_.size());
    chains_.resize(chains_.size() + counted_states_);
  }
  partials_[id] = Partial{};
  return id;
}

PartialId PartialMatches::copy_before(PartialId id, uint32_t from_state) {
  PartialId copy = create();
  partials_[copy].timestamp = partials_[id].timestamp;
  partials_[copy].on_time = partials_[id].on_time;
  for (uint32_t s = 0; s < from_state; ++s) {
    const Taken& from = at(id, s);
    Taken& to = at(copy, s);
    to = from;
    if (from.slot != RowStore::kNoSlot) share_slot(copy, s, from.slot);
    if (!rules_[s].counted) continue;
    chain(copy, s) = chain(id, s);
    for (Slot slot : chain(copy, s)) share_slot(copy, s, slot);
  }
  return copy;
}

void PartialMatches::release(PartialId id) {
  Partial& partial = partials_[id];
  POLLUX_CHECK(partial.owners > 0);
  if (--partial.owners != 0 || partial.doomed) return;
  partial.doomed = true;
  doomed_.push_back(id);
}

void PartialMatches::free_unowned() {
  for (PartialId id : doomed_) {
    Partial& partial = partials_[id];
    partial.doomed = false;
    if (partial.owners != 0) continue;
    for (uint32_t s = 0; s < rules_.size(); ++s) drop_event(id, s);
    free_.push_back(id);
    --live_;
  }
  doomed_.clear();
}

void PartialMatches::drop_event(PartialId id, uint32_t state) {
  Taken& taken = at(id, state);
  if (taken.count == 0) return;
  if (taken.slot != RowStore::kNoSlot) release_slot(rules_[state].store, taken.slot);
  taken = Taken{};
  if (!rules_[state].counted) return;
  for (Slot slot : chain(id, state)) release_slot(rules_[state].store, slot);
  chain(id, state).clear();
}

void PartialMatches::release_slot(uint32_t store, Slot slot) {
  if (in_hand::holds(slot)) return;
  if (--slot_owners_[store][slot] == 0) stores_[store]->release(slot);
}

void PartialMatches::share_slot(PartialId id, uint32_t state, Slot slot) {
  if (in_hand::holds(slot)) {
    in_hand_.push_back({id, state});
  } else {
    ++slot_owners_[rules_[state].store][slot];
  }
}

Slot PartialMatches::keep_in_hand(PartialId id, uint32_t state, uint32_t i) {
  in_hand_.push_back({id, state});
  return in_hand::of_row(i);
}

void PartialMatches::settle(const Chunk& chunk, uint32_t store) {
  if (in_hand_.empty()) return;
  stored_in_hand_.assign(chunk.rows, RowStore::kNoSlot);
  for (const Kept& kept : in_hand_) {
    settle_slot(chunk, store, at(kept.id, kept.state).slot);
    if (!rules_[kept.state].counted) continue;
    for (Slot& slot : chain(kept.id, kept.state)) settle_slot(chunk, store, slot);
  }
  in_hand_.clear();
}

void PartialMatches::settle_slot(const Chunk& chunk, uint32_t store, Slot& slot) {
  if (!in_hand::holds(slot)) return;
  Slot& stored = stored_in_hand_[in_hand::row_of(slot)];
  std::vector<uint32_t>& owners = slot_owners_[store];
  if (stored == RowStore::kNoSlot) {
    stored = stores_[store]->insert(chunk, in_hand::row_of(slot));
    POLLUX_CHECK(!in_hand::holds(stored));
    if (owners.size() <= stored) owners.resize(stored + 1, 0);
    owners[stored] = 0;
  }
  ++owners[stored];
  slot = stored;
}

void PartialMatches::take(PartialId id, uint32_t state, const Chunk& chunk, uint32_t i) {
  const CaptureRule& rule = rules_[state];
  if (!rule.counted) {
    drop_event(id, state);
    Taken& taken = at(id, state);
    taken.count = 1;
    taken.first_time = chunk.timestamp(i);
    if (rule.stored) taken.slot = keep_in_hand(id, state, i);
    return;
  }
  Taken& taken = at(id, state);
  if (taken.count++ == 0) taken.first_time = chunk.timestamp(i);
  if (!rule.stored) return;
  std::vector<Slot>& kept = chain(id, state);
  kept.push_back(keep_in_hand(id, state, i));
  if (kept.size() <= rule.first_kept + rule.last_kept) return;
  // Nobody asks for the oldest of those that are not at the front.
  release_slot(rule.store, kept[rule.first_kept]);
  kept.erase(kept.begin() + rule.first_kept);
}

Slot PartialMatches::from_front(PartialId id, uint32_t state, uint32_t place) const {
  const Taken& taken = at(id, state);
  if (place >= taken.count) return RowStore::kNoSlot;
  if (!rules_[state].counted) return taken.slot;
  const std::vector<Slot>& kept = chain(id, state);
  POLLUX_CHECK(place < kept.size());
  return kept[place];
}

Slot PartialMatches::from_back(PartialId id, uint32_t state, uint32_t place) const {
  const Taken& taken = at(id, state);
  if (place >= taken.count) return RowStore::kNoSlot;
  if (!rules_[state].counted) return taken.slot;
  const std::vector<Slot>& kept = chain(id, state);
  POLLUX_CHECK(place < kept.size());
  return kept[kept.size() - 1 - place];
}

void PartialMatches::archive(StateArchive& archive) {
  archive(slot_owners_, partials_, taken_, chains_);
  archive.list(free_, [&](PartialId& id) { archive.index(id, partials_.size()); });
  archive(live_);
  if (!archive.loads()) return;
  bool sized = slot_owners_.size() == stores_.size() &&
               taken_.size() == partials_.size() * rules_.size() &&
               chains_.size() == partials_.size() * counted_states_;
  if (!sized) return archive.fail();
  for (PartialId id = 0; id < partials_.size(); ++id) {
    for (uint32_t state = 0; state < rules_.size(); ++state) {
      uint32_t store = rules_[state].store;
      auto known = [&](Slot slot) {
        return stores_[store]->has_slot(slot) && slot < slot_owners_[store].size();
      };
      Slot slot = at(id, state).slot;
      if (slot != RowStore::kNoSlot && !known(slot)) return archive.fail();
      if (!rules_[state].counted) continue;
      for (Slot kept : chain(id, state)) {
        if (!known(kept)) return archive.fail();
      }
    }
  }
}

size_t PartialMatches::bytes() const {
  size_t bytes = partials_.capacity() * sizeof(Partial) + taken_.capacity() * sizeof(Taken) +
                 chains_.capacity() * sizeof(std::vector<Slot>);
  for (const auto& kept : chains_) bytes += kept.capacity() * sizeof(Slot);
  for (const auto& owners : slot_owners_) bytes += owners.capacity() * sizeof(uint32_t);
  return bytes;
}

}  // namespace pollux
