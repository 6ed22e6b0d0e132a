#include "engine/operators/trigger.h"

#include <limits>

namespace pollux {

Trigger::Trigger(std::optional<int64_t> every_ms, Junction& stream, PlanContext& context)
    : TimerOperator(context, every_ms.value_or(std::numeric_limits<int64_t>::max())),
      every_ms_(every_ms),
      stream_(stream),
      context_(context) {}

void Trigger::on_start() {
  if (!every_ms_) return fire();
  next_ms_ = context_.now() + *every_ms_;
  schedule(0, next_ms_);
}

void Trigger::on_timer(uint32_t) {
  fire();
  next_ms_ = next_step(next_ms_, *every_ms_, context_.now());
  schedule(0, next_ms_);
}

void Trigger::fire() {
  EventBatch batch(stream_.schema());
  batch.column(0).append(context_.now());
  batch.end_row(context_.now());
  uint32_t cause = context_.timer_cause();
  Chunk chunk;
  chunk.batch = &batch;
  chunk.rows = 1;
  chunk.causes = &cause;
  chunk.strings_shared = true;
  stream_.receive(chunk);
}

}  // namespace pollux
