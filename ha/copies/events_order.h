// An entry of events without the events: where they stand and which ones they are. What whoever
// leads sends to a node that gets copies of them from their clients. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/runtime/entry.h"
#include "ha/copies/duplicated_streams.h"

namespace pollux {

struct EventsOrder {
  EntryId id;
  Timestamp timestamp;
  SchemaPtr schema;
  std::string producer;
  uint64_t number = 0;            ///< of the batch; of a producer only
  std::vector<RowIdentity> rows;  ///< one a row; empty where a producer names the batch
  std::vector<int64_t> times;     ///< one a row, and at least one
  bool one_chunk = false;
  uint64_t content = 0;  ///< content_hash() of the events
};

using OrderedEntry = std::variant<Entry, EventsOrder>;

/// About what it takes in memory.
size_t bytes_of(const EventsOrder& order);
EntryId id_of(const OrderedEntry& entry);

/// Nothing: the entry can be sent as a whole only.
std::optional<EventsOrder> order_of(const Entry& entry, const DuplicatedStreams& streams);

/// Whether events of this batch can be events of the order.
bool is_of_stream(const EventsOrder& order, const EventBatch& events);
/// The entry, of these events, as many as the order has, whatever their times are. Nothing: they
/// are not those that whoever leads has.
std::optional<Entry> entry_of(const EventsOrder& order, std::shared_ptr<EventBatch> events);

}  // namespace pollux
