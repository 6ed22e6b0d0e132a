// One write to a table: rows and progress of their sources, in transactions of bounded size.
//
// The table's mutex is held as long as the writer lives. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "storage/record_store.h"
#include "storage/rocks/database.h"
#include "storage/rocks/table.h"

namespace pollux::rocks {

class TableWriter {
 public:
  /// A transaction ends with the row that reaches this many bytes.
  static constexpr size_t kTransactionBytesMax = 8 * 1024 * 1024;
  static constexpr size_t kKeyBytesMax = 64 * 1024;

  /// `counters` as they are stored.
  TableWriter(Database& database, Table& table, const Counters& counters);
  ~TableWriter();

  /// Adds rows that check_rows() has found well.
  [[nodiscard]] absl::Status add(const Rows& rows, size_t rows_index);
  /// Makes lasting what was added since the last commit.
  [[nodiscard]] absl::Status commit();

  Written take_written() { return std::move(written_); }

 private:
  struct Source {
    std::optional<RowId> reached;
    bool moved = false;  // since the last commit
  };

  absl::StatusOr<Source*> source_of(std::string_view name);
  absl::Status put(const EventBatch& batch, uint32_t row, std::string& refused);
  void append(int64_t time_ms);
  void set_key(const EventBatch& batch, uint32_t row);
  absl::Status erase(const EventBatch& batch, uint32_t row);
  absl::Status upsert(const EventBatch& batch, uint32_t row, int64_t time_ms, std::string& refused);
  /// The time of the row that has this key now, if there is one.
  absl::StatusOr<std::optional<int64_t>> time_of_key(const std::string& key) const;
  std::string doing(std::string_view verb) const;

  Database& database_;
  Table& table_;
  const TableLayoutPtr layout_;
  std::unique_ptr<rocksdb::WriteBatch> transaction_;
  Counters counters_;  // with what the transaction adds
  int64_t oldest_ms_;
  std::map<std::string, Source, std::less<>> sources_;
  /// Of the keys in the transaction; nothing where it takes the row away.
  std::unordered_map<std::string, std::optional<int64_t>> times_;
  Written written_;
  std::string key_;
  std::string value_;
};

}  // namespace pollux::rocks
