// A record store in MySQL or MariaDB: tables with real columns, which any SQL client reads.
//
// Each table of the store is a table of the same name in small letters, with a column for each
// attribute and, behind them, pollux_time (the row's time, ms) and, where rows are appended,
// pollux_seq. A table with a primary key has pollux_key in their place, its key as ordered bytes
// (storage/key_codec.h): so keys are equal as they are in every other store, whatever MySQL makes
// of nulls, blanks and letters; and pollux_writes, how often the row was put. What the store knows
// stands in tables of its own: pollux_stores (the fence), pollux_tables and pollux_columns,
// pollux_progress. Several stores may share a database.
//
// Exactly once: as in PostgreSQL's store, rows, the progress of their sources and the check of the
// epoch are one transaction, and progress moves only from where it was read. Making, widening and
// dropping a table are no transactions in MySQL: a table is there while both the catalogue and the
// database have it, and what a crash has left of one is cleaned up before the next one is made.
//
// Durability: a write that returned survives a loss of the server's power, or the server is
// refused: innodb_flush_log_at_trx_commit must be 1, and sync_binlog where there is a binary log.
//
// What differs from other stores: -0.0 comes back as 0.0; texts that are no UTF-8, NaN and the
// infinities cannot be stored, and such rows are refused; so are rows that are larger than the
// server's max_allowed_packet. Names that differ in the size of letters only are one; names of more
// than 63 bytes are cut and end in a hash; rows are counted by what the store wrote and dropped, so
// that what others delete still counts; copy_to() is not possible, since both nodes of a pair share
// the database.
#pragma once

#include <memory>

#include "storage/store_database.h"

namespace pollux {

/// Asks nobody until a store is opened.
std::unique_ptr<StoreDatabase> make_mysql_database(const DatabaseOptions& options);

}  // namespace pollux
