// A record store in PostgreSQL: tables with real columns, which any SQL client reads.
//
// Each table of the store is a relation of the same name in small letters, with a column for each
// attribute and, behind them, pollux_time (the row's time, ms) and, where rows are appended,
// pollux_seq. A primary key is a unique index, in which null equals null from PostgreSQL 15 on;
// before, rows with a null in their key are refused. What the store knows stands in tables of its
// own: pollux_stores (the fence), pollux_tables and pollux_columns, pollux_progress. Several stores
// may share a database.
//
// Exactly once: rows, the progress of their sources and the check of the epoch are one transaction,
// and progress moves only from where it was read; so of two writers of one source one fails, with
// kUnavailable, and so does a commit whose outcome is not known. Whoever writes again loses nothing
// and doubles nothing.
//
// Durability: a write that returned survives a loss of the server's power (synchronous_commit is
// never `off` in these sessions; it may be more than `on`). Texts of a row that are no UTF-8, or
// hold a zero byte, cannot be stored: such rows are refused.
//
// What differs from other stores: names that differ in the size of letters only are one; names of
// more than 63 bytes are cut and end in a hash; rows are counted by what the store wrote and
// dropped, so that what others delete still counts; copy_to() is not possible, since both nodes of
// a pair share the database.
#pragma once

#include <memory>

#include "storage/store_database.h"

namespace pollux {

/// Asks nobody until a store is opened.
std::unique_ptr<StoreDatabase> make_postgres_database(const DatabaseOptions& options);

}  // namespace pollux
