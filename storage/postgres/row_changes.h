// One transaction of a writer, in PostgreSQL's SQL. Thread: any.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "storage/postgres/sessions.h"
#include "storage/sql/database.h"

namespace pollux::postgres {

/// Begins and commits it, by statements of the session that is talked to.
[[nodiscard]] absl::Status commit(Conversation& talk, const std::string& store,
                                  const sql::Relation& relation,
                                  const sql::Transaction& transaction);

}  // namespace pollux::postgres
