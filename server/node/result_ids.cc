#include "server/node/result_ids.h"

#include <algorithm>

namespace pollux {

uint32_t ResultIds::known_rows(const ResultSlice& slice) const {
  auto last = last_.find(*slice.plan);
  if (last == last_.end() || slice.cause > last->second.cause) return 0;
  if (slice.cause < last->second.cause) return slice.batch->rows();
  const auto& ordinals = slice.ordinals;
  auto above = std::upper_bound(ordinals.begin(), ordinals.end(), last->second.ordinal);
  return static_cast<uint32_t>(above - ordinals.begin());
}

void ResultIds::add(const ResultSlice& slice) {
  PlanRow id{slice.cause, slice.ordinals.back()};
  raise_last_id(last_, *slice.plan, id);
  if (blocks_.empty() || blocks_.back().end - blocks_.back().first >= kBlockRows) {
    blocks_.push_back({slice.first, slice.first, {}});
  }
  raise_last_id(blocks_.back().last, *slice.plan, id);
  blocks_.back().end = slice.end();
}

void ResultIds::add_last(const LastIds& ids) {
  for (const auto& [plan, last] : ids) raise_last_id(last_, plan, last);
}

void ResultIds::forget_below(uint64_t offset) {
  while (!blocks_.empty() && blocks_.front().end <= offset) blocks_.pop_front();
}

std::optional<ResultIds::Range> ResultIds::find(const ResultId& id) const {
  for (const Block& block : blocks_) {
    auto last = block.last.find(id.plan);
    if (last != block.last.end() && last->second >= id.row) return Range{block.first, block.end};
  }
  return std::nullopt;
}

}  // namespace pollux
