// The arbiter in PostgreSQL, 12 or later: in a table of any database, changed by single statements.
//
// Asked of the server, and checked with every session: it is no standby, `fsync` is on, the table
// is not unlogged; with every statement that writes: `synchronous_commit` is `on` or
// `remote_apply`, which is set for that statement alone where the user or the database has less.
// Not to be seen from here: where the server has standbys that may take over,
// `synchronous_standby_names` must be set. A wait for a standby that is broken off by an operator
// counts as no answer. Connect to the server itself or to an address that follows the primary, not
// to a pooler: it forwards no session settings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ha/arbiter/arbiter.h"
#include "ha/arbiter/remote/tls_options.h"

namespace pollux {

struct PostgresOptions {
  std::string host = "127.0.0.1";  ///< or the folder of a unix socket, which begins with '/'
  uint16_t port = 5432;
  std::string database = "pollux";
  std::string user = "pollux";
  std::string password;  ///< empty: as libpq finds it, in ~/.pgpass
  TlsOptions tls;
  bool accept_forgetful = false;  ///< also a server that loses commits with its power; not the pair
};

/// Needs no server yet. kInvalidArgument: the options.
absl::StatusOr<std::unique_ptr<Arbiter>> make_postgres_arbiter(const ArbiterOptions& options,
                                                               const PostgresOptions& postgres);

/// What creates the table, where there is none: for the operator whose user may not.
inline constexpr char kPostgresCreateTable[] =
    "CREATE TABLE IF NOT EXISTS pollux_arbiter ("
    "domain text PRIMARY KEY, "
    "version bigint NOT NULL, "
    "record text NOT NULL, "
    "confirmations bigint NOT NULL DEFAULT 0)";
/// Creates the table unless it is there.
absl::Status create_postgres_arbiter_table(const PostgresOptions& postgres, int64_t timeout_ms);

}  // namespace pollux
