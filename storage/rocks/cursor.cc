#include "storage/rocks/cursor.h"

#include <rocksdb/db.h>

#include <limits>
#include <string>
#include <utility>

#include "storage/rocks/row_codec.h"

namespace pollux::rocks {
namespace {

class Cursor : public RecordCursor {
 public:
  Cursor(std::shared_ptr<Database> database, std::shared_ptr<rocksdb::DB> db, TableLayoutPtr layout,
         RecordTimeRange range);
  ~Cursor() override;
  absl::StatusOr<EventBatchPtr> next() override;

 private:
  /// Adds the row at the iterator; the number of its bytes.
  absl::StatusOr<size_t> read_row(EventBatch& batch);
  rocksdb::ReadOptions read_options() const;
  std::string doing() const { return "read table " + layout_->definition.name; }

  const std::shared_ptr<Database> database_;  // for its errors
  const std::shared_ptr<rocksdb::DB> db_;
  const TableLayoutPtr layout_;
  const rocksdb::Snapshot* const snapshot_;
  std::string end_;
  rocksdb::Slice end_slice_;  // of end_; the iterator borrows it
  std::unique_ptr<rocksdb::Iterator> at_;
};

Cursor::Cursor(std::shared_ptr<Database> database, std::shared_ptr<rocksdb::DB> db,
               TableLayoutPtr layout, RecordTimeRange range)
    : database_(std::move(database)),
      db_(std::move(db)),
      layout_(std::move(layout)),
      snapshot_(db_->GetSnapshot()) {
  const Kind kind = layout_->time_kind();
  const bool to_the_end = range.to.ms == std::numeric_limits<int64_t>::max();
  end_ = to_the_end ? end_of(key_of(kind, layout_->table))
                    : time_key(kind, layout_->table, range.to.ms);
  end_slice_ = end_;
  rocksdb::ReadOptions options = read_options();
  options.iterate_upper_bound = &end_slice_;
  at_.reset(db_->NewIterator(options));
  at_->Seek(time_key(kind, layout_->table, range.from.ms));
}

Cursor::~Cursor() {
  at_.reset();
  db_->ReleaseSnapshot(snapshot_);
}

rocksdb::ReadOptions Cursor::read_options() const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  options.fill_cache = false;  // a long scan must not drive out what lookups need
  return options;
}

absl::StatusOr<EventBatchPtr> Cursor::next() {
  auto batch = std::make_shared<EventBatch>(layout_->definition.schema);
  size_t bytes = 0;
  for (; at_->Valid() && batch->rows() < kBatchRowsMax && bytes < kBatchBytesMax; at_->Next()) {
    auto read = read_row(*batch);
    if (!read.ok()) return read.status();
    bytes += *read;
  }
  if (!at_->status().ok()) return database_->error(at_->status(), doing());
  if (batch->rows() == 0) return EventBatchPtr();
  return batch;
}

absl::StatusOr<size_t> Cursor::read_row(EventBatch& batch) {
  rocksdb::PinnableSlice stored;
  std::string_view bytes = at_->value().ToStringView();
  if (layout_->has_key()) {
    std::string key = key_of(Kind::kRow, layout_->table);
    key.append(at_->key().ToStringView().substr(kBehindTimeOffset));
    // Each row is a lookup of its own: without the cache it would read its blocks, indices and
    // filters among them, from the file every time.
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    rocksdb::Status got = db_->Get(options, db_->DefaultColumnFamily(), key, &stored);
    if (got.IsNotFound())
      return database_->damaged("the time index of " + layout_->definition.name);
    if (!got.ok()) return database_->error(got, doing());
    bytes = stored.ToStringView();
  }
  if (!decode_row(bytes, batch)) {
    return database_->damaged("a row of " + layout_->definition.name);
  }
  return bytes.size();
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordCursor>> make_cursor(std::shared_ptr<Database> database,
                                                          TableLayoutPtr layout,
                                                          RecordTimeRange range) {
  auto db = database->db();
  if (!db.ok()) return db.status();
  return std::make_unique<Cursor>(std::move(database), *std::move(db), std::move(layout), range);
}

}  // namespace pollux::rocks
