// A database that record stores are in. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

  /// For messages: "postgresql host:port/database".
  virtual std::string place() const = 0;
  /// What open() runs in an empty database, a statement each, without asking it; before them, what
  /// an administrator's own session needs.
  virtual std::vector<std::string> set_up_sql() const = 0;
  /// What RecordStore::open_table() runs then. kInvalidArgument: there cannot be such a table.
  virtual absl::StatusOr<std::vector<std::string>> table_sql(
      const std::string& store, const TableDefinition& definition) const = 0;
};

}  // namespace pollux
