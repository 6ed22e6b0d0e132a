// Where `#log` writes to: the engine itself has no log.
//
// Thread: that which applies entries. The same entries bring the same calls, also when they are
// applied again after a restart.
#pragma once

#include <cstdint>
#include <string_view>

namespace pollux {

enum class LogPriority : uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kFatal };

class PlanLog {
 public:
  virtual ~PlanLog() = default;
  /// `text` is of the plan's author and of whoever sends events: it can hold anything.
  virtual void on_log(std::string_view plan, LogPriority priority, std::string_view text) = 0;
};

}  // namespace pollux
