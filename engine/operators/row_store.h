// Rows that live on in state: column by column in pages, each row under a slot number.
//
// Only the columns that somebody will read are kept. Slots are reused, so memory follows the
// number of live rows. Strings are copies in the plan's StringPool. Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/base/string_pool.h"
#include "engine/operators/chunk.h"
#include "engine/state/state_archive.h"

namespace pollux {

using Slot = uint32_t;

class RowStore {
 public:
  static constexpr uint32_t kPageRows = 1024;
  static constexpr Slot kNoSlot = UINT32_MAX;

  /// `kept[c]` says whether column c is stored.
  RowStore(SchemaPtr schema, std::vector<bool> kept, StringPool& strings);
  ~RowStore();
  RowStore(const RowStore&) = delete;
  RowStore& operator=(const RowStore&) = delete;

  const SchemaPtr& schema() const { return schema_; }
  uint32_t size() const { return live_; }

  /// Stores row i of the chunk.
  Slot insert(const Chunk& chunk, uint32_t i);
  /// A row of nulls, to be set() column by column.
  Slot insert_blank();
  /// Overwrites one value of a row.
  void set(Slot slot, size_t column, const Vec& values, uint32_t row);
  void release(Slot slot);

  int64_t timestamp(Slot slot) const { return times_[slot]; }
  void set_timestamp(Slot slot, int64_t timestamp) { times_[slot] = timestamp; }

  /// Order of two rows by one column: negative, zero, positive. Nulls come first.
  int compare(Slot a, Slot b, size_t column) const;

  /// Appends the rows to `out`, whose schema is this one; columns that are not kept stay empty.
  /// Strings stay in the pool. kNoSlot gives a row of nulls.
  void gather(const std::vector<Slot>& slots, EventBatch& out) const;
  /// One column of the rows, appended to a column of another batch.
  void gather_column(const Slot* slots, uint32_t rows, size_t column, Column& out) const;

  size_t bytes() const;

  /// Rows keep their slots.
  void archive(StateArchive& archive);
  /// A slot that stands in somebody's state: one of this store's, or kNoSlot.
  void archive_slot(StateArchive& archive, Slot& slot) const {
    archive.index(slot, times_.size(), std::optional<Slot>(kNoSlot));
  }
  bool has_slot(Slot slot) const { return slot < times_.size(); }

 private:
  struct StoredColumn {
    AttributeType type;
    uint32_t width;
    bool kept;
    std::vector<std::unique_ptr<std::byte[]>> pages;
    std::vector<uint8_t> nulls;  ///< one a slot; empty while no null was stored
  };

  Slot take_slot();
  void add_page(StoredColumn& column);
  void archive_column(StateArchive& archive, StoredColumn& column, uint32_t slots);
  std::byte* place(StoredColumn& column, Slot slot) {
    return column.pages[slot / kPageRows].get() + (slot % kPageRows) * column.width;
  }
  const std::byte* place(const StoredColumn& column, Slot slot) const {
    return column.pages[slot / kPageRows].get() + (slot % kPageRows) * column.width;
  }
  void set_null(StoredColumn& column, Slot slot);

  SchemaPtr schema_;
  StringPool& strings_;
  std::vector<StoredColumn> columns_;
  std::vector<int64_t> times_;
  std::vector<Slot> free_;
  uint32_t live_ = 0;
};

}  // namespace pollux
