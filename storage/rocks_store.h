// The embedded record store: tables in a RocksDB of this node, in a directory of their own.
//
// Durability: a write that returned survives the death of the process; it survives a loss of power
// once sync() has returned, or at once with sync_every_write. The default is right below a journal,
// which holds every row until sync() has confirmed it. After a loss of power, or when the end of
// the log is damaged, the store is what it was after some earlier write: rows and progress agree,
// and the sources go on from that progress.
//
// Memory: about block_cache_bytes + write_buffers_max * write_buffer_bytes, a few bytes for each
// source and table, and for each write at most kWriteBytesMax more.
// Disk: grows with the rows; what expire() and drop_table() free comes back by compaction.
// One process at a time has the directory open.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/record_store.h"

namespace pollux {

struct RocksStoreOptions {
  std::string name;       ///< of the store, for messages
  std::string directory;  ///< made when it is missing
  bool sync_every_write = false;
  size_t block_cache_bytes = 64 * 1024 * 1024;   ///< pages, indices and filters that reads keep
  size_t write_buffer_bytes = 16 * 1024 * 1024;  ///< a quarter of it for progress and the like
  int write_buffers_max = 4;                     ///< when all are full, writes wait for the disk
  int open_files_max = 256;
  int background_jobs_max = 2;  ///< threads that write buffers out and merge files
};

absl::StatusOr<std::unique_ptr<RecordStore>> open_rocks_store(const RocksStoreOptions& options);

}  // namespace pollux
