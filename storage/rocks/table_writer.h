// One write to a table: rows and progress of their sources, in transactions of bounded size.
//
// The tables' mutexes are held as long as the writer lives. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "storage/record_store.h"
#include "storage/rocks/database.h"
#include "storage/rocks/key_changes.h"
#include "storage/rocks/table.h"
#include "storage/rocks/transaction.h"

namespace pollux::rocks {

/// Why rows cannot be stored, by index of the Rows and row.
using Refusals = std::map<std::pair<size_t, uint32_t>, std::string>;

/// Of rows that check_rows() has found well.
Refusals refusals_of(const TableLayout& layout, std::span<const Rows> rows);

/// A table as a write leaves it, and its mutex.
struct WrittenTable {
  /// kNotFound: it was dropped.
  static absl::StatusOr<std::unique_ptr<WrittenTable>> begin(Database& database,
                                                             std::shared_ptr<Table> table);

  const std::shared_ptr<Table> table;
  const std::unique_lock<std::mutex> lock;
  const TableLayoutPtr layout;
  Counters counters;  ///< with what the transaction adds
  int64_t oldest_ms;
};

class TableWriter {
 public:
  /// A transaction ends with the row that reaches this many bytes.
  static constexpr size_t kTransactionBytesMax = 8 * 1024 * 1024;

  /// `refused`: where refused rows go; null: nowhere.
  TableWriter(Database& database, WrittenTable& table, const Refusals& refusals,
              WrittenTable* refused);
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
  void change(const Rows& rows, uint32_t row);
  void append(WrittenTable& to, int64_t time_ms);
  void refuse(const Rows& rows, RefusedRow row);
  std::string doing(std::string_view verb) const;

  Database& database_;
  WrittenTable& table_;
  const Refusals& refusals_;
  WrittenTable* const refused_;
  Transaction transaction_;
  std::map<std::string, Source, std::less<>> sources_;
  KeyChanges changes_;  // of the transaction; in a table with a primary key
  Written written_;
  std::string key_;
  std::string value_;
};

}  // namespace pollux::rocks
