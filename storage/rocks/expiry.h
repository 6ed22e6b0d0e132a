// Retention: drops the rows of a table that are too old.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "storage/record_store.h"
#include "storage/rocks/database.h"
#include "storage/rocks/table.h"

namespace pollux::rocks {

/// Drops the oldest rows with times below `horizon_ms`, RecordStore::kExpireRowsMax at most. The
/// table's mutex is held.
absl::StatusOr<Expired> expire_rows(Database& database, Table& table, int64_t horizon_ms);

}  // namespace pollux::rocks
