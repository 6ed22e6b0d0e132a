// Instances that end without an event: too old by the clock, or too many.
#include <algorithm>
#include <utility>

#include "engine/operators/instance_pattern.h"

namespace pollux {

bool InstancePattern::aged(PartialId id, int64_t limit) const {
  if (!partials_->on_time(id)) return false;
  return std::any_of(start_states_.begin(), start_states_.end(), [&](uint32_t s) {
    return partials_->has(id, s) && partials_->first_time(id, s) < limit;
  });
}

template <class Ends>
void InstancePattern::end_everywhere(Ends&& ends) {
  for (uint32_t key = 0; key < instances_.all().size(); ++key) {
    if (!instances_.at(key).begun || instances_.at(key).idle()) continue;
    go_to(key);
    end_instances(ends, false);
    if (!at_->idle()) continue;
    at_->earliest_ms = INT64_MAX;
    at_->latest_ms = INT64_MIN;
    busy_[key] = 0;
  }
  partials_->free_unowned();
}

// Where absent states begin anew, what they make of an instance that is too old depends on when it
// is found to be: at an event, as ever.
bool InstancePattern::sweep(int64_t now) {
  uint32_t before = partials_->live();
  bool ages = plan().within_ms && absent_states_.empty();
  if (ages) {
    int64_t limit = aged_before(now);
    end_everywhere([&](PartialId id) { return aged(id, limit); });
    context().counts().partial_matches_aged += before - partials_->live();
  }
  if (partials_->live() > context().limits().partial_matches) evict();
  if (!ages) return false;
  for (PartialId id = 0; id < partials_->capacity(); ++id) {
    if (partials_->is_owned(id) && partials_->on_time(id)) return true;
  }
  return false;
}

/// Too many instances: those to which nothing happened for longest end, and some more than need be.
void InstancePattern::evict() {
  uint64_t most = context().limits().partial_matches;
  uint64_t many = partials_->live() - most + most / 16;
  std::vector<PartialId> by_age;
  for (PartialId id = 0; id < partials_->capacity(); ++id) {
    if (partials_->is_owned(id)) by_age.push_back(id);
  }
  many = std::min<uint64_t>(many, by_age.size());
  auto end = by_age.begin() + static_cast<std::ptrdiff_t>(many);
  std::nth_element(by_age.begin(), end, by_age.end(), [this](PartialId a, PartialId b) {
    return std::pair(partials_->timestamp(a), a) < std::pair(partials_->timestamp(b), b);
  });
  std::vector<bool> ends(partials_->capacity(), false);
  for (auto id = by_age.begin(); id != end; ++id) ends[*id] = true;
  uint32_t before = partials_->live();
  end_everywhere([&](PartialId id) { return id < ends.size() && ends[id]; });
  context().counts().partial_matches_evicted += before - partials_->live();
}

}  // namespace pollux
