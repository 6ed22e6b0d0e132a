// How the clock of a playback plan goes on while no events come.
//
// Each time that no event has come for `idle_ms` of the entries' clock, the plan's own clock leaps
// by `increment_ms`. It begins with the first event. Thread: the shard's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/state/stateful.h"

namespace pollux {

class IdleClock final : public Stateful {
 public:
  struct Options {
    int64_t idle_ms = 1;
    int64_t increment_ms = 1;
  };

  explicit IdleClock(Options options) : options_(options) {}

  /// An event came that was not older than the plan's clock.
  void restart(int64_t entry_clock_ms) { due_ms_ = entry_clock_ms + options_.idle_ms; }
  std::optional<int64_t> deadline() const { return due_ms_; }

  /// Calls `leap(ms)` for each idle time that has passed. Of very many, after a leap of the
  /// entries' clock, all but the last kLeapsMax are one.
  template <class Leap>
  void advance_to(int64_t entry_clock_ms, Leap&& leap) {
    if (!due_ms_ || *due_ms_ > entry_clock_ms) return;
    int64_t leaps = (entry_clock_ms - *due_ms_) / options_.idle_ms + 1;
    due_ms_ = *due_ms_ + leaps * options_.idle_ms;
    int64_t together = leaps > kLeapsMax ? leaps - kLeapsMax : 0;
    int64_t far = 0;
    if (__builtin_mul_overflow(together, options_.increment_ms, &far)) far = kLeapMax;
    far = std::min(far, kLeapMax);
    if (far > 0) leap(far);
    for (int64_t i = together; i < leaps; ++i) leap(options_.increment_ms);
  }

  void archive_state(StateArchive& archive) override { archive(due_ms_); }

 private:
  static constexpr int64_t kLeapsMax = 4096;
  static constexpr int64_t kLeapMax = int64_t{1} << 60;

  Options options_;
  std::optional<int64_t> due_ms_;  ///< by the entries' clock; none before the first event
};

}  // namespace pollux
