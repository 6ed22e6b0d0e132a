#include "server/stores/late_store.h"

namespace pollux {

absl::StatusOr<RecordStore*> LateStore::store() const {
  std::lock_guard lock(mutex_);
  if (store_ != nullptr) return store_.get();
  if (!failure_.ok() && Clock::now() - failed_ < kFailureAge) return failure_;
  auto opened = open_();
  if (opened.ok()) {
    store_ = *std::move(opened);
    return store_.get();
  }
  failure_ = opened.status();
  failed_ = Clock::now();
  return failure_;
}

absl::Status LateStore::open_table(const TableDefinition& definition) {
  auto opened = store();
  return opened.ok() ? (*opened)->open_table(definition) : opened.status();
}

absl::Status LateStore::drop_table(std::string_view name) {
  auto opened = store();
  return opened.ok() ? (*opened)->drop_table(name) : opened.status();
}

absl::StatusOr<std::vector<StoredTable>> LateStore::tables() const {
  auto opened = store();
  if (!opened.ok()) return opened.status();
  return (*opened)->tables();
}

absl::Status LateStore::raise_fence(Epoch epoch) {
  auto opened = store();
  return opened.ok() ? (*opened)->raise_fence(epoch) : opened.status();
}

absl::StatusOr<Written> LateStore::write(std::string_view table, std::span<const Rows> rows,
                                         Epoch epoch) {
  auto opened = store();
  if (!opened.ok()) return opened.status();
  return (*opened)->write(table, rows, epoch);
}

absl::StatusOr<std::optional<RowId>> LateStore::progress(std::string_view table,
                                                         std::string_view source) const {
  auto opened = store();
  if (!opened.ok()) return opened.status();
  return (*opened)->progress(table, source);
}

/// What was never opened has nothing to lose.
absl::Status LateStore::sync() {
  std::lock_guard lock(mutex_);
  return store_ == nullptr ? absl::OkStatus() : store_->sync();
}

absl::Status LateStore::copy_to(const std::string& directory) {
  auto opened = store();
  return opened.ok() ? (*opened)->copy_to(directory) : opened.status();
}

absl::StatusOr<std::unique_ptr<RecordCursor>> LateStore::scan(std::string_view table,
                                                              RecordTimeRange range,
                                                              Timestamp now) const {
  auto opened = store();
  if (!opened.ok()) return opened.status();
  return (*opened)->scan(table, range, now);
}

absl::StatusOr<EventBatchPtr> LateStore::find(std::string_view table, std::span<const Value> key,
                                              Timestamp now) const {
  auto opened = store();
  if (!opened.ok()) return opened.status();
  return (*opened)->find(table, key, now);
}

absl::StatusOr<EventBatchPtr> LateStore::look_up(const TableDefinition& wanted,
                                                 const EventBatch& keys, Timestamp now) const {
  auto opened = store();
  if (!opened.ok()) return opened.status();
  return (*opened)->look_up(wanted, keys, now);
}

absl::StatusOr<Expired> LateStore::expire(Timestamp now) {
  auto opened = store();
  if (!opened.ok()) return opened.status();
  return (*opened)->expire(now);
}

}  // namespace pollux
