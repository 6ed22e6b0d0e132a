// The rows of a table, or of a unit of an aggregation, that a record store keeps as well: what has
// changed of them since that was last said, and how they begin with what the store has.
//
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/batch/event_batch.h"
#include "engine/state/state_archive.h"

namespace pollux {

/// The last attribute of a stream of changes: the row of that key is there no more.
constexpr const char* kErasedName = "pollux_erased";

class StoredContent {
 public:
  /// A batch of changes has at most so many rows.
  static constexpr uint32_t kChangesBatchRows = 4096;
  using Take = std::function<void(EventBatchPtr)>;

  virtual ~StoredContent() = default;

  virtual bool has_changes() const = 0;
  /// What has changed cannot wait: it stands outside of the state.
  virtual bool must_go() const { return false; }
  /// Hands out the changed rows, as batches of `schema` that own their strings, and forgets that
  /// they have changed.
  virtual void take_changes(const SchemaPtr& schema, int64_t now, const Take& take) = 0;

  /// Begins with rows of a store, and remembers none of them as a change. `from_ms` as in
  /// StoredRows. Returns what is wrong; then neither this nor its plan must be used.
  virtual std::string fill(const std::vector<EventBatchPtr>& rows, int64_t from_ms) = 0;
  /// The same with what another plan's content of the same kind is, its changes too.
  virtual std::string take_over(const StoredContent& from) = 0;

  /// What has changed and waits, as a part of its plan's state: behind the rows themselves, where
  /// it does not stand among them.
  virtual void archive_changes(StateArchive& /*archive*/) {}
};

}  // namespace pollux
