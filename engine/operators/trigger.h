// define trigger: a stream that gets an event when the plan begins, or every so often.
//
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/operators/junction.h"
#include "engine/operators/plan_context.h"

namespace pollux {

class Trigger final : public TimerOperator {
 public:
  /// `every_ms` is empty for a trigger at the start. The stream has one attribute, a long: the
  /// time.
  Trigger(std::optional<int64_t> every_ms, Junction& stream, PlanContext& context);

 private:
  void on_start() override;
  void on_timer(uint32_t key) override;
  void fire();

  std::optional<int64_t> every_ms_;
  Junction& stream_;
  PlanContext& context_;
  int64_t next_ms_ = 0;
};

}  // namespace pollux
