// A record store in a database of any kind.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/record_store.h"
#include "storage/sql/database.h"

namespace pollux::sql {

/// Makes what the store needs where it is missing.
absl::StatusOr<std::unique_ptr<RecordStore>> open_sql_store(std::string name,
                                                            std::unique_ptr<Database> database);

}  // namespace pollux::sql
