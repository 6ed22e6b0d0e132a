#include "engine/operators/stored_table.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace pollux {

StoredTable::StoredTable(Table& table, StringPool& strings)
    : table_(table), changed_(table.schema(), table.primary_key(), strings) {
  if (!table.primary_key().empty()) table_.tell_of_changes(&changed_);
}

void StoredTable::take_changes(const SchemaPtr& schema, int64_t now, const Take& take) {
  const size_t erased = schema->size() - 1;
  for (uint32_t begin = 0; begin < changed_.size(); begin += kChangesBatchRows) {
    uint32_t end = std::min(begin + kChangesBatchRows, changed_.size());
    auto rows = std::make_shared<EventBatch>(schema);
    for (uint32_t i = begin; i < end; ++i) {
      Slot slot = table_.find_primary(changed_[i]);
      bool gone = slot == RowStore::kNoSlot;
      if (gone) {
        changed_.append_row(changed_[i], *rows);
      } else {
        for (size_t c = 0; c < erased; ++c) {
          table_.store().gather_column(&slot, 1, c, rows->column(c));
        }
      }
      rows->column(erased).append(static_cast<uint8_t>(gone));
      rows->end_row(gone ? now : table_.store().timestamp(slot));
    }
    own_strings(*rows);
    take(std::move(rows));
  }
  changed_.clear();
}

std::string StoredTable::fill(const std::vector<EventBatchPtr>& rows, int64_t) {
  table_.tell_of_changes(nullptr);
  std::string wrong;
  for (const EventBatchPtr& batch : rows) {
    if (wrong.empty()) wrong = insert_all(*batch);
  }
  if (!table_.primary_key().empty()) table_.tell_of_changes(&changed_);
  return wrong;
}

std::string StoredTable::insert_all(const EventBatch& rows) {
  Chunk chunk;
  chunk.batch = &rows;
  chunk.rows = rows.rows();
  uint32_t before = table_.size();
  for (uint32_t i = 0; i < rows.rows(); ++i) table_.insert(chunk, i);
  return table_.size() == before + rows.rows() ? "" : "two rows have the same primary key";
}

std::string StoredTable::take_over(const StoredContent& from) {
  const auto& other = dynamic_cast<const StoredTable&>(from);
  std::vector<Slot> slots;
  other.table_.all(slots);
  std::vector<EventBatchPtr> rows;
  for (size_t begin = 0; begin < slots.size(); begin += kChangesBatchRows) {
    size_t end = std::min(begin + kChangesBatchRows, slots.size());
    auto batch = std::make_shared<EventBatch>(table_.schema());
    other.table_.store().gather({slots.begin() + static_cast<std::ptrdiff_t>(begin),
                                 slots.begin() + static_cast<std::ptrdiff_t>(end)},
                                *batch);
    rows.push_back(std::move(batch));
  }
  std::string wrong = fill(rows, INT64_MIN);
  for (uint32_t i = 0; i < other.changed_.size(); ++i) changed_.note(other.changed_[i]);
  return wrong;
}

}  // namespace pollux
