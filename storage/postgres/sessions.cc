#include "storage/postgres/sessions.h"

#include <utility>

#include "storage/remote/host_lookup.h"

namespace pollux::postgres {
namespace {

/// Whoever hears that a write was taken forgets it, so `off` is not enough.
constexpr char kLastingCommits[] =
    "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
    " WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false),"
    " pg_is_in_recovery()";

absl::StatusOr<std::unique_ptr<PostgresSession>> connect(const PostgresSessionOptions& options,
                                                         const Deadline& deadline) {
  std::vector<std::string> addresses;
  if (!options.address.host.starts_with('/')) {
    HostLookup lookup(options.address.host);
    auto found = lookup.find(deadline);
    if (!found.ok()) return found.status();
    addresses = *std::move(found);
  }
  auto session = PostgresSession::connect(options, addresses, deadline);
  if (!session.ok()) return session.status();
  auto set = (*session)->query(kLastingCommits, {}, deadline);
  if (!set.ok()) return set.status();
  if (set->at(0).at(1) == "t") {
    return absl::UnavailableError(
        "the server is a standby and takes no writes: set the primary's host, or an address that "
        "follows it");
  }
  return session;
}

}  // namespace

std::shared_ptr<Pool> make_pool(const DatabaseOptions& options) {
  PostgresSessionOptions session;
  session.address = options.address;
  session.application = "pollux " + options.name;
  session.statement_timeout_ms = options.timeout_ms;
  return std::make_shared<Pool>(
      options.pool, [session](const Deadline& deadline) { return connect(session, deadline); },
      [query = options.pool.validation_query](PostgresSession& resting, const Deadline& deadline) {
        return resting.query(query.c_str(), {}, deadline).ok();
      });
}

absl::StatusOr<SqlRows> Conversation::ask(const std::string& sql,
                                          const std::vector<std::string>& values) {
  return make([&](PostgresSession& session, const Deadline& deadline) {
    return session.query(sql.c_str(), values, deadline);
  });
}

absl::Status Conversation::tell(const std::string& sql, const std::vector<std::string>& values) {
  return ask(sql, values).status();
}

absl::StatusOr<uint64_t> Conversation::copy_in(const std::string& sql, std::string_view bytes) {
  return make([&](PostgresSession& session, const Deadline& deadline) {
    return session.copy_in(sql.c_str(), bytes, deadline);
  });
}

}  // namespace pollux::postgres
