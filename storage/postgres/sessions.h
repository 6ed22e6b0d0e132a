// The sessions with a database, and how they are used. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/remote/postgres_session.h"
#include "storage/remote/session_pool.h"
#include "storage/sql/conversation.h"
#include "storage/sql/sql_values.h"
#include "storage/store_database.h"

namespace pollux::postgres {

using Pool = SessionPool<PostgresSession>;
using SqlRows = std::vector<sql::SqlRow>;

std::shared_ptr<Pool> make_pool(const DatabaseOptions& options);

class Conversation : public sql::Conversation<PostgresSession> {
 public:
  using sql::Conversation<PostgresSession>::Conversation;
  static absl::StatusOr<Conversation> begin(const std::shared_ptr<Pool>& pool, int64_t timeout_ms) {
    return sql::begin_conversation<Conversation>(pool, timeout_ms);
  }

  absl::StatusOr<SqlRows> ask(const std::string& sql, const std::vector<std::string>& values = {});
  absl::Status tell(const std::string& sql, const std::vector<std::string>& values = {});
  absl::StatusOr<uint64_t> copy_in(const std::string& sql, std::string_view bytes);
  int server_version() const { return session().server_version(); }
};

}  // namespace pollux::postgres
