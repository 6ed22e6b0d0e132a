// Queries whose output changes a table: insert, delete, update, update or insert.
//
// Rows are taken one after the other, so that each sees what those before it did.
// Thread: the shard's.
#pragma once

#include <memory>
#include <vector>

#include "engine/operators/search.h"
#include "engine/operators/selector.h"

namespace pollux {

class InsertIntoTable final : public SelectedReceiver {
 public:
  InsertIntoTable(Table& table, PlanContext& context) : table_(table), context_(context) {}
  void receive(const Selected& selected) override {
    for (uint32_t i = 0; i < selected.chunk.rows; ++i) {
      // A primary key that is there already keeps its row (Siddhi 5).
      if (!table_.insert(selected.chunk, i)) ++context_.counts().rows_refused;
    }
  }

 private:
  Table& table_;
  PlanContext& context_;
};

struct TableChange {
  enum class Kind : uint8_t { kDelete, kUpdate, kUpdateOrInsert };
  Kind kind = Kind::kDelete;
  SearchCondition condition;
  std::vector<size_t> columns;        ///< that are set
  std::vector<ExpressionPtr> values;  ///< over the row (kRow) and the table's row (kHeld)
};

class ChangeTable final : public SelectedReceiver {
 public:
  ChangeTable(Table& table, TableChange change, PlanContext& context);
  void receive(const Selected& selected) override;

 private:
  void update_matches(const Chunk& row);
  std::vector<Vec> values_for(const Chunk& row, Slot slot);

  Table& table_;
  TableChange change_;
  PlanContext& context_;
  TableSearch search_;
  std::vector<Match> matches_;
  EventBatch held_;
};

}  // namespace pollux
