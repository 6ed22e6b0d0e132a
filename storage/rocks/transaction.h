// Changes of a store of which all are made or none: Database::commit() makes them.
//
// Each stands in the family that the letter of its key names (rocks/layout.h). Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace rocksdb {
class ColumnFamilyHandle;
class WriteBatch;
}  // namespace rocksdb

namespace pollux::rocks {

class Transaction {
 public:
  /// Database::begin() knows the number of the family of marks.
  explicit Transaction(uint32_t marks_family);
  ~Transaction();

  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  /// Keys [begin, end), of one letter.
  void erase_range(std::string_view begin, std::string_view end);

  size_t bytes() const;
  void clear();
  rocksdb::WriteBatch& batch() { return *batch_; }

 private:
  /// Null for the family that RocksDB has by itself.
  rocksdb::ColumnFamilyHandle* family_of(std::string_view key) const;

  const std::unique_ptr<rocksdb::ColumnFamilyHandle> marks_;
  const std::unique_ptr<rocksdb::WriteBatch> batch_;
};

}  // namespace pollux::rocks
