// Which keys a batch needs of an external table, and whether rows are those of the keys. Thread:
// values.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "server/node/stream_lookups.h"

namespace pollux {

/// Each key once, in the order of its first event; none of which a part is null, since nothing
/// equals that.
class LookupKeys {
 public:
  LookupKeys(const TableLookups& lookups, const EventBatch& events);

  uint32_t size() const { return keys_->rows(); }
  /// [begin, end) of them, of the columns of the primary key.
  EventBatchPtr part(uint32_t begin, uint32_t end) const { return slice_copy(*keys_, begin, end); }

  /// Adds to `rows` those of `found` whose keys are among these: a database may take other keys for
  /// equal. kFailedPrecondition: it has two rows of a key, or rows of other attributes.
  absl::Status take(const EventBatch& found, EventBatch& rows);

 private:
  const StoredHolder& holder_;
  std::shared_ptr<EventBatch> keys_;
  std::unordered_set<std::string> known_;
  std::unordered_set<std::string> taken_;
};

}  // namespace pollux
