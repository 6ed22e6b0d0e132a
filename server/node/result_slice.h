// Rows of one plan that one entry caused, as they stand in a log, and their ids. Thread: values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch/event_batch.h"
#include "engine/types/ids.h"
#include "persistence/outbox/last_ids.h"

namespace pollux {

/// Each row has the id "tenant/plan/epoch.position.ordinal".
struct ResultSlice {
  uint64_t first = 0;  ///< the offset of the first row in its log; the others follow
  std::shared_ptr<const std::string> plan;
  EntryId cause;
  EventBatchPtr batch;
  std::vector<uint32_t> ordinals;  ///< one a row, rising

  uint64_t end() const { return first + batch->rows(); }
};
using ResultSlicePtr = std::shared_ptr<const ResultSlice>;

/// "-1234/plan/1.42.0"
std::string result_id(const ResultSlice& slice, uint32_t row);

struct ResultId {
  std::string plan;
  PlanRow row;
};
/// Nothing when it is no id of this tenant.
std::optional<ResultId> parse_result_id(std::string_view id);

/// What a slice keeps in memory, its share of the batch's strings included.
size_t bytes_of(const ResultSlice& slice);

/// Rows [begin, end) of the slice, which are copied.
ResultSlice part_of(const ResultSlice& slice, uint32_t begin, uint32_t end);

}  // namespace pollux
