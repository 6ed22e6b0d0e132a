#include "storage/sql/cursor.h"

#include <algorithm>

namespace pollux::sql {
namespace {

size_t bytes_of(const SqlRow& row) {
  size_t bytes = 0;
  for (const auto& value : row) bytes += value ? value->size() : 0;
  return bytes;
}

}  // namespace

absl::StatusOr<EventBatchPtr> Cursor::next() {
  auto batch = std::make_shared<EventBatch>(relation_->definition.schema);
  size_t bytes = 0;
  while (batch->rows() < kBatchRowsMax && bytes < kBatchBytesMax) {
    if (rows_.empty()) {
      if (absl::Status fetched = fetch_more(); !fetched.ok()) return fetched;
      if (rows_.empty()) break;
    }
    bytes += bytes_of(rows_.front());
    absl::Status added = append_sql_row(rows_.front(), *batch);
    if (!added.ok()) return added;
    rows_.pop_front();
  }
  return batch->rows() == 0 ? EventBatchPtr() : batch;
}

/// So many rows as made a batch the last time: one may have 16 MiB.
absl::Status Cursor::fetch_more() {
  if (ended_) return absl::OkStatus();
  auto rows = fetch(wanted_);
  if (!rows.ok()) {
    ended_ = true;
    return rows.status();
  }
  ended_ = rows->size() < wanted_;
  size_t bytes = 1;
  for (auto& row : *rows) {
    bytes += bytes_of(row);
    rows_.push_back(std::move(row));
  }
  if (!ended_) {
    const size_t fit = wanted_ * kBatchBytesMax / bytes;
    wanted_ = std::clamp<size_t>(fit, 1, std::min<size_t>(wanted_ * 8, kBatchRowsMax));
  }
  return absl::OkStatus();
}

}  // namespace pollux::sql
