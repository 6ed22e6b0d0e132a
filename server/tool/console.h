// Standard error for a person: messages, and a progress bar while it is a terminal.
//
// The bar is drawn at most ten times a second and wiped before anything else is printed.
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "engine/operators/plan_log.h"

namespace pollux::tool {

struct Progress {
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;  ///< 0: not known
  uint64_t events = 0;
  std::optional<uint64_t> acked = {};  ///< of them, by a server
};

class Console {
 public:
  Console();
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// One line, or several that end with line ends of their own.
  void message(std::string_view text);
  void show(const Progress& progress);
  /// To be called before results go to a terminal.
  void wipe_bar();

 private:
  using Clock = std::chrono::steady_clock;

  void wipe();

  const bool has_bar_;
  std::mutex mutex_;  // guards what follows, and that lines stay whole
  bool bar_shown_ = false;
  Clock::time_point started_;
  Clock::time_point drawn_;
};

/// What `#log` of a plan writes, a line each; control characters are shown as '?'.
class ConsoleLog final : public PlanLog {
 public:
  explicit ConsoleLog(Console& console) : console_(console) {}
  void on_log(std::string_view plan, LogPriority priority, std::string_view text) override;

 private:
  Console& console_;
};

/// The bar's text, `width` columns of it for the bar itself.
std::string progress_text(const Progress& progress, double seconds, size_t width);

}  // namespace pollux::tool
