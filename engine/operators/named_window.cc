#include "engine/operators/named_window.h"

namespace pollux {

NamedWindow::NamedWindow(WindowPlan plan, Output output, PlanContext& context)
    : output_(plan.schema),
      publisher_(output, output_),
      window_(WindowOperator::make(std::move(plan), context, publisher_)) {}

void NamedWindow::Publisher::receive(const Chunk& chunk) {
  std::vector<uint32_t> picked;
  std::vector<uint8_t> kinds;
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    uint8_t kind = chunk.kind(i);
    if ((kind & EventKind::kOnlyReset) != 0) continue;
    bool expired = (kind & EventKind::kExpired) != 0;
    if (expired ? !kinds_.expired : !kinds_.current) continue;
    picked.push_back(i);
    kinds.push_back(expired ? EventKind::kExpired : EventKind::kCurrent);
  }
  if (picked.empty()) return;
  ChunkPick pick;
  Chunk out = pick.pick(chunk, picked);
  out.kinds = kinds.data();
  output_.receive(out);
}

}  // namespace pollux
