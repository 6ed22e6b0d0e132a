// Between the messages of pollux.proto and event batches.
//
// What comes from a peer is trusted in nothing: every length, offset, name, type, text and time is
// checked, and what does not fit is told as a BatchFault. The cost of columns is that of copying
// them, and of one 16-byte view a string. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/batch/event_batch.h"
#include "server/grpc/batch_fault.h"

namespace pollux {

namespace v1 {
class Columns;
class Rows;
}  // namespace v1

struct BatchLimits {
  uint32_t rows_max = 65'536;
};

/// The rows as a batch of `schema`, its columns in the schema's order; null when `fault` says what
/// is wrong.
std::shared_ptr<EventBatch> decode_columns(const v1::Columns& columns, const SchemaPtr& schema,
                                           const BatchLimits& limits, BatchFault& fault);
std::shared_ptr<EventBatch> decode_rows(const v1::Rows& rows, const SchemaPtr& schema,
                                        const BatchLimits& limits, BatchFault& fault);

/// The schema that columns from a server speak of: for clients, who know no plans.
absl::StatusOr<SchemaPtr> schema_of_columns(const v1::Columns& columns, std::string stream);

/// Rows [begin, end) of `batch`; objects go as their texts.
void encode_columns(const EventBatch& batch, uint32_t begin, uint32_t end, v1::Columns& columns);

/// The end of the longest run of rows from `begin` on that is at most `rows_max` rows and about
/// `bytes_max` bytes in columns; at least one row.
uint32_t end_of_run(const EventBatch& batch, uint32_t begin, uint32_t rows_max, size_t bytes_max);

}  // namespace pollux
