// One transaction of a writer, in MySQL's SQL. Thread: any.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/mysql/sessions.h"
#include "storage/sql/database.h"

namespace pollux::mysql {

/// What an entry of an index holds.
inline constexpr size_t kKeyBytesMax = 3'000;

/// The key of a row of the table's columns, under which the table has it.
std::string key_of(const sql::Relation& relation, const sql::RowPlace& row);

/// Of these sources of a table, as far as they have any. `lock`: " FOR UPDATE" or nothing.
absl::StatusOr<sql::Database::Progress> read_progress(Conversation& talk, const std::string& store,
                                                      const std::string& table,
                                                      const std::vector<std::string>& sources,
                                                      std::string_view lock);

/// Begins and commits it, by statements of the session that is talked to. A statement has at most
/// `packet_bytes_max` bytes, unless one row has more.
[[nodiscard]] absl::Status commit(Conversation& talk, const std::string& store,
                                  const sql::Relation& relation,
                                  const sql::Transaction& transaction, size_t packet_bytes_max);

/// The oldest rows with times below `horizon_ms`, RecordStore::kExpireRowsMax at most; how many.
/// They are locked by their keys, as writers do, and not in the order of time.
absl::StatusOr<uint64_t> drop_old(Conversation& talk, const std::string& store,
                                  const sql::Relation& relation, int64_t horizon_ms,
                                  size_t packet_bytes_max);

}  // namespace pollux::mysql
