// Rows of a table as batches: what a scan answers with. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "storage/mysql/sessions.h"
#include "storage/record_store.h"
#include "storage/sql/relation.h"

namespace pollux::mysql {

/// In a transaction of its own, that sees the table as it is now, on a session that it keeps. Each
/// piece is asked for by where the last one ended; a cursor that rests for more than five minutes
/// is ended.
absl::StatusOr<std::unique_ptr<RecordCursor>> make_cursor(const std::shared_ptr<Pool>& pool,
                                                          int64_t timeout_ms,
                                                          sql::RelationPtr relation,
                                                          RecordTimeRange range);

}  // namespace pollux::mysql
