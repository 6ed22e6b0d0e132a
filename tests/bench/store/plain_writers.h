// Rows written as fast as a store's own client library takes them, by a program that does nothing
// else: what scripts/bench store measures a server against.
//
// Rows are made beforehand, and encoded as they are written. Thread: one. Failure: throws
// std::runtime_error.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pollux::bench {

struct PlainWrites {
  double seconds = 0;
  std::vector<double> commits_ms;  ///< one a transaction
};

/// COPY in binary, into a table of those ten columns and pollux_time, `batch` rows a transaction.
PlainWrites copy_rows(uint16_t port, const std::string& table, uint64_t rows, uint32_t batch);

/// Prepared inserts of 1,024 rows each, into a table of those columns, `batch` rows a transaction.
PlainWrites insert_rows(uint16_t port, const std::string& table, uint64_t rows, uint32_t batch);

/// A WriteBatch of `batch` rows at a time into a RocksDB with the settings of an embedded store,
/// under keys that grow; the log is written and not synced, as there.
PlainWrites write_batches(const std::string& directory, uint64_t rows, uint32_t batch);

}  // namespace pollux::bench
