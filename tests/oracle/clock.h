// Virtual time: moves when rows or the caller say so, and fires what is due on its way.
//
// The clock moves first: while a timer fires, now() is the time moved to, which may be later than
// the timer's deadline. Timers fire by deadline; those of one deadline in the order in which they
// were set.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace pollux::oracle {

class Clock {
 public:
  using Timer = std::function<void(int64_t deadline)>;

  int64_t now() const { return now_; }
  bool started() const { return started_; }

  void notify_at(int64_t deadline, Timer timer) {
    timers_.emplace(std::pair{deadline, next_++}, std::move(timer));
  }

  /// Runs `action` with the first time that the clock shows, at once if it shows one already.
  void when_started(std::function<void()> action) {
    if (started_) {
      action();
    } else {
      at_start_.push_back(std::move(action));
    }
  }

  /// Never goes back. Fires every timer with a deadline up to `time`.
  void advance(int64_t time) {
    if (!started_) {
      started_ = true;
      now_ = time;
      for (auto& action : at_start_) action();
      at_start_.clear();
    }
    if (time > now_) now_ = time;
    while (!timers_.empty() && timers_.begin()->first.first <= now_) {
      auto node = timers_.extract(timers_.begin());
      node.mapped()(node.key().first);
    }
  }

  /// When the next timer is due; empty when none is set.
  std::optional<int64_t> next_deadline() const {
    if (timers_.empty()) return std::nullopt;
    return timers_.begin()->first.first;
  }

 private:
  bool started_ = false;
  int64_t now_ = 0;
  uint64_t next_ = 0;
  std::map<std::pair<int64_t, uint64_t>, Timer> timers_;
  std::vector<std::function<void()>> at_start_;
};

}  // namespace pollux::oracle
