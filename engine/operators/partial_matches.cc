#include "engine/operators/partial_matches.h"

#include <utility>

#include "engine/base/check.h"

namespace pollux {

PartialMatches::PartialMatches(std::vector<CaptureRule> rules, std::vector<RowStore*> stores)
    : rules_(std::move(rules)), stores_(std::move(stores)), slot_owners_(stores_.size()) {}

PartialId PartialMatches::create() {
  ++live_;
  PartialId id = 0;
  if (!free_.empty()) {
    id = free_.back();
    free_.pop_back();
  } else {
    id = static_cast<PartialId>(partials_.size());
    partials_.emplace_back();
    partials_[id].counts.resize(rules_.size(), 0);
    partials_[id].first_times.resize(rules_.size(), 0);
    partials_[id].slots.resize(rules_.size());
  }
  Partial& fresh = partials_[id];
  fresh.timestamp = -1;
  fresh.owners = 0;
  fresh.expired = false;
  fresh.doomed = false;
  return id;
}

PartialId PartialMatches::copy_before(PartialId id, uint32_t from_state) {
  PartialId copy = create();
  const Partial& from = partials_[id];
  Partial& to = partials_[copy];
  to.timestamp = from.timestamp;
  for (uint32_t s = 0; s < from_state; ++s) {
    to.counts[s] = from.counts[s];
    to.first_times[s] = from.first_times[s];
    for (Slot slot : from.slots[s]) to.slots[s].push_back(share_slot(rules_[s].store, slot));
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
    drop_events(partial, 0);
    free_.push_back(id);
    --live_;
  }
  doomed_.clear();
}

void PartialMatches::drop_events(Partial& partial, uint32_t from_state) {
  for (uint32_t s = from_state; s < rules_.size(); ++s) {
    partial.counts[s] = 0;
    for (Slot slot : partial.slots[s]) release_slot(rules_[s].store, slot);
    partial.slots[s].clear();
  }
}

void PartialMatches::release_slot(uint32_t store, Slot slot) {
  if (--slot_owners_[store][slot] == 0) stores_[store]->release(slot);
}

Slot PartialMatches::share_slot(uint32_t store, Slot slot) {
  ++slot_owners_[store][slot];
  return slot;
}

void PartialMatches::take(PartialId id, uint32_t state, const Chunk& chunk, uint32_t i) {
  Partial& partial = partials_[id];
  const CaptureRule& rule = rules_[state];
  if (!rule.counted) {
    for (Slot slot : partial.slots[state]) release_slot(rule.store, slot);
    partial.slots[state].clear();
    partial.counts[state] = 0;
  }
  if (partial.counts[state]++ == 0) partial.first_times[state] = chunk.timestamp(i);
  if (!rule.stored) return;
  Slot slot = stores_[rule.store]->insert(chunk, i);
  std::vector<uint32_t>& owners = slot_owners_[rule.store];
  if (owners.size() <= slot) owners.resize(slot + 1, 0);
  owners[slot] = 1;
  std::vector<Slot>& kept = partial.slots[state];
  kept.push_back(slot);
  if (!rule.counted || kept.size() <= rule.first_kept + rule.last_kept) return;
  // Nobody asks for the oldest of those that are not at the front.
  release_slot(rule.store, kept[rule.first_kept]);
  kept.erase(kept.begin() + rule.first_kept);
}

Slot PartialMatches::from_front(PartialId id, uint32_t state, uint32_t place) const {
  const Partial& partial = partials_[id];
  if (place >= partial.counts[state]) return RowStore::kNoSlot;
  const std::vector<Slot>& kept = partial.slots[state];
  POLLUX_CHECK(place < kept.size());
  return kept[place];
}

Slot PartialMatches::from_back(PartialId id, uint32_t state, uint32_t place) const {
  const Partial& partial = partials_[id];
  if (place >= partial.counts[state]) return RowStore::kNoSlot;
  const std::vector<Slot>& kept = partial.slots[state];
  POLLUX_CHECK(place < kept.size());
  return kept[kept.size() - 1 - place];
}

size_t PartialMatches::bytes() const {
  size_t bytes = partials_.capacity() * sizeof(Partial);
  for (const Partial& partial : partials_) {
    bytes += partial.counts.capacity() * 4 + partial.first_times.capacity() * 8;
    bytes += partial.slots.capacity() * sizeof(std::vector<Slot>);
    for (const auto& slots : partial.slots) bytes += slots.capacity() * sizeof(Slot);
  }
  for (const auto& owners : slot_owners_) bytes += owners.capacity() * 4;
  return bytes;
}

}  // namespace pollux
