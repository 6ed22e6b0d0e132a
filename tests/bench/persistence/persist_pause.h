// What it costs to persist large states while events come: latency and CPU with and without.
#pragma once

#include <cstdint>
#include <string>

namespace pollux::bench {

/// The name of the plan with the state.
inline constexpr const char* kPausedPlan = "State";

struct PauseOptions {
  std::string folder;
  uint64_t window_rows = 9'300'000;  ///< a GiB of state
  double seconds = 90;               ///< of each measurement
  uint32_t pairs = 5;
  uint64_t rate = 200'000;  ///< events a second
  bool sync = false;        ///< the journal with every commit
};

/// Fills the state, then measures in turns; prints one JSON object a measurement, in a line each,
/// and the states' sizes in the ones with persisting. At the end all is persisted. Throws
/// std::runtime_error.
void measure_pause(const PauseOptions& options);

}  // namespace pollux::bench
