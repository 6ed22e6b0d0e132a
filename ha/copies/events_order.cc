#include "ha/copies/events_order.h"

#include <utility>

namespace pollux {

size_t bytes_of(const EventsOrder& order) {
  constexpr size_t kBytesOfOne = 192;
  return kBytesOfOne + order.producer.size() + order.rows.size() * sizeof(RowIdentity) +
         order.times.size() * sizeof(int64_t);
}

EntryId id_of(const OrderedEntry& entry) {
  return std::visit([](const auto& one) { return one.id; }, entry);
}

std::optional<EventsOrder> order_of(const Entry& entry, const DuplicatedStreams& streams) {
  const auto* events = std::get_if<EventsPayload>(&entry.payload);
  if (events == nullptr || events->batch->rows() == 0) return std::nullopt;
  const EventBatch& batch = *events->batch;
  // What was found for them stands nowhere but in the entry.
  if (!streams.contains(batch.schema().name()) || !events->found.empty()) return std::nullopt;
  EventsOrder order;
  order.id = entry.id;
  order.timestamp = entry.timestamp;
  order.schema = batch.schema_ptr();
  order.producer = events->producer;
  order.number = events->number;
  if (order.producer.empty()) order.rows = streams.identities(batch);
  order.times = batch.timestamps();
  order.one_chunk = batch.one_chunk();
  order.content = content_hash(batch);
  return order;
}

bool is_of_stream(const EventsOrder& order, const EventBatch& events) {
  return events.schema().name() == order.schema->name() &&
         events.schema().same_attributes(*order.schema);
}

std::optional<Entry> entry_of(const EventsOrder& order, std::shared_ptr<EventBatch> events) {
  events->mutable_timestamps() = order.times;
  events->set_one_chunk(order.one_chunk);
  if (content_hash(*events) != order.content) return std::nullopt;
  return Entry{order.id, order.timestamp,
               EventsPayload{std::move(events), order.producer, order.number}};
}

}  // namespace pollux
