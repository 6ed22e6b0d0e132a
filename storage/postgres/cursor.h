// Rows of a relation as batches: what a scan answers with. Thread: one at a time.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/postgres/sessions.h"
#include "storage/record_store.h"
#include "storage/sql/relation.h"

namespace pollux::postgres {

/// In a transaction of its own, that sees the table as it is now, on a session that it keeps. The
/// database gives rows out in pieces; a cursor that rests for more than five minutes is ended.
absl::StatusOr<std::unique_ptr<RecordCursor>> make_cursor(const std::shared_ptr<Pool>& pool,
                                                          int64_t timeout_ms,
                                                          sql::RelationPtr relation,
                                                          RecordTimeRange range);

}  // namespace pollux::postgres
