// The arbiter in MySQL or MariaDB: in an InnoDB table of any database, changed by single
// statements.
//
// Asked of the server, and checked with every call: it is not read_only,
// innodb_flush_log_at_trx_commit is 1, and sync_binlog is 1 where it has a binary log; with every
// session: the table is InnoDB's, semi-synchronous replication waits before others see the commit
// (AFTER_SYNC), and it is no node of a Galera cluster, whose reads may be stale. Not to be seen
// from here: where the server has standbys that may take over, semi-synchronous replication must be
// on and must not fall back (`rpl_semi_sync_*_timeout` far beyond any failover). Its user should
// not have the right to write to a read-only server (SUPER, READ ONLY ADMIN).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ha/arbiter/arbiter.h"
#include "storage/remote/database_address.h"

namespace pollux {

struct MysqlOptions : DatabaseAddress {
  MysqlOptions() { port = 3306; }
  bool accept_forgetful = false;  ///< also a server that loses commits with its power; not the pair
};

/// Needs no server yet. kInvalidArgument: the options.
absl::StatusOr<std::unique_ptr<Arbiter>> make_mysql_arbiter(const ArbiterOptions& options,
                                                            const MysqlOptions& mysql);

/// What creates the table, where there is none: for the operator whose user may not. Names of
/// domains and records are ASCII; ascii_bin tells large letters from small ones.
inline constexpr char kMysqlCreateTable[] =
    "CREATE TABLE IF NOT EXISTS pollux_arbiter ("
    "domain varchar(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, "
    "version bigint NOT NULL, "
    "record text CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
    "confirmations bigint NOT NULL DEFAULT 0) ENGINE=InnoDB";
/// Creates the table unless it is there.
absl::Status create_mysql_arbiter_table(const MysqlOptions& mysql, int64_t timeout_ms);

}  // namespace pollux
