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
#include "storage/remote/database_address.h"

namespace pollux {

struct PostgresOptions : DatabaseAddress {
  PostgresOptions() { port = 5432; }
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
