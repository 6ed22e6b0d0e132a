#include "storage/rocks/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "storage/rocks/layout.h"

namespace pollux::rocks {
namespace {

constexpr int kCacheShardBits = 2;
constexpr size_t kMetadataBlockBytes = 16 * 1024;
constexpr int kBloomBitsPerKey = 10;
constexpr uint64_t kRoomToOpen = 1024 * 1024;  // beside what is in its logs
constexpr size_t kLogFilesMax = 2;
constexpr size_t kLogFileBytesMax = 1024 * 1024;
/// Files in which so many of so many keys in a row are deletions are merged soon: expired rows.
constexpr size_t kDeletionWindow = 32 * 1024;
constexpr size_t kDeletionsMax = 16 * 1024;

rocksdb::CompressionType compression() {
  const auto known = rocksdb::GetSupportedCompressions();
  const bool lz4 = std::find(known.begin(), known.end(), rocksdb::kLZ4Compression) != known.end();
  return lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

rocksdb::Options rocksdb_options(const RocksStoreOptions& options) {
  rocksdb::Options rocks;
  rocks.create_if_missing = true;
  rocks.paranoid_checks = true;
  // After a torn or damaged end of the log: what was written before it, rows and progress alike.
  rocks.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  rocks.write_buffer_size = options.write_buffer_bytes;
  rocks.max_write_buffer_number = options.write_buffers_max;
  rocks.max_open_files = options.open_files_max;
  rocks.max_background_jobs = options.background_jobs_max;
  rocks.compression = compression();
  rocks.level_compaction_dynamic_level_bytes = true;
  rocks.info_log_level = rocksdb::WARN_LEVEL;
  rocks.keep_log_file_num = kLogFilesMax;
  rocks.max_log_file_size = kLogFileBytesMax;
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

bool is_lock_failure(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsIOError() && (text.find("While lock file") != std::string::npos ||
                                text.find("lock hold by current process") != std::string::npos);
}

}  // namespace

Database::Database(const RocksStoreOptions& options) : options_(options) {}

Database::~Database() {
  if (db_ != nullptr) db_->Close().PermitUncheckedError();  // everything is in the log already
}

absl::StatusOr<std::shared_ptr<rocksdb::DB>> Database::db() const {
  std::lock_guard lock(mutex_);
  if (db_ == nullptr) {
    return absl::UnavailableError(place() +
                                  ": could not be opened anew after a failed write, and the next "
                                  "write tries again; free disk space and see that the disk is "
                                  "well");
  }
  return db_;
}

absl::StatusOr<std::shared_ptr<Database>> Database::open(const RocksStoreOptions& options) {
  std::shared_ptr<Database> database(new Database(options));
  std::error_code failure;
  std::filesystem::create_directories(options.directory, failure);
  if (failure) {
    return absl::UnavailableError(database->place() +
                                  ": cannot make the directory: " + failure.message() +
                                  "; name one that this user may write, or make it");
  }
  if (absl::Status opened = database->open(); !opened.ok()) return opened;
  if (absl::Status format = database->check_format(); !format.ok()) return format;
  return database;
}

absl::Status Database::open() {
  rocksdb::DB* db = nullptr;
  rocksdb::Status opened = rocksdb::DB::Open(rocksdb_options(options_), options_.directory, &db);
  if (!opened.ok()) return error(opened, "open it");
  db_.reset(db);
  return absl::OkStatus();
}

absl::Status Database::check_format() {
  auto stored = get(key_of(Kind::kFormat), "read its format");
  if (!stored.ok()) return stored.status();
  if (!stored->has_value()) {
    auto db = this->db();
    if (!db.ok()) return db.status();
    std::unique_ptr<rocksdb::Iterator> any((*db)->NewIterator({}));
    any->SeekToFirst();
    if (!any->status().ok()) return error(any->status(), "read it");
    if (any->Valid()) {
      return absl::FailedPreconditionError(
          place() + ": the directory holds a RocksDB of something else; name another directory");
    }
    rocksdb::WriteBatch batch;
    batch.Put(key_of(Kind::kFormat), encode_format());
    return commit(batch, Sync::kNow, "begin the store");
  }
  std::optional<uint64_t> version = decode_format(**stored);
  if (!version) return damaged("its format");
  if (*version != kFormatVersion) {
    return absl::FailedPreconditionError(
        place() + ": it was written in format " + std::to_string(*version) +
        ", and this program knows format " + std::to_string(kFormatVersion) +
        "; use the program that wrote it, or name another directory");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> Database::get(std::string_view key,
                                                         std::string_view doing) const {
  auto db = this->db();
  if (!db.ok()) return db.status();
  std::string value;
  rocksdb::Status got = (*db)->Get({}, rocksdb::Slice(key), &value);
  if (got.IsNotFound()) return std::optional<std::string>();
  if (!got.ok()) return error(got, doing);
  return std::optional(std::move(value));
}

absl::Status Database::commit(rocksdb::WriteBatch& batch, Sync sync, std::string_view doing) {
  if (absl::Status recovered = recover(); !recovered.ok()) return recovered;
  auto db = this->db();
  if (!db.ok()) return db.status();
  rocksdb::WriteOptions options;
  options.sync = sync == Sync::kNow || options_.sync_every_write;
  rocksdb::Status written = (*db)->Write(options, &batch);
  if (written.ok()) return absl::OkStatus();
  failed_ = true;
  return error(written, doing);
}

absl::Status Database::sync() {
  if (absl::Status recovered = recover(); !recovered.ok()) return recovered;
  auto db = this->db();
  if (!db.ok()) return db.status();
  rocksdb::Status synced = (*db)->SyncWAL();
  if (synced.ok()) return absl::OkStatus();
  failed_ = true;
  return error(synced, "sync its log");
}

absl::Status Database::copy_to(const std::string& directory) {
  auto db = this->db();
  if (!db.ok()) return db.status();
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status copied = rocksdb::Checkpoint::Create(db->get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (copied.ok()) copied = checkpoint->CreateCheckpoint(directory);
  return copied.ok() ? absl::OkStatus() : error(copied, "copy it to " + directory);
}

absl::Status Database::recover() {
  if (!failed_) return absl::OkStatus();
  std::lock_guard lock(mutex_);
  if (!failed_) return absl::OkStatus();
  if (absl::Status room = check_room(); !room.ok()) return room;
  if (db_ != nullptr) {
    if (db_.use_count() > 1) {
      return absl::UnavailableError(place() +
                                    ": has to be opened anew after a failed write, and is being "
                                    "read; writing goes on when that ends");
    }
    db_->Close().PermitUncheckedError();  // what a write that succeeded made is in the log
    db_.reset();
  }
  if (absl::Status opened = open(); !opened.ok()) return opened;
  failed_ = false;
  return absl::OkStatus();
}

absl::Status Database::check_room() const {
  // Opening writes what is in the logs into tables; while it cannot, reading had better go on.
  std::error_code failure;
  const auto space = std::filesystem::space(options_.directory, failure);
  if (failure) {
    return absl::UnavailableError(place() + ": cannot tell its free space: " + failure.message());
  }
  uint64_t needed = kRoomToOpen;
  for (const auto& file : std::filesystem::directory_iterator(options_.directory, failure)) {
    std::error_code gone;
    const uint64_t bytes = file.path().extension() == ".log" ? file.file_size(gone) : 0;
    if (!gone) needed += bytes;
  }
  if (failure) {
    return absl::UnavailableError(place() + ": cannot list its files: " + failure.message());
  }
  if (space.available >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      place() + ": No space left to go on after a failed write: " +
      std::to_string(space.available) + " bytes are free, " + std::to_string(needed) +
      " are needed; free disk space or shorten the retention, then writing goes on by itself");
}

absl::Status Database::error(const rocksdb::Status& status, std::string_view doing) const {
  std::string text = place() + ": cannot " + std::string(doing) + ": " + status.ToString();
  if (status.IsNoSpace()) {
    return absl::ResourceExhaustedError(
        text + "; free disk space or shorten the retention, then writing goes on by itself");
  }
  if (status.IsCorruption()) {
    return absl::DataLossError(
        text +
        "; stop the node and restore the directory from a copy, or move it away to begin "
        "with an empty store");
  }
  if (is_lock_failure(status)) {
    return absl::FailedPreconditionError(
        text +
        "; another store has the directory open: stop the process that does, or name "
        "another directory");
  }
  if (status.IsIOError()) {
    return absl::UnavailableError(
        text + "; check that the disk is well and that this user may read and write the directory");
  }
  return absl::InternalError(text + "; this is not expected, please report it");
}

absl::Status Database::damaged(std::string_view what) const {
  return error(rocksdb::Status::Corruption(rocksdb::Slice(what), "does not decode"), "read it");
}

std::string Database::place() const {
  return "record store " + options_.name + " (" + options_.directory + ")";
}

}  // namespace pollux::rocks
