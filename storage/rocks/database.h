// The RocksDB under a store: how it is opened, how it goes on after a write that failed, and its
// errors as statuses with place, cause and advice.
//
// RocksDB 7.8 cannot be trusted with a log whose write failed: it resumes, and aborts or fails for
// ever at the next write (its issue 11643). So it is closed and opened anew, once nobody reads it.
// Thread: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/rocks_store.h"

namespace rocksdb {
class DB;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace pollux::rocks {

class Database {
 public:
  enum class Sync : uint8_t { kAsConfigured, kNow };

  static absl::StatusOr<std::shared_ptr<Database>> open(const RocksStoreOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// What is read from; whoever holds it keeps it from being opened anew. An error when it could
  /// not be: the next commit tries again.
  absl::StatusOr<std::shared_ptr<rocksdb::DB>> db() const;

  /// `doing` says what the caller is about, for the message: "read table LOGINS".
  absl::StatusOr<std::optional<std::string>> get(std::string_view key,
                                                 std::string_view doing) const;
  /// All of the batch or nothing, but which of them is known only when it succeeds. After a failure
  /// the next commit opens the database anew, which succeeds once the cause is gone.
  [[nodiscard]] absl::Status commit(rocksdb::WriteBatch& batch, Sync sync, std::string_view doing);
  [[nodiscard]] absl::Status sync();
  /// In a directory that is not there yet: links, where that is on the same disk.
  [[nodiscard]] absl::Status copy_to(const std::string& directory);

  absl::Status error(const rocksdb::Status& status, std::string_view doing) const;
  /// What is stored is not what this version, or any, writes.
  absl::Status damaged(std::string_view what) const;

 private:
  explicit Database(const RocksStoreOptions& options);
  absl::Status check_format();
  absl::Status open();
  /// Opens it anew if a write failed since it was opened.
  absl::Status recover();
  [[nodiscard]] absl::Status check_room() const;
  std::string place() const;

  const RocksStoreOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<rocksdb::DB> db_;   // guarded by mutex_; null when it could not be opened anew
  std::atomic<bool> failed_ = false;  // a write failed, and it was not opened anew since
};

}  // namespace pollux::rocks
