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
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/rocks/layout.h"
#include "storage/rocks/transaction.h"
#include "storage/rocks_store.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Status;
}  // namespace rocksdb

namespace pollux::rocks {

class Database {
 public:
  enum class Sync : uint8_t { kAsConfigured, kNow };

  static absl::StatusOr<std::shared_ptr<Database>> open(const RocksStoreOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Where rows are read from; whoever holds it keeps it from being opened anew. An error when it
  /// could not be: the next commit tries again.
  absl::StatusOr<std::shared_ptr<rocksdb::DB>> db() const;

  /// `doing` says what the caller is about, for the message: "read table LOGINS".
  absl::StatusOr<std::optional<std::string>> get(std::string_view key,
                                                 std::string_view doing) const;
  /// Of all marks of that kind, in the order of their keys.
  absl::StatusOr<std::vector<std::string>> values_of(Kind mark, std::string_view doing) const;
  /// An empty one.
  Transaction begin() const { return Transaction(marks_family_); }
  /// All of it or nothing, but which of them is known only when it succeeds. After a failure the
  /// next commit opens the database anew, which succeeds once the cause is gone.
  [[nodiscard]] absl::Status commit(Transaction& transaction, Sync sync, std::string_view doing);
  [[nodiscard]] absl::Status sync();
  /// In a directory that is not there yet: links, where that is on the same disk.
  [[nodiscard]] absl::Status copy_to(const std::string& directory);

  absl::Status error(const rocksdb::Status& status, std::string_view doing) const;
  /// What is stored is not what this version, or any, writes.
  absl::Status damaged(std::string_view what) const;

 private:
  /// `marks` is there as long as `db` is held.
  struct Opened {
    std::shared_ptr<rocksdb::DB> db;
    rocksdb::ColumnFamilyHandle* marks;
  };

  explicit Database(const RocksStoreOptions& options);
  absl::StatusOr<Opened> opened() const;
  absl::Status open();
  void close();
  absl::Status check_format();
  absl::Status begin_format();
  absl::Status take_over_one_family();
  absl::Status make_marks();
  /// Opens it anew if a write failed since it was opened.
  absl::Status recover();
  [[nodiscard]] absl::Status check_room() const;
  std::string place() const;

  const RocksStoreOptions options_;
  mutable std::mutex mutex_;
  // Guarded by mutex_, and null when it could not be opened anew:
  std::shared_ptr<rocksdb::DB> db_;
  std::unique_ptr<rocksdb::ColumnFamilyHandle> marks_;

  bool has_other_families_ = false;   // that this version knows nothing of
  uint32_t marks_family_ = 0;         // its number, the same for ever
  std::atomic<bool> failed_ = false;  // a write failed, and it was not opened anew since
};

}  // namespace pollux::rocks
