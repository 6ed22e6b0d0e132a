// How the RocksDB under a store is set up. Thread: any.
#pragma once

#include "storage/rocks_store.h"

namespace rocksdb {
struct ColumnFamilyOptions;
struct Options;
}  // namespace rocksdb

namespace pollux::rocks {

/// Of the database, and of its family of rows.
rocksdb::Options options_for_rows(const RocksStoreOptions& options);
/// `rows`: what the above has made.
rocksdb::ColumnFamilyOptions options_for_marks(const RocksStoreOptions& options,
                                               const rocksdb::Options& rows);

}  // namespace pollux::rocks
