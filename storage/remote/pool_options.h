// How many sessions a datasource may have, and how it is known that they are good.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pollux {

struct PoolOptions {
  size_t max_active = 50;
  size_t max_idle = 8;                      ///< more than these are closed when they come back
  int64_t max_wait_ms = 60'000;             ///< for a session, where all are in use
  int64_t validation_interval_ms = 30'000;  ///< one that rested longer is asked before it is used
};

}  // namespace pollux
