// Small entries of which each says by its content which one it is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "engine/runtime/entry.h"

namespace pollux {

/// Position and epoch as told, the rest is a function of them and of `salt`.
inline Entry some_entry(uint64_t position, uint64_t epoch = 1, uint64_t salt = 0) {
  Entry entry{{{epoch}, {position}}, {static_cast<int64_t>(1'700'000'000'000 + position)}, {}};
  if (position % 7 == 0) {
    entry.payload = TickPayload{};
    return entry;
  }
  static const SchemaPtr kSchemas[] = {
      std::make_shared<const Schema>(
          "Trades",
          std::vector<Attribute>{{"n", AttributeType::kLong}, {"text", AttributeType::kString}}),
      std::make_shared<const Schema>("Prices",
                                     std::vector<Attribute>{{"price", AttributeType::kDouble}})};
  const SchemaPtr& schema = kSchemas[position % 3 == 0];
  auto batch = std::make_shared<EventBatch>(schema);
  for (uint64_t row = 0; row <= position % 4; ++row) {
    if (schema == kSchemas[0]) {
      batch->append_value(0, static_cast<int64_t>(position * 1000 + salt));
      batch->append_value(1, std::string(position % 40, static_cast<char>('a' + salt % 26)));
    } else {
      batch->append_value(0, static_cast<double>(position) + static_cast<double>(salt) / 100);
    }
    batch->end_row(entry.timestamp.ms);
  }
  EventsPayload events;
  events.batch = std::move(batch);
  entry.payload = std::move(events);
  return entry;
}

}  // namespace pollux
