// The rows that scripts/bench store writes by hand, as the plan of its driver makes them of the
// bench's events. Thread: values.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/batch/event_batch.h"

namespace pollux::bench {

/// The first `rows` of them: ten columns.
std::shared_ptr<EventBatch> plain_rows(uint32_t rows);
/// So much later: what is written next.
void move_on(EventBatch& rows, int64_t ms);

}  // namespace pollux::bench
