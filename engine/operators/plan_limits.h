// How much state a plan may hold, and what became of the rows and the state that it let go.
#pragma once

#include <cstdint>
#include <optional>

namespace pollux {

/// Bounds of each partition, grouping selection and pattern of a plan. What is idle longest, or is
/// oldest, goes first. They are looked at every so often (Sweeper::kPeriodMs), so that until then
/// there may be more.
struct PlanLimits {
  uint64_t partition_instances = 1'000'000;
  uint64_t groups = 1'000'000;  ///< of selections whose rows never leave: without a window
  uint64_t partial_matches = 1'000'000;
  /// Milliseconds that events may come late. A partial match is freed by time when `within` has
  /// passed and this as well; without it, when twice `within` has passed.
  std::optional<int64_t> lateness_ms;
};

struct PlanCounts {
  // At present.
  uint64_t groups = 0;
  uint64_t partial_matches = 0;
  // Since the plan began to run on this node; not a part of its state.
  uint64_t instances_purged = 0;  ///< idle for longer than @purge says
  uint64_t instances_evicted = 0;
  uint64_t groups_evicted = 0;
  uint64_t partial_matches_evicted = 0;
  uint64_t partial_matches_aged = 0;  ///< freed by time, since `within` had passed
  uint64_t rows_late = 0;             ///< of a plan with @app:playback: older than its clock
  uint64_t rows_without_key = 0;      ///< that no partition instance takes
  uint64_t rows_without_time = 0;     ///< whose external time is null
  uint64_t rows_without_window = 0;   ///< too late for their session, or their condition is none
  uint64_t rows_refused = 0;          ///< by a table that has a row of their primary key
  uint64_t rows_too_old = 0;          ///< of a stored aggregation's bucket that left memory
  uint64_t script_failures = 0;       ///< calls of the plan's own functions that gave null instead
};

}  // namespace pollux
