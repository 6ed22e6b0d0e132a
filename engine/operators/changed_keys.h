// The keys of a table's rows that have changed, each once, in the order of its first change.
//
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/batch/event_batch.h"
#include "engine/operators/group_table.h"

namespace pollux {

class ChangedKeys {
 public:
  /// `columns` of the table's rows are the key.
  ChangedKeys(SchemaPtr schema, std::vector<size_t> columns, StringPool& strings);

  /// The key as KeyEncoder writes it.
  void note(const StringRef& key) { keys_->find_or_insert(key, 0); }
  bool empty() const { return keys_->size() == 0; }
  uint32_t size() const { return keys_->size(); }
  /// By the order of their changes, below size().
  const StringRef& operator[](uint32_t i) const { return keys_->key(i); }
  /// Appends a row that has the values of the key, and null elsewhere, but no timestamp. False, and
  /// nothing appended, when these bytes are no such key.
  bool append_row(const StringRef& key, EventBatch& to) const;
  void clear();

  size_t bytes() const { return keys_->bytes(); }
  void archive(StateArchive& archive);

 private:
  static constexpr size_t kEmptyBytesMax = size_t{64} << 10;

  bool read(std::string_view key, std::vector<std::string_view>& values) const;

  SchemaPtr schema_;
  std::vector<size_t> columns_;
  StringPool& strings_;
  std::unique_ptr<GroupTable> keys_;  ///< none is released alone, so that numbers are the order
};

}  // namespace pollux
