// The sessions of a store with its database, and how they are used. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/postgres_store.h"
#include "storage/remote/postgres_session.h"
#include "storage/remote/session_pool.h"
#include "storage/sql/sql_values.h"

namespace pollux::postgres {

using Pool = SessionPool<PostgresSession>;
using SqlRows = std::vector<sql::SqlRow>;

std::shared_ptr<Pool> make_pool(const PostgresStoreOptions& options);

/// A session for some statements that belong together, by one deadline. An error of any statement
/// ends it, and all that is asked behind it is kUnavailable; what was not committed by then is as
/// if it had never been asked.
class Conversation {
 public:
  static absl::StatusOr<Conversation> begin(const std::shared_ptr<Pool>& pool, int64_t timeout_ms);

  absl::StatusOr<SqlRows> ask(const std::string& sql, const std::vector<std::string>& values = {});
  absl::Status tell(const std::string& sql, const std::vector<std::string>& values = {});
  absl::StatusOr<uint64_t> copy_in(const std::string& sql, std::string_view bytes);
  int server_version() const { return lease_->server_version(); }
  /// Its transaction is dropped, by ending the session.
  void give_up() { lease_.break_off(); }
  /// More time, for what comes next.
  void set_deadline(int64_t ms) { deadline_ = Deadline(ms); }

 private:
  Conversation(Pool::Lease lease, Deadline deadline)
      : lease_(std::move(lease)), deadline_(deadline) {}

  Pool::Lease lease_;
  Deadline deadline_;
};

}  // namespace pollux::postgres
