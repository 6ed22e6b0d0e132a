// Small slices of results of which each row says by its content which one it is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/engine.h"
#include "tests/persistence/sim/some_entries.h"

namespace pollux {

/// What entry `position` brings about: between one and three rows.
struct SomeResults {
  explicit SomeResults(uint64_t position, uint64_t epoch = 1, uint64_t salt = 0) {
    static const SchemaPtr kSchema = std::make_shared<const Schema>(
        "Alerts",
        std::vector<Attribute>{{"n", AttributeType::kLong}, {"text", AttributeType::kString}});
    cause = {{epoch}, {position}};
    auto made = std::make_shared<EventBatch>(kSchema);
    for (uint32_t row = 0; row <= position % 3; ++row) {
      made->append_value(0, static_cast<int64_t>(position * 1000 + salt + row));
      made->append_value(1, std::string(position % 30, 'x'));
      made->end_row(static_cast<int64_t>(position));
      ordinals.push_back(row);
    }
    batch = made;
  }
  ResultBatch results() const { return {"plan", "Alerts", cause, batch, ordinals}; }
  uint32_t rows() const { return batch->rows(); }

  EntryId cause;
  EventBatchPtr batch;
  std::vector<uint32_t> ordinals;
};

}  // namespace pollux
