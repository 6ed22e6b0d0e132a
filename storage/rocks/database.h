// The RocksDB under a store: how it is opened, and its errors as statuses with place, cause and
// advice. Shared by the store and its cursors, so that it is closed behind the last of them.
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

  rocksdb::DB& db() const { return *db_; }

  /// `doing` says what the caller is about, for the message: "read table LOGINS".
  absl::StatusOr<std::optional<std::string>> get(std::string_view key,
                                                 std::string_view doing) const;
  /// All of the batch or nothing. After a failure the next commit begins with recovering, which
  /// succeeds once the cause is gone.
  [[nodiscard]] absl::Status commit(rocksdb::WriteBatch& batch, Sync sync, std::string_view doing);
  [[nodiscard]] absl::Status sync();

  absl::Status error(const rocksdb::Status& status, std::string_view doing) const;
  /// What is stored is not what this version, or any, writes.
  absl::Status damaged(std::string_view what) const;

 private:
  explicit Database(const RocksStoreOptions& options);
  absl::Status check_format();
  absl::Status recover();
  std::string place() const;

  const RocksStoreOptions options_;
  std::unique_ptr<rocksdb::DB> db_;
  std::mutex recover_mutex_;
  std::atomic<bool> failed_ = false;  // a write failed, and nothing was recovered since
};

}  // namespace pollux::rocks
