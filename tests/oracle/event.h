// What flows inside the oracle: events of a stream, and events that combine several (joins,
// patterns). All in plain values; a chunk is what Siddhi hands on at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/oracle/value_ops.h"

namespace pollux::oracle {

enum class EventKind : uint8_t {
  kCurrent,
  kExpired,
  kTimer,  ///< time passed; wakes windows and rate limits
  kReset,  ///< a batch window begins anew: aggregators forget
};

struct Event {
  EventKind kind = EventKind::kCurrent;
  int64_t timestamp = 0;
  Row data;
};

using EventPtr = std::shared_ptr<const Event>;
using Chunk = std::vector<Event>;

/// An event as the selector sees it: one list of stream events for each source of the query
/// (empty: nothing matched there; several: a counted pattern element), then what was selected.
struct Combined {
  EventKind kind = EventKind::kCurrent;
  int64_t timestamp = -1;
  std::vector<std::vector<EventPtr>> slots;
  Row output;
  std::string group;
};

using CombinedChunk = std::vector<Combined>;

}  // namespace pollux::oracle
