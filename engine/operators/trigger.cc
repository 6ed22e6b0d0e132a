#include "engine/operators/trigger.h"

#include <limits>
#include <utility>

namespace pollux {

// It asks for deadlines at the start and when one has come, never while rows are worked on.
Trigger::Trigger(Times times, Junction& stream, PlanContext& context)
    : TimerOperator(context, std::numeric_limits<int64_t>::max()),
      times_(std::move(times)),
      stream_(stream),
      context_(context) {}

void Trigger::on_start() {
  if (!times_.every_ms && !times_.cron) return fire();
  next_ms_ = context_.now();
  wait();
}

void Trigger::on_timer(uint32_t) {
  fire();
  wait();
}

/// What a leap of the clock passed over: of every so often it is caught up with, by cron it is not.
void Trigger::wait() {
  int64_t now = context_.now();
  if (times_.every_ms) {
    next_ms_ = next_step(next_ms_, *times_.every_ms, now);
  } else {
    next_ms_ = times_.cron->next_after(now);
    if (next_ms_ == std::numeric_limits<int64_t>::max()) return;
  }
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
