// Reading some columns of a table by its primary key. Thread: any.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/table_definition.h"

namespace pollux {

/// Places of the columns of `wanted` among those of the table; kFailedPrecondition: it has one not,
/// or of another type, or another primary key.
absl::StatusOr<std::vector<size_t>> lookup_columns(const TableDefinition& table,
                                                   const TableDefinition& wanted);

}  // namespace pollux
