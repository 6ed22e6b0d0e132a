#include "storage/rocks_store.h"

#include <rocksdb/db.h>
#include <rocksdb/experimental.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "storage/refused_rows.h"
#include "storage/rocks/cursor.h"
#include "storage/rocks/database.h"
#include "storage/rocks/expiry.h"
#include "storage/rocks/layout.h"
#include "storage/rocks/row_codec.h"
#include "storage/rocks/table.h"
#include "storage/rocks/table_writer.h"
#include "storage/table_lookup.h"

namespace pollux::rocks {
namespace {

/// Locks are taken in the order fence, tables, a table's own.
class RocksStore : public RecordStore {
 public:
  RocksStore(const RocksStoreOptions& options, std::shared_ptr<Database> database)
      : name_(options.name), database_(std::move(database)) {}

  /// Reads what the store is made of.
  absl::Status load();

  absl::Status open_table(const TableDefinition& definition) override;
  absl::Status drop_table(std::string_view name) override;
  absl::StatusOr<std::vector<StoredTable>> tables() const override;
  absl::Status raise_fence(Epoch epoch) override;
  absl::StatusOr<Written> write(std::string_view table, std::span<const Rows> rows,
                                Epoch epoch) override;
  absl::StatusOr<std::optional<RowId>> progress(std::string_view table,
                                                std::string_view source) const override;
  absl::Status sync() override { return database_->sync(); }
  absl::Status copy_to(const std::string& directory) override {
    return database_->copy_to(directory);
  }
  absl::StatusOr<std::unique_ptr<RecordCursor>> scan(std::string_view table, RecordTimeRange range,
                                                     Timestamp now) const override;
  absl::StatusOr<EventBatchPtr> find(std::string_view table, std::span<const Value> key,
                                     Timestamp now) const override;
  absl::StatusOr<EventBatchPtr> look_up(const TableDefinition& wanted, const EventBatch& keys,
                                        Timestamp now) const override;
  absl::StatusOr<Expired> expire(Timestamp now) override;

 private:
  using TablePtr = std::shared_ptr<Table>;

  absl::Status load_number(Kind kind, uint64_t& number) const;
  absl::Status load_tables();
  absl::Status make_table(const TableDefinition& definition);
  absl::Status change_table(Table& table, const TableDefinition& definition);
  absl::Status not_found(std::string_view table) const;
  absl::StatusOr<TablePtr> table(std::string_view name) const;
  absl::StatusOr<TableLayoutPtr> layout_of(std::string_view table_name) const;
  absl::StatusOr<StoredTable> info_of(const TableLayout& layout) const;
  absl::Status fenced(Epoch epoch) const;
  /// Where refused rows go, made if need be; null when there are none.
  absl::StatusOr<TablePtr> table_for(const Refusals& refusals);
  /// Lets the lock through to writing under `epoch`.
  absl::StatusOr<std::shared_lock<std::shared_mutex>> pass_fence(Epoch epoch);

  const std::string name_;
  const std::shared_ptr<Database> database_;

  std::shared_mutex fence_mutex_;  // shared by writes, so that none goes on behind a raised fence
  Epoch fence_;

  mutable std::shared_mutex tables_mutex_;  // guards the map, the next number and layouts
  std::map<std::string, TablePtr, std::less<>> tables_;
  uint64_t next_table_ = 1;
};

// ---- opening ----

absl::Status RocksStore::load() {
  auto fence = load_number(Kind::kFence, fence_.value);
  if (!fence.ok()) return fence;
  if (absl::Status next = load_number(Kind::kNextTable, next_table_); !next.ok()) return next;
  return load_tables();
}

absl::Status RocksStore::load_number(Kind kind, uint64_t& number) const {
  auto stored = database_->get(key_of(kind), "read its numbers");
  if (!stored.ok()) return stored.status();
  if (!stored->has_value()) return absl::OkStatus();
  std::optional<uint64_t> decoded = decode_number(**stored);
  if (!decoded) return database_->damaged("one of its numbers");
  number = *decoded;
  return absl::OkStatus();
}

absl::Status RocksStore::load_tables() {
  auto stored = database_->values_of(Kind::kTable, "read its tables");
  if (!stored.ok()) return stored.status();
  for (const std::string& bytes : *stored) {
    std::optional<TableRecord> record = decode_table(bytes);
    if (!record) return database_->damaged("the definition of a table");
    auto table = std::make_shared<Table>();
    table->layout = std::make_shared<TableLayout>(*std::move(record));
    auto counters = read_counters(*database_, *table->layout);
    if (!counters.ok()) return counters.status();
    tables_.emplace(table->layout->definition.name, std::move(table));
  }
  return absl::OkStatus();
}

// ---- tables ----

absl::Status RocksStore::open_table(const TableDefinition& definition) {
  if (absl::Status checked = check_definition(definition); !checked.ok()) return checked;
  std::unique_lock lock(tables_mutex_);
  auto known = tables_.find(definition.name);
  return known == tables_.end() ? make_table(definition) : change_table(*known->second, definition);
}

absl::Status RocksStore::make_table(const TableDefinition& definition) {
  if (next_table_ > std::numeric_limits<uint32_t>::max()) {
    return absl::ResourceExhaustedError("record store " + name_ +
                                        ": has had 2^32 tables; begin a new one");
  }
  const TableRecord record{static_cast<uint32_t>(next_table_), definition};
  Transaction transaction = database_->begin();
  transaction.put(key_of(Kind::kNextTable), encode_number(next_table_ + 1));
  transaction.put(table_key(definition.name), encode(record));
  transaction.put(key_of(Kind::kCounters, record.table), encode(Counters{}));
  absl::Status written =
      database_->commit(transaction, Database::Sync::kNow, "make table " + definition.name);
  if (!written.ok()) return written;
  ++next_table_;
  auto table = std::make_shared<Table>();
  table->layout = std::make_shared<TableLayout>(record);
  tables_.emplace(definition.name, std::move(table));
  return absl::OkStatus();
}

absl::Status RocksStore::change_table(Table& table, const TableDefinition& definition) {
  std::lock_guard lock(table.mutex);
  const TableDefinition& stored = table.layout->definition;
  if (absl::Status may = check_successor(stored, definition); !may.ok()) return may;
  const TableRecord record{table.layout->table, definition};
  if (encode(record) == encode(TableRecord{record.table, stored})) return absl::OkStatus();
  Transaction transaction = database_->begin();
  transaction.put(table_key(definition.name), encode(record));
  absl::Status written =
      database_->commit(transaction, Database::Sync::kNow, "change table " + definition.name);
  if (!written.ok()) return written;
  table.layout = std::make_shared<TableLayout>(record);
  return absl::OkStatus();
}

absl::Status RocksStore::drop_table(std::string_view name) {
  const std::string doing = "drop table " + std::string(name);
  std::unique_lock lock(tables_mutex_);
  auto known = tables_.find(name);
  if (known == tables_.end()) return not_found(name);
  const std::shared_ptr<Table> table = known->second;  // outlives its place in the map
  std::lock_guard table_lock(table->mutex);
  const uint32_t number = table->layout->table;
  Transaction transaction = database_->begin();
  transaction.erase(table_key(name));
  transaction.erase(key_of(Kind::kCounters, number));
  for (Kind kind : {Kind::kRow, Kind::kTimeIndex, Kind::kProgress}) {
    transaction.erase_range(key_of(kind, number), end_of(key_of(kind, number)));
  }
  absl::Status written = database_->commit(transaction, Database::Sync::kNow, doing);
  if (!written.ok()) return written;
  table->dropped = true;
  tables_.erase(known);

  auto db = database_->db();
  if (!db.ok()) return absl::OkStatus();
  // The table is gone; that its files go soon is only a wish, and any merge grants it later.
  for (Kind kind : {Kind::kRow, Kind::kTimeIndex}) {
    const std::string begin = key_of(kind, number);
    const std::string end = end_of(begin);
    const rocksdb::Slice begin_slice(begin);
    const rocksdb::Slice end_slice(end);
    rocksdb::experimental::SuggestCompactRange(db->get(), &begin_slice, &end_slice)
        .PermitUncheckedError();
  }
  return absl::OkStatus();
}

absl::Status RocksStore::not_found(std::string_view table) const {
  return absl::NotFoundError("record store " + name_ + ": there is no table " +
                             std::string(table.substr(0, TableDefinition::kNameBytesMax)) +
                             "; list the tables to see those that there are");
}

absl::StatusOr<RocksStore::TablePtr> RocksStore::table(std::string_view name) const {
  std::shared_lock lock(tables_mutex_);
  auto known = tables_.find(name);
  if (known == tables_.end()) return not_found(name);
  return known->second;
}

absl::StatusOr<std::vector<StoredTable>> RocksStore::tables() const {
  std::shared_lock lock(tables_mutex_);
  std::vector<StoredTable> infos;
  for (const auto& [name, table] : tables_) {
    auto info = info_of(*table->layout);
    if (!info.ok()) return info.status();
    infos.push_back(*std::move(info));
  }
  return infos;
}

absl::StatusOr<StoredTable> RocksStore::info_of(const TableLayout& layout) const {
  const std::string doing = "measure table " + layout.definition.name;
  auto counters = read_counters(*database_, layout);
  if (!counters.ok()) return counters.status();
  auto db = database_->db();
  if (!db.ok()) return db.status();
  StoredTable info{layout.definition, counters->rows, 0};
  for (Kind kind : {Kind::kRow, Kind::kTimeIndex}) {
    const std::string begin = key_of(kind, layout.table);
    const std::string end = end_of(begin);
    const rocksdb::Range range(begin, end);
    rocksdb::SizeApproximationOptions options;
    options.include_memtables = true;
    uint64_t bytes = 0;
    rocksdb::Status sized =
        (*db)->GetApproximateSizes(options, (*db)->DefaultColumnFamily(), &range, 1, &bytes);
    if (!sized.ok()) return database_->error(sized, doing);
    info.bytes += bytes;
  }
  return info;
}

// ---- writing ----

absl::Status RocksStore::raise_fence(Epoch epoch) {
  std::unique_lock lock(fence_mutex_);
  if (epoch < fence_) return fenced(epoch);
  if (epoch == fence_) return absl::OkStatus();
  Transaction transaction = database_->begin();
  transaction.put(key_of(Kind::kFence), encode_number(epoch.value));
  absl::Status written = database_->commit(transaction, Database::Sync::kNow, "raise the fence");
  if (!written.ok()) return written;
  fence_ = epoch;
  return absl::OkStatus();
}

absl::Status RocksStore::fenced(Epoch epoch) const {
  return absl::FailedPreconditionError(
      "record store " + name_ + ": a write of epoch " + std::to_string(epoch.value) +
      " is refused, since epoch " + std::to_string(fence_.value) +
      " has begun; this node no longer leads and has to follow the one that does");
}

absl::StatusOr<std::shared_lock<std::shared_mutex>> RocksStore::pass_fence(Epoch epoch) {
  while (true) {
    std::shared_lock lock(fence_mutex_);
    if (epoch < fence_) return fenced(epoch);
    if (epoch == fence_) return lock;
    lock.unlock();
    if (absl::Status raised = raise_fence(epoch); !raised.ok()) return raised;
  }
}

absl::StatusOr<Written> RocksStore::write(std::string_view table_name, std::span<const Rows> rows,
                                          Epoch epoch) {
  auto passed = pass_fence(epoch);
  if (!passed.ok()) return passed.status();
  auto found = table(table_name);
  if (!found.ok()) return found.status();
  auto layout = layout_of(table_name);
  if (!layout.ok()) return layout.status();
  if (absl::Status fit = check_rows(**layout, rows); !fit.ok()) return fit;
  const Refusals refusals = refusals_of(**layout, rows);
  auto for_refused = table_for(refusals);  // before the other's lock
  if (!for_refused.ok()) return for_refused.status();
  auto into = WrittenTable::begin(*database_, *found);
  if (absl::IsNotFound(into.status())) return not_found(table_name);
  if (!into.ok()) return into.status();
  if ((*into)->layout != *layout) {  // another definition since
    if (absl::Status fit = check_rows(*(*into)->layout, rows); !fit.ok()) return fit;
  }
  absl::StatusOr<std::unique_ptr<WrittenTable>> refused = nullptr;
  if (*for_refused) refused = WrittenTable::begin(*database_, *for_refused);
  if (absl::IsNotFound(refused.status())) refused = nullptr;  // dropped at this moment
  if (!refused.ok()) return refused.status();
  TableWriter writer(*database_, **into, refusals, refused->get());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (absl::Status added = writer.add(rows[i], i); !added.ok()) return added;
  }
  if (absl::Status written = writer.commit(); !written.ok()) return written;
  return writer.take_written();
}

absl::StatusOr<RocksStore::TablePtr> RocksStore::table_for(const Refusals& refusals) {
  if (refusals.empty()) return TablePtr();
  auto known = table(kRefusedRowsTable);
  if (!absl::IsNotFound(known.status())) return known;
  if (absl::Status made = open_table(refused_rows_definition()); !made.ok()) return made;
  return table(kRefusedRowsTable);
}

absl::StatusOr<std::optional<RowId>> RocksStore::progress(std::string_view table_name,
                                                          std::string_view source) const {
  auto found = layout_of(table_name);
  if (!found.ok()) return found.status();
  auto stored = database_->get(progress_key((*found)->table, source),
                               "read progress in table " + std::string(table_name));
  if (!stored.ok()) return stored.status();
  if (!stored->has_value()) return std::optional<RowId>();
  std::optional<RowId> id = decode_row_id(**stored);
  if (!id) return database_->damaged("the progress of " + std::string(source));
  return id;
}

absl::StatusOr<Expired> RocksStore::expire(Timestamp now) {
  std::vector<TablePtr> all;
  {
    std::shared_lock lock(tables_mutex_);
    for (const auto& [name, table] : tables_) all.push_back(table);
  }
  Expired sum;
  for (const TablePtr& table : all) {
    std::lock_guard lock(table->mutex);
    if (table->dropped) continue;
    auto expired = expire_rows(*database_, *table, table->layout->horizon_ms(now));
    if (!expired.ok()) return expired.status();
    sum.rows += expired->rows;
    sum.more = sum.more || expired->more;
  }
  return sum;
}

// ---- reading ----

absl::StatusOr<TableLayoutPtr> RocksStore::layout_of(std::string_view table_name) const {
  std::shared_lock lock(tables_mutex_);
  auto known = tables_.find(table_name);
  if (known == tables_.end()) return not_found(table_name);
  return known->second->layout;
}

absl::StatusOr<std::unique_ptr<RecordCursor>> RocksStore::scan(std::string_view table_name,
                                                               RecordTimeRange range,
                                                               Timestamp now) const {
  // Locked until the snapshot is taken: no row in it may be wider than the layout.
  std::shared_lock lock(tables_mutex_);
  auto known = tables_.find(table_name);
  if (known == tables_.end()) return not_found(table_name);
  const TableLayoutPtr layout = known->second->layout;
  range.from.ms = std::max(range.from.ms, layout->horizon_ms(now));
  return make_cursor(database_, layout, range);
}

absl::StatusOr<EventBatchPtr> RocksStore::find(std::string_view table_name,
                                               std::span<const Value> key, Timestamp now) const {
  std::shared_lock lock(tables_mutex_);  // until the row is read, as in scan()
  auto known = tables_.find(table_name);
  if (known == tables_.end()) return not_found(table_name);
  const TableLayout& layout = *known->second->layout;
  auto row_key = encode_primary_key(layout, key);
  if (!row_key.ok()) return row_key.status();
  auto stored = database_->get(*row_key, "read table " + std::string(table_name));
  if (!stored.ok()) return stored.status();
  if (!stored->has_value()) return EventBatchPtr();
  auto batch = std::make_shared<EventBatch>(layout.definition.schema);
  if (!decode_row(**stored, *batch)) {
    return database_->damaged("a row of " + std::string(table_name));
  }
  if (batch->timestamps()[0] < layout.horizon_ms(now)) return EventBatchPtr();
  return batch;
}

absl::StatusOr<EventBatchPtr> RocksStore::look_up(const TableDefinition& wanted,
                                                  const EventBatch& keys, Timestamp now) const {
  auto layout = layout_of(wanted.name);
  if (absl::IsNotFound(layout.status())) {
    return absl::FailedPreconditionError(layout.status().message());
  }
  if (!layout.ok()) return layout.status();
  auto places = lookup_columns((*layout)->definition, wanted);
  if (!places.ok()) return places.status();
  auto rows = std::make_shared<EventBatch>(wanted.schema);
  std::vector<Value> key(keys.schema().size());
  for (uint32_t row = 0; row < keys.rows(); ++row) {
    for (size_t c = 0; c < key.size(); ++c) key[c] = keys.value(row, c);
    auto found = find(wanted.name, key, now);
    if (!found.ok()) return found.status();
    if (*found != nullptr) append_batch(*rows, *pick_columns(**found, wanted.schema, *places));
  }
  return EventBatchPtr(std::move(rows));
}

}  // namespace
}  // namespace pollux::rocks

namespace pollux {

absl::StatusOr<std::unique_ptr<RecordStore>> open_rocks_store(const RocksStoreOptions& options) {
  auto database = rocks::Database::open(options);
  if (!database.ok()) return database.status();
  auto store = std::make_unique<rocks::RocksStore>(options, *std::move(database));
  if (absl::Status loaded = store->load(); !loaded.ok()) return loaded;
  return store;
}

}  // namespace pollux
