// define trigger: a stream that gets an event when the plan begins, every so often, or by cron.
//
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/cron.h"
#include "engine/operators/junction.h"
#include "engine/operators/plan_context.h"

namespace pollux {

class Trigger final : public TimerOperator, public Stateful {
 public:
  /// When it fires; at the start when neither is given.
  struct Times {
    std::optional<int64_t> every_ms;
    std::optional<CronSchedule> cron;
  };

  /// The stream has one attribute, a long: the time.
  Trigger(Times times, Junction& stream, PlanContext& context);

  void archive_state(StateArchive& archive) override {
    TimerOperator::archive(archive);
    archive(next_ms_);
  }

 private:
  void on_start() override;
  void on_timer(uint32_t key) override;
  void fire();
  void wait();

  Times times_;
  Junction& stream_;
  PlanContext& context_;
  int64_t next_ms_ = 0;
};

}  // namespace pollux
