// A table that a record store keeps as well.
//
// Thread: the shard's.
#pragma once

#include <string>
#include <vector>

#include "engine/operators/changed_keys.h"
#include "engine/operators/stored_content.h"
#include "engine/operators/table.h"

namespace pollux {

class StoredTable final : public StoredContent {
 public:
  /// The table tells this of its changes from now on, if it has a primary key. It outlives this.
  StoredTable(Table& table, StringPool& strings);

  bool has_changes() const override { return !changed_.empty(); }
  void take_changes(const SchemaPtr& schema, int64_t now, const Take& take) override;
  std::string fill(const std::vector<EventBatchPtr>& rows, int64_t from_ms) override;
  std::string take_over(const StoredContent& from) override;
  void archive_changes(StateArchive& archive) override { archive(changed_); }

 private:
  std::string insert_all(const EventBatch& rows);

  Table& table_;
  ChangedKeys changed_;
};

}  // namespace pollux
