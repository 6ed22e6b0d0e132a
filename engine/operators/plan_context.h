// What operators of one plan share: the clock, the timers, memory for strings.
//
// Thread: the shard's. The context outlives every operator of its plan.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/string_pool.h"
#include "engine/expression/uuid_source.h"
#include "engine/language/dialect.h"
#include "engine/operators/chunk.h"
#include "engine/operators/loop_guard.h"
#include "engine/operators/plan_limits.h"
#include "engine/operators/plan_log.h"
#include "engine/state/stateful.h"

namespace pollux {

class PlanContext;

/// The deadline after `last` in steps of `period_ms`. Steps that passed unseen are caught up with,
/// one by one, but not more than kCatchUpMax of them: a leap of the clock must not stall the plan.
inline int64_t next_step(int64_t last, int64_t period_ms, int64_t now) {
  constexpr int64_t kCatchUpMax = 4096;
  int64_t missed = (now - last) / period_ms;
  return last + (missed > kCatchUpMax ? missed - kCatchUpMax : 1) * period_ms;
}

/// An operator that waits for time. A deadline asked for while a row is worked on is at least
/// `least_delay_ms` later than that row's clock, so that many rows can be worked on between two
/// looks at the deadlines.
class TimerOperator {
 public:
  TimerOperator(PlanContext& context, int64_t least_delay_ms);
  virtual ~TimerOperator() = default;
  TimerOperator(const TimerOperator&) = delete;
  TimerOperator& operator=(const TimerOperator&) = delete;

 protected:
  friend class PlanContext;

  /// A deadline asked for has come; context.now() is the clock.
  virtual void on_timer(uint32_t key) = 0;
  /// The plan begins, or goes on from a state in which this had no part yet: context.now() is its
  /// first moment.
  virtual void on_start() {}

  void schedule(uint32_t key, int64_t deadline_ms);

 public:
  /// What it waits for, as a part of its operator's state.
  void archive(StateArchive& archive);

 private:
  struct Deadline {
    int64_t at_ms = 0;
    uint64_t sequence = 0;
    uint32_t key = 0;
    void archive(StateArchive& archive) { archive(at_ms, sequence, key); }
    bool operator<(const Deadline& other) const {  // the queue's top is the earliest
      return at_ms != other.at_ms ? at_ms > other.at_ms : sequence > other.sequence;
    }
  };

  PlanContext& timer_context_;
  bool begun_ = false;  // on_start() was called, or what it left was loaded
  std::priority_queue<Deadline> deadlines_;
  int64_t latest_ms_ = INT64_MIN;  // of all ever asked for
};

class PlanContext final : public Stateful {
 public:
  StringPool& strings() { return strings_; }
  UuidSource& uuids() { return uuids_; }

  /// Before the plan is built. `log` may be null.
  void set_plan(std::string name, PlanLog* log) {
    uuids_.set_plan(name);
    plan_ = std::move(name);
    log_ = log;
  }
  bool has_log() const { return log_ != nullptr; }
  void log(LogPriority priority, std::string_view text) { log_->on_log(plan_, priority, text); }

  /// Milliseconds; what the plan takes for the present.
  int64_t now() const { return now_; }
  /// While a timer runs, what it was asked for: where the clock leaps, that is before now.
  int64_t due_ms() const { return due_ms_; }
  /// The plan's first moment; only once it has begun.
  int64_t started_at() const { return started_at_; }

  /// In virtual time, the clock at each row of the entry; null when `now` holds for all rows.
  void set_row_clocks(const int64_t* clocks) { row_clocks_ = clocks; }
  int64_t clock_at(const Chunk& chunk, uint32_t i) const {
    return row_clocks_ != nullptr ? row_clocks_[chunk.cause(i) >> 1] : now_;
  }

  /// An expression of the plan asks for the time, so rows at different times are not taken as one.
  bool reads_clock() const { return reads_clock_; }
  void note_clock_read() { reads_clock_ = true; }

  /// A stream of the plan feeds itself: whatever an operator hands on may come back to it before
  /// the call returns, so it must not hold anything in hand by then.
  bool loops() const { return loops_; }
  void set_loops(bool loops) { loops_ = loops; }

  const PlanLimits& limits() const { return limits_; }
  void set_limits(const PlanLimits& limits) { limits_ = limits; }
  /// What operators count as it happens; the rest is asked of them.
  PlanCounts& counts() { return counts_; }
  const PlanCounts& counts() const { return counts_; }

  /// Only the planner asks: operators are told what to do by their plans.
  Dialect dialect() const { return dialect_; }
  void set_dialect(Dialect dialect) { dialect_ = dialect; }
  LoopGuard& loop_guard() { return loop_guard_; }

  /// The cause of what time brings about at present.
  uint32_t timer_cause() const { return timer_cause_; }

  bool has_timers() const { return !timers_.empty(); }
  /// See TimerOperator; over all operators.
  int64_t least_delay_ms() const { return least_delay_ms_; }
  std::optional<int64_t> next_deadline() const;
  std::optional<int64_t> last_deadline() const;

  /// Moves the clock on (never back) and lets pass what is due, in order of deadline, then of
  /// asking. `cause` marks the results.
  void advance_to(int64_t now, uint32_t cause);
  /// Moves the clock on; what is due waits for the next advance_to.
  void set_now(int64_t now) { now_ = std::max(now_, now); }

  /// The clock; what operators wait for is their own state.
  void archive_state(StateArchive& archive) override {
    archive(now_, started_, started_at_, next_sequence_);
  }

 private:
  friend class TimerOperator;

  StringPool strings_;
  PlanLimits limits_;
  PlanCounts counts_;
  UuidSource uuids_;
  std::string plan_;
  PlanLog* log_ = nullptr;
  int64_t now_ = INT64_MIN;
  int64_t due_ms_ = INT64_MIN;
  bool started_ = false;
  bool all_begun_ = false;
  int64_t started_at_ = INT64_MIN;
  bool reads_clock_ = false;
  bool loops_ = false;
  Dialect dialect_ = Dialect::k51;
  LoopGuard loop_guard_;
  const int64_t* row_clocks_ = nullptr;
  uint32_t timer_cause_ = 0;
  uint64_t next_sequence_ = 0;
  std::vector<TimerOperator*> timers_;
  int64_t least_delay_ms_ = INT64_MAX;
};

/// State of something for each partition instance, made on first use.
template <class T>
class KeyedState {
 public:
  T& at(uint32_t key) {
    if (key >= states_.size()) states_.resize(key + 1);
    return states_[key];
  }
  std::vector<T>& all() { return states_; }
  const std::vector<T>& all() const { return states_; }
  void archive(StateArchive& archive) { archive(states_); }

 private:
  std::vector<T> states_;
};

/// An operator with state by partition instance.
class KeyedOperator : public Stateful {
 public:
  /// An instance begins.
  virtual void begin_key(uint32_t /*key*/, int64_t /*clock*/) {}
  /// The instance ends: its state goes.
  virtual void drop_key(uint32_t key) = 0;
  /// The same of many at once. `dropped` by instance.
  virtual void drop_keys(const std::vector<bool>& dropped) {
    for (uint32_t key = 0; key < dropped.size(); ++key) {
      if (dropped[key]) drop_key(key);
    }
  }
  /// Adds what it holds at present.
  virtual void add_counts(PlanCounts& /*counts*/) const {}
  virtual size_t state_bytes() const = 0;
};

}  // namespace pollux
