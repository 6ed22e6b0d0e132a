#include "ha/pair/epoch_history.h"

#include <algorithm>

#include "engine/base/check.h"

namespace pollux {

EntryId EpochHistory::at(Position position) const {
  if (position.value == 0) return {};
  POLLUX_CHECK(position <= last().position);
  auto end = std::lower_bound(
      ends_.begin(), ends_.end(), position,
      [](const EntryId& id, const Position& wanted) { return id.position < wanted; });
  return {end->epoch, position};
}

void EpochHistory::append(EntryId id) {
  POLLUX_CHECK(id.position.value == last().position.value + 1 && id.epoch >= last().epoch);
  if (ends_.empty() || ends_.back().epoch < id.epoch) {
    ends_.push_back(id);
  } else {
    ends_.back().position = id.position;
  }
}

void EpochHistory::truncate(Position position) {
  while (!ends_.empty() && ends_.back().position > position) {
    bool begins_behind =
        ends_.size() > 1 ? ends_[ends_.size() - 2].position >= position : position.value == 0;
    if (!begins_behind) {
      ends_.back().position = position;
      return;
    }
    ends_.pop_back();
  }
}

bool EpochHistory::is_valid() const {
  EntryId before;
  for (const EntryId& end : ends_) {
    if (end.epoch <= before.epoch || end.position <= before.position) return false;
    before = end;
  }
  return true;
}

EntryId EpochHistory::match(const EpochHistory& ours, const EpochHistory& theirs) {
  auto mine = ours.ends_.rbegin();
  auto other = theirs.ends_.rbegin();
  while (mine != ours.ends_.rend() && other != theirs.ends_.rend()) {
    if (mine->epoch == other->epoch) {
      return {mine->epoch, std::min(mine->position, other->position)};
    }
    ++(mine->epoch > other->epoch ? mine : other);
  }
  return {};
}

}  // namespace pollux
