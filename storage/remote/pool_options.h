// How many sessions a datasource may have, and how it is known that they are good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace pollux {

struct PoolOptions {
  size_t max_active = 50;
  size_t max_idle = 8;                      ///< more than these are closed when they come back
  int64_t max_wait_ms = 60'000;             ///< for a session, where all are in use
  size_t min_idle = 0;                      ///< so many are opened when a store is
  bool test_on_borrow = true;               ///< ask a session that rested before it is used
  int64_t validation_interval_ms = 30'000;  ///< one that rested no longer is not asked
  std::string validation_query = "SELECT 1";
};

}  // namespace pollux
