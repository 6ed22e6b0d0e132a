// What `#log` of plans writes, as lines of the server's log.
#pragma once

#include <string>
#include <string_view>

#include "engine/operators/plan_log.h"
#include "server/log/logger.h"

namespace pollux {

/// At most so many lines a plan and interval (see RepeatLimit): events can be any number. Thread:
/// any. The logger outlives it.
class PlanLogWriter final : public PlanLog {
 public:
  explicit PlanLogWriter(Logger& log) : log_(log) {}

  void on_log(std::string_view plan, LogPriority priority, std::string_view text) override {
    log_.log_limited(level_of(priority), "#log of " + std::string(plan), text, {{"plan", plan}});
  }

 private:
  static LogLevel level_of(LogPriority priority) {
    switch (priority) {
      case LogPriority::kTrace:
      case LogPriority::kDebug:
        return LogLevel::kDebug;
      case LogPriority::kInfo:
        return LogLevel::kInfo;
      case LogPriority::kWarn:
        return LogLevel::kWarning;
      default:
        return LogLevel::kError;
    }
  }

  Logger& log_;
};

}  // namespace pollux
