#include "storage/rocks/expiry.h"

#include <rocksdb/db.h>

#include <memory>
#include <string>

#include "storage/key_codec.h"

namespace pollux::rocks {

absl::StatusOr<Expired> expire_rows(Database& database, Table& table, int64_t horizon_ms) {
  if (horizon_ms <= table.oldest_ms) return Expired{};
  const TableLayout& layout = *table.layout;
  const std::string doing = "drop old rows of table " + layout.definition.name;
  const std::string end = time_key(layout.time_kind(), layout.table, horizon_ms);
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &end_slice;
  options.fill_cache = false;
  auto db = database.db();
  if (!db.ok()) return db.status();
  std::unique_ptr<rocksdb::Iterator> at((*db)->NewIterator(options));

  Expired expired;
  Transaction transaction = database.begin();
  at->Seek(time_key(layout.time_kind(), layout.table, table.oldest_ms));
  for (; at->Valid() && expired.rows < RecordStore::kExpireRowsMax; at->Next()) {
    transaction.erase(at->key().ToStringView());
    if (layout.has_key()) {
      std::string row = key_of(Kind::kRow, layout.table);
      row.append(at->key().ToStringView().substr(kBehindTimeOffset));
      transaction.erase(row);
    }
    ++expired.rows;
  }
  if (!at->status().ok()) return database.error(at->status(), doing);
  expired.more = at->Valid();
  const int64_t oldest_ms =
      expired.more ? read_ordered_i64(at->key().data() + kTimeOffset) : horizon_ms;
  at.reset();
  db->reset();  // or a commit after a failed one could not open it anew
  if (expired.rows != 0) {
    auto counters = read_counters(database, layout);
    if (!counters.ok()) return counters.status();
    counters->rows -= expired.rows;
    transaction.put(key_of(Kind::kCounters, layout.table), encode(*counters));
    absl::Status written = database.commit(transaction, Database::Sync::kAsConfigured, doing);
    if (!written.ok()) return written;
  }
  table.oldest_ms = oldest_ms;
  return expired;
}

}  // namespace pollux::rocks
