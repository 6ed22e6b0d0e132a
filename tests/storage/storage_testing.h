// What tests of record stores share: directories that vanish, rows written as lists of values.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/record_store.h"
#include "storage/rocks_store.h"

namespace pollux::testing {

class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "storage-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDirectory() { std::filesystem::remove_all(path_); }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

inline SchemaPtr schema_of(std::vector<Attribute> columns) {
  return std::make_shared<Schema>("rows", std::move(columns));
}

/// A row: its own timestamp and a value a column.
struct TestRow {
  int64_t time_ms;
  std::vector<Value> values;
  friend bool operator==(const TestRow&, const TestRow&) = default;
};

inline EventBatch batch_of(const SchemaPtr& schema, const std::vector<TestRow>& rows) {
  EventBatch batch(schema);
  for (const TestRow& row : rows) {
    for (size_t c = 0; c < schema->size(); ++c) batch.append_value(c, row.values[c]);
    batch.end_row(row.time_ms);
  }
  return batch;
}

inline std::vector<TestRow> rows_of(const EventBatch& batch) {
  std::vector<TestRow> rows;
  for (uint32_t r = 0; r < batch.rows(); ++r) {
    TestRow row{batch.timestamps()[r], {}};
    for (size_t c = 0; c < batch.schema().size(); ++c) row.values.push_back(batch.value(r, c));
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Ordinals 0, 1, 2, ... for the rows of a batch.
inline std::vector<uint32_t> ordinals_for(const EventBatch& batch) {
  std::vector<uint32_t> ordinals(batch.rows());
  std::iota(ordinals.begin(), ordinals.end(), 0);
  return ordinals;
}

inline EntryId entry(uint64_t epoch, uint64_t position) {
  return {Epoch{epoch}, Position{position}};
}

/// Writes one batch as the rows of one entry of `source`, in the entry's epoch.
inline absl::StatusOr<Written> write_rows(RecordStore& store, std::string_view table,
                                          const EventBatch& batch, EntryId id,
                                          std::string_view source = "-1234/plan") {
  std::vector<uint32_t> ordinals = ordinals_for(batch);
  Rows rows{source, id, &batch, ordinals};
  return store.write(table, {&rows, 1}, id.epoch);
}

inline RocksStoreOptions options_for(const std::string& directory) {
  RocksStoreOptions options;
  options.name = std::string(kEventStore);
  options.directory = directory;
  options.block_cache_bytes = 4 * 1024 * 1024;
  options.write_buffer_bytes = 1024 * 1024;
  return options;
}

inline std::unique_ptr<RecordStore> open_or_fail(const RocksStoreOptions& options) {
  auto store = open_rocks_store(options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

/// A scan to its end, or the error that ended it.
inline absl::StatusOr<std::vector<TestRow>> read_all(RecordCursor& cursor) {
  std::vector<TestRow> rows;
  while (true) {
    auto batch = cursor.next();
    if (!batch.ok()) return batch.status();
    if (*batch == nullptr) return rows;
    EXPECT_GT((*batch)->rows(), 0u);
    EXPECT_LE((*batch)->rows(), RecordCursor::kBatchRowsMax);
    for (TestRow& row : rows_of(**batch)) rows.push_back(std::move(row));
  }
}

inline absl::StatusOr<std::vector<TestRow>> scan_all(const RecordStore& store,
                                                     std::string_view table,
                                                     RecordTimeRange range = {},
                                                     Timestamp now = {}) {
  auto cursor = store.scan(table, range, now);
  if (!cursor.ok()) return cursor.status();
  return read_all(**cursor);
}

inline uint64_t row_count(const RecordStore& store, std::string_view table) {
  auto tables = store.tables();
  EXPECT_TRUE(tables.ok()) << tables.status();
  for (const StoredTable& info : *tables) {
    if (info.definition.name == table) return info.rows;
  }
  ADD_FAILURE() << "no table " << table;
  return 0;
}

}  // namespace pollux::testing
