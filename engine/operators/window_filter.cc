#include "engine/operators/window_filter.h"

#include <utility>

namespace pollux {

WindowFilter::WindowFilter(ExpressionPtr condition, PlanContext& context, Receiver& next)
    : condition_(std::move(condition)), context_(context), next_(next) {}

void WindowFilter::receive(const Chunk& chunk) {
  FrameSource source = chunk.source();
  picked_.clear();
  select_rows(*condition_, {chunk.rows, &source, context_.now()}, picked_);
  if (chunk.kinds != nullptr) carry_resets(chunk);
  if (picked_.empty()) return;
  if (context_.loops()) {
    std::vector<uint8_t> kinds = kinds_;
    ChunkPick pick;
    Chunk out = pick.pick(chunk, picked_);
    if (chunk.kinds != nullptr) out.kinds = kinds.data();
    return next_.receive(out);
  }
  Chunk out = pick_.pick(chunk, picked_);
  if (chunk.kinds != nullptr) out.kinds = kinds_.data();
  next_.receive(out);
}

void WindowFilter::carry_resets(const Chunk& chunk) {
  constexpr uint8_t kResets = EventKind::kResetBefore | EventKind::kResetAfter;
  kinds_.resize(picked_.size());
  size_t p = 0;
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    uint8_t kind = chunk.kinds[i];
    uint8_t& waiting = resets_.at(chunk.key(i));
    if (p < picked_.size() && picked_[p] == i) {
      if (waiting != 0) kind |= EventKind::kResetBefore;
      waiting = 0;
      kinds_[p++] = kind;
    } else if ((kind & kResets) != 0) {
      waiting = 1;
    }
  }
  if (picked_.empty()) return;
  uint8_t& behind = resets_.at(chunk.key(picked_.back()));
  if (behind != 0) kinds_.back() |= EventKind::kResetAfter;
  behind = 0;
}

}  // namespace pollux
