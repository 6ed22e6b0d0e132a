// What an event of a stream needs of external tables before it is numbered. Thread: values.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/runtime/plan_description.h"
#include "engine/types/schema.h"

namespace pollux {

struct TableLookups {
  StoredHolder holder;
  /// Columns of the stream, each for its column of the primary key; often only one such list.
  std::vector<std::vector<size_t>> keys;
};

/// For all plans that take the stream. Never changes: another object means other needs.
using StreamLookups = std::vector<TableLookups>;
using StreamLookupsPtr = std::shared_ptr<const StreamLookups>;

/// What a plan takes.
struct PlanInputs {
  std::vector<SchemaPtr> streams;
  std::vector<ExternalTable> external;
};

}  // namespace pollux
