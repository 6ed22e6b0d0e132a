#include "storage/rocks/rocksdb_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>
#include <memory>

#include "storage/rocks/info_log.h"

namespace pollux::rocks {
namespace {

constexpr int kCacheShardBits = 2;
constexpr size_t kMetadataBlockBytes = 16 * 1024;
constexpr int kBloomBitsPerKey = 10;
/// Files in which so many of so many keys in a row are deletions are merged soon: expired rows.
constexpr size_t kDeletionWindow = 32 * 1024;
constexpr size_t kDeletionsMax = 16 * 1024;
/// Of the write buffers, one part in so many is for marks. Transactions of one row fill it first.
constexpr size_t kMarksShare = 4;

/// The families share what the store may use.
size_t marks_buffer_bytes(const RocksStoreOptions& options) {
  return options.write_buffer_bytes / kMarksShare;
}

/// Database::commit() opens it anew after a write that failed. RocksDB would try to go on in the
/// background: with two families it syncs the log that failed then, and aborts.
class NoRecoveryByItself : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

rocksdb::CompressionType compression() {
  const auto known = rocksdb::GetSupportedCompressions();
  const bool lz4 = std::find(known.begin(), known.end(), rocksdb::kLZ4Compression) != known.end();
  return lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

}  // namespace

rocksdb::Options options_for_rows(const RocksStoreOptions& options) {
  rocksdb::Options rocks;
  rocks.create_if_missing = true;
  rocks.paranoid_checks = true;
  // After a torn or damaged end of the log: what was written before it, rows and progress alike.
  rocks.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // Both families go to disk together: rows must not be there without their progress when the log
  // is lost, and neither may be ahead of a log that has to be read.
  rocks.atomic_flush = true;
  rocks.listeners.push_back(std::make_shared<NoRecoveryByItself>());
  rocks.max_bgerror_resume_count = 0;
  rocks.write_buffer_size = options.write_buffer_bytes - marks_buffer_bytes(options);
  rocks.max_write_buffer_number = options.write_buffers_max;
  rocks.max_open_files = options.open_files_max;
  rocks.max_background_jobs = options.background_jobs_max;
  rocks.compression = compression();
  rocks.level_compaction_dynamic_level_bytes = true;
  rocks.info_log = make_info_log(options.directory);
  rocks.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(kDeletionWindow, kDeletionsMax));

  rocksdb::BlockBasedTableOptions table;
  // Few shards and filters in small pieces: a filter that is larger than a shard would be read from
  // disk for every key.
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, kCacheShardBits);
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = kMetadataBlockBytes;
  table.cache_index_and_filter_blocks = true;  // or they would not be bounded
  table.pin_top_level_index_and_filter = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  rocks.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return rocks;
}

rocksdb::ColumnFamilyOptions options_for_marks(const RocksStoreOptions& options,
                                               const rocksdb::Options& rows) {
  rocksdb::ColumnFamilyOptions marks = rows;  // also one cache for both
  marks.write_buffer_size = marks_buffer_bytes(options);
  return marks;
}

}  // namespace pollux::rocks
