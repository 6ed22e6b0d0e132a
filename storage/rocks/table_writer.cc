#include "storage/rocks/table_writer.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>

#include "storage/key_codec.h"
#include "storage/rocks/row_codec.h"

namespace pollux::rocks {
TableWriter::TableWriter(Database& database, Table& table, const Counters& counters)
    : database_(database),
      table_(table),
      layout_(table.layout),
      transaction_(std::make_unique<rocksdb::WriteBatch>()),
      counters_(counters),
      oldest_ms_(table.oldest_ms) {}

TableWriter::~TableWriter() = default;

absl::Status TableWriter::add(const Rows& rows, size_t rows_index) {
  auto source = source_of(rows.source);
  if (!source.ok()) return source.status();
  std::optional<RowId>& reached = (*source)->reached;
  for (uint32_t row = 0; row < rows.batch->rows(); ++row) {
    const RowId id{rows.entry, rows.ordinals[row]};
    if (reached && id <= *reached) {
      ++written_.repeated;
      continue;
    }
    std::string refused;
    absl::Status status =
        rows.erases(row) ? erase(*rows.batch, row) : put(*rows.batch, row, refused);
    if (!status.ok()) return status;
    if (refused.empty()) {
      ++written_.rows;
    } else {
      written_.refused.push_back({rows_index, row, std::move(refused)});
    }
    reached = id;
    (*source)->moved = true;
    if (transaction_->GetDataSize() >= kTransactionBytesMax) {
      if (absl::Status status = commit(); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TableWriter::Source*> TableWriter::source_of(std::string_view name) {
  auto known = sources_.find(name);
  if (known != sources_.end()) return &known->second;
  auto stored = database_.get(progress_key(layout_->table, name), doing("read progress in"));
  if (!stored.ok()) return stored.status();
  Source source;
  if (stored->has_value()) {
    source.reached = decode_row_id(**stored);
    if (!source.reached) return database_.damaged("the progress of " + std::string(name));
  }
  return &sources_.emplace(name, source).first->second;
}

absl::Status TableWriter::put(const EventBatch& batch, uint32_t row, std::string& refused) {
  const size_t bytes = row_bytes(batch, row);
  if (bytes > kRowBytesMax) {
    refused = "the row has " + std::to_string(bytes) + " bytes, at most " +
              std::to_string(kRowBytesMax) + " can be stored";
    return absl::OkStatus();
  }
  const int64_t time_ms = layout_->time_of(batch, row);
  value_.clear();
  append_row_bytes(value_, batch, row, time_ms);
  if (layout_->has_key()) return upsert(batch, row, time_ms, refused);
  append(time_ms);
  return absl::OkStatus();
}

void TableWriter::append(int64_t time_ms) {
  key_ = time_key(Kind::kRow, layout_->table, time_ms);
  append_ordered(key_, counters_.next_arrival++);
  transaction_->Put(key_, value_);
  ++counters_.rows;
  oldest_ms_ = std::min(oldest_ms_, time_ms);
}

void TableWriter::set_key(const EventBatch& batch, uint32_t row) {
  key_ = key_of(Kind::kRow, layout_->table);
  for (size_t column : layout_->key_columns) append_ordered(key_, batch.column(column), row);
}

absl::Status TableWriter::erase(const EventBatch& batch, uint32_t row) {
  set_key(batch, row);
  auto time = time_of_key(key_);
  if (!time.ok()) return time.status();
  if (!time->has_value()) return absl::OkStatus();
  transaction_->Delete(time_key(Kind::kTimeIndex, layout_->table, **time) +
                       key_.substr(kTimeOffset));
  transaction_->Delete(key_);
  --counters_.rows;
  times_[key_] = std::nullopt;
  return absl::OkStatus();
}

absl::Status TableWriter::upsert(const EventBatch& batch, uint32_t row, int64_t time_ms,
                                 std::string& refused) {
  set_key(batch, row);
  if (key_.size() > kKeyBytesMax) {
    refused = "the primary key has " + std::to_string(key_.size()) + " bytes, at most " +
              std::to_string(kKeyBytesMax) + " can be stored";
    return absl::OkStatus();
  }
  auto old_time = time_of_key(key_);
  if (!old_time.ok()) return old_time.status();
  const std::string behind_table = key_.substr(kTimeOffset);
  if (*old_time && **old_time != time_ms) {
    transaction_->Delete(time_key(Kind::kTimeIndex, layout_->table, **old_time) + behind_table);
  }
  if (*old_time != time_ms) {
    transaction_->Put(time_key(Kind::kTimeIndex, layout_->table, time_ms) + behind_table, "");
  }
  transaction_->Put(key_, value_);
  if (!old_time->has_value()) ++counters_.rows;
  oldest_ms_ = std::min(oldest_ms_, time_ms);
  times_[key_] = time_ms;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<int64_t>> TableWriter::time_of_key(const std::string& key) const {
  auto pending = times_.find(key);
  if (pending != times_.end()) return pending->second;
  rocksdb::PinnableSlice stored;
  auto db = database_.db();
  if (!db.ok()) return db.status();
  rocksdb::Status got = (*db)->Get({}, (*db)->DefaultColumnFamily(), key, &stored);
  if (got.IsNotFound()) return std::optional<int64_t>();
  if (!got.ok()) return database_.error(got, doing("read"));
  int64_t time_ms = 0;
  if (!decode_row_time(stored.ToStringView(), time_ms)) {
    return database_.damaged("a row of " + layout_->definition.name);
  }
  return std::optional(time_ms);
}

absl::Status TableWriter::commit() {
  bool moved = false;
  for (auto& [name, source] : sources_) {
    if (!source.moved) continue;
    transaction_->Put(progress_key(layout_->table, name), encode(*source.reached));
    moved = true;
  }
  if (!moved) return absl::OkStatus();
  transaction_->Put(key_of(Kind::kCounters, layout_->table), encode(counters_));
  absl::Status written =
      database_.commit(*transaction_, Database::Sync::kAsConfigured, doing("write"));
  table_.oldest_ms = oldest_ms_;  // a commit that failed may yet have written
  if (!written.ok()) return written;
  for (auto& [name, source] : sources_) source.moved = false;
  transaction_->Clear();
  times_.clear();
  return absl::OkStatus();
}

std::string TableWriter::doing(std::string_view verb) const {
  return std::string(verb) + " table " + layout_->definition.name;
}

}  // namespace pollux::rocks
