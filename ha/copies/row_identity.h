// By what two copies of one event are known to be of one event: 128 bits of its stream and of an
// attribute that names it, or of all its values.
//
// Values are those that were decoded, so the format in which a copy came does not matter. The time
// of an event is no part of it: where the client gave none, each node puts its own. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/batch/event_batch.h"

namespace pollux {

struct RowIdentity {
  uint64_t high = 0;
  uint64_t low = 0;
  /// It names one event: whatever comes with it again is a repeat. Else it is of values, and two
  /// events may have the same ones: these are counted.
  bool is_name() const { return (low & 1) != 0; }
  friend bool operator==(const RowIdentity&, const RowIdentity&) = default;
  friend auto operator<=>(const RowIdentity&, const RowIdentity&) = default;
};

struct RowIdentityHash {
  size_t operator()(const RowIdentity& identity) const { return identity.high; }
};

/// One a row. `name`: the attribute that names an event; a row that has it as null is known by its
/// values, as all are without it.
std::vector<RowIdentity> identities_of(const EventBatch& batch, std::optional<size_t> name);

/// Of all rows' values in order, and of whether they are one chunk, but not of their times.
uint64_t content_hash(const EventBatch& batch);

}  // namespace pollux
