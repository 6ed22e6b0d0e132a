#include "storage/mysql/sessions.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/remote/host_lookup.h"

namespace pollux::mysql {
namespace {

constexpr char kLookAtServer[] =
    "SELECT @@global.read_only, @@global.innodb_flush_log_at_trx_commit,"
    " @@global.log_bin, @@global.sync_binlog";

absl::StatusOr<std::unique_ptr<MysqlSession>> connect_somewhere(const DatabaseAddress& address,
                                                                const Deadline& deadline) {
  std::vector<std::string> addresses{""};
  if (!address.host.starts_with('/')) {
    HostLookup lookup(address.host);
    auto found = lookup.find(deadline);
    if (!found.ok()) return found.status();
    addresses = *std::move(found);
  }
  absl::Status failed;
  for (const std::string& where : addresses) {
    auto session = MysqlSession::connect(address, where, deadline);
    if (session.ok()) return session;
    failed = session.status();
  }
  return failed;
}

absl::Status check_server(MysqlSession& session, const Deadline& deadline) {
  auto answer = session.query(kLookAtServer, deadline);
  if (!answer.ok()) return answer.status();
  const auto& row = answer->rows.at(0);
  if (row.at(0) != "0") {
    return absl::UnavailableError(
        "the server is read_only and takes no writes: set the primary's host, or an address that "
        "follows it");
  }
  // Whoever hears that a write was taken forgets it.
  if (row.at(1) != "1" || (row.at(2) != "0" && row.at(3) != "1")) {
    return absl::UnavailableError(
        absl::StrCat("the server would forget what it committed with its power: set "
                     "innodb_flush_log_at_trx_commit = 1 (it is ",
                     row.at(1).value_or("?"), ") and, with a binary log, sync_binlog = 1 (it is ",
                     row.at(3).value_or("?"), ")"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<MysqlSession>> connect(const DatabaseOptions& options,
                                                      const Deadline& deadline) {
  auto session = connect_somewhere(options.address, deadline);
  if (!session.ok()) return session;
  if (absl::Status fit = check_server(**session, deadline); !fit.ok()) return fit;
  // What nobody waits for any more should not wait much longer for a lock.
  const int64_t seconds = options.timeout_ms / 1000 + 1;
  for (const std::string& sql :
       {absl::StrCat("SET SESSION autocommit = 1, innodb_lock_wait_timeout = ", seconds,
                     ", lock_wait_timeout = ", seconds, ", wait_timeout = ", kIdleSecondsMax,
                     ", sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"),
        std::string("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"),
        std::string("SET NAMES utf8mb4 COLLATE utf8mb4_bin")}) {
    if (auto set = (*session)->query(sql, deadline); !set.ok()) return set.status();
  }
  return session;
}

}  // namespace

std::shared_ptr<Pool> make_pool(const DatabaseOptions& options) {
  return std::make_shared<Pool>(
      options.pool, [options](const Deadline& deadline) { return connect(options, deadline); },
      [query = options.pool.validation_query](MysqlSession& resting, const Deadline& deadline) {
        return resting.query(query, deadline).ok();
      });
}

absl::StatusOr<SqlRows> Conversation::ask(const std::string& sql) {
  return make([&](MysqlSession& session, const Deadline& deadline) -> absl::StatusOr<SqlRows> {
    auto answer = session.query(sql, deadline);
    if (!answer.ok()) return answer.status();
    return std::move(answer->rows);
  });
}

absl::StatusOr<uint64_t> Conversation::change(const std::string& sql,
                                              std::span<const MysqlParameter> values) {
  return make([&](MysqlSession& session, const Deadline& deadline) -> absl::StatusOr<uint64_t> {
    if (!values.empty()) return session.execute(sql, values, deadline);
    auto answer = session.query(sql, deadline);
    if (!answer.ok()) return answer.status();
    return answer->changed;
  });
}

absl::Status Conversation::tell(const std::string& sql) { return change(sql).status(); }

}  // namespace pollux::mysql
