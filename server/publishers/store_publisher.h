// Results as rows of a record store's table: each takes effect once, however often it is tried.
//
// The table is made by the first write. What a row is to the store: source "tenant/plan/stream",
// the entry and the ordinal, as in its id. Thread: the sink's.
#pragma once

#include <functional>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/types/ids.h"
#include "server/publishers/publisher.h"
#include "storage/record_store.h"

namespace pollux {

class StorePublisher final : public Publisher {
 public:
  /// The store outlives the publisher. `epoch`: under which this node writes there now.
  StorePublisher(RecordStore& store, TableDefinition table, std::function<Epoch()> epoch)
      : store_(store), table_(std::move(table)), epoch_(std::move(epoch)) {}

  size_t rows_max() const override { return 4096; }
  Published publish(std::span<const PublishedRow> rows, const std::atomic<bool>& stopping) override;

 private:
  absl::StatusOr<Written> write(std::span<const PublishedRow> rows);

  RecordStore& store_;
  const TableDefinition table_;
  const std::function<Epoch()> epoch_;
  bool opened_ = false;
};

}  // namespace pollux
