// A database that record stores are in. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/record_store.h"
#include "storage/remote/database_address.h"
#include "storage/remote/pool_options.h"

namespace pollux {

struct DatabaseOptions {
  std::string name;  ///< what its sessions are called, for its administrator
  DatabaseAddress address;
  PoolOptions pool;             ///< of all its stores together
  int64_t timeout_ms = 30'000;  ///< of one call; a scan's are its batches
};

/// Its stores share its sessions, of which a scan keeps one until it ends.
class StoreDatabase {
 public:
  virtual ~StoreDatabase() = default;

  /// Makes what the store needs where it is missing. The store may outlive this. kUnavailable: no
  /// server answers, or it takes no writes that last.
  virtual absl::StatusOr<std::unique_ptr<RecordStore>> open(const std::string& store) = 0;
};

}  // namespace pollux
