// Results as rows of a record store's table: each takes effect once, however often it is tried.
//
// The table is made by the first write. What a row is to the store: source "tenant/plan/stream",
// the entry and the ordinal, as in its id. Thread: the sink's.
#pragma once

#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/types/ids.h"
#include "server/publishers/publisher.h"
#include "storage/record_store.h"

namespace pollux {

/// What the rows of a stream are to a table: rows of it, or rows as they are now, of which the last
/// column says whether they are gone.
enum class StoredStream : uint8_t { kRows, kChanges };

class StorePublisher final : public Publisher {
 public:
  /// The store outlives the publisher. `epoch`: under which this node writes there now.
  StorePublisher(RecordStore& store, TableDefinition table, StoredStream content,
                 std::function<Epoch()> epoch)
      : store_(store),
        table_(std::move(table)),
        content_(content),
        epoch_(std::move(epoch)),
        columns_(table_.schema->size()) {
    std::iota(columns_.begin(), columns_.end(), size_t{0});
  }

  /// Full under pressure: what a transaction costs by itself is shared by many rows.
  size_t rows_max() const override { return 32'768; }
  Published publish(std::span<const PublishedRow> rows, const std::atomic<bool>& stopping) override;

 private:
  absl::StatusOr<Written> write(std::span<const PublishedRow> rows);

  RecordStore& store_;
  const TableDefinition table_;
  const StoredStream content_;
  const std::function<Epoch()> epoch_;
  std::vector<size_t> columns_;  ///< of the table, in a batch of its stream
  bool opened_ = false;
};

}  // namespace pollux
