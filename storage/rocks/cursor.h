// A scan over a table in the order of time, on a snapshot that it holds until its end.
//
// Holds the database too, so that it may outlive the store.
#pragma once

#include <memory>

#include "storage/record_store.h"
#include "storage/rocks/database.h"
#include "storage/rocks/table.h"

namespace pollux::rocks {

/// Takes its snapshot now.
absl::StatusOr<std::unique_ptr<RecordCursor>> make_cursor(std::shared_ptr<Database> database,
                                                          TableLayoutPtr layout,
                                                          RecordTimeRange range);

}  // namespace pollux::rocks
