// What a record store in a database of any kind is told. Thread: values.
#pragma once

#include <cstdint>
#include <string>

#include "storage/remote/database_address.h"
#include "storage/remote/pool_options.h"

namespace pollux {

struct DatabaseStoreOptions {
  std::string name;  ///< of the store
  DatabaseAddress address;
  PoolOptions pool;
  int64_t timeout_ms = 30'000;  ///< of one call; a scan's are its batches
};

}  // namespace pollux
