// The sessions with a database, and how they are used. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/remote/mysql_session.h"
#include "storage/remote/session_pool.h"
#include "storage/sql/conversation.h"
#include "storage/sql/sql_values.h"
#include "storage/store_database.h"

namespace pollux::mysql {

using Pool = SessionPool<MysqlSession>;
using SqlRows = std::vector<sql::SqlRow>;

/// How long the server waits for the next statement before it ends a session, and with it what it
/// has locked: of a node that is no more, for example.
inline constexpr int kIdleSecondsMax = 30;

std::shared_ptr<Pool> make_pool(const DatabaseOptions& options);

class Conversation : public sql::Conversation<MysqlSession> {
 public:
  using sql::Conversation<MysqlSession>::Conversation;
  static absl::StatusOr<Conversation> begin(const std::shared_ptr<Pool>& pool, int64_t timeout_ms) {
    return sql::begin_conversation<Conversation>(pool, timeout_ms);
  }

  absl::StatusOr<SqlRows> ask(const std::string& sql);
  /// How many rows it changed.
  absl::StatusOr<uint64_t> change(const std::string& sql,
                                  std::span<const MysqlParameter> values = {});
  absl::Status tell(const std::string& sql);
};

}  // namespace pollux::mysql
