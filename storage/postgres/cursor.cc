#include "storage/postgres/cursor.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/postgres/sql_values.h"

namespace pollux::postgres {
namespace {

size_t bytes_of(const PostgresSession::Row& row) {
  size_t bytes = 0;
  for (const auto& value : row) bytes += value ? value->size() : 0;
  return bytes;
}

class Cursor : public RecordCursor {
 public:
  Cursor(Conversation talk, int64_t timeout_ms, RelationPtr relation)
      : talk_(std::move(talk)), timeout_ms_(timeout_ms), relation_(std::move(relation)) {}
  ~Cursor() override {
    talk_.set_deadline(timeout_ms_);
    // Where that fails the session ends, and with it the transaction.
    talk_.tell("COMMIT").IgnoreError();
  }

  absl::StatusOr<EventBatchPtr> next() override {
    auto batch = std::make_shared<EventBatch>(relation_->definition.schema);
    size_t bytes = 0;
    while (batch->rows() < kBatchRowsMax && bytes < kBatchBytesMax) {
      if (rows_.empty()) {
        if (absl::Status fetched = fetch(); !fetched.ok()) return fetched;
        if (rows_.empty()) break;
      }
      bytes += bytes_of(rows_.front());
      absl::Status added = append_sql_row(rows_.front(), *batch);
      if (!added.ok()) return added;
      rows_.pop_front();
    }
    return batch->rows() == 0 ? EventBatchPtr() : batch;
  }

 private:
  /// So many rows as made a batch the last time: one may have 16 MiB.
  absl::Status fetch() {
    if (ended_) return absl::OkStatus();
    talk_.set_deadline(timeout_ms_);
    auto rows = talk_.ask(absl::StrCat("FETCH ", wanted_, " FROM pollux_scan"));
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

  Conversation talk_;
  const int64_t timeout_ms_;
  const RelationPtr relation_;
  std::deque<PostgresSession::Row> rows_;
  size_t wanted_ = 16;
  bool ended_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordCursor>> make_cursor(const std::shared_ptr<Pool>& pool,
                                                          int64_t timeout_ms, RelationPtr relation,
                                                          RecordTimeRange range) {
  auto talk = Conversation::begin(pool, timeout_ms);
  if (!talk.ok()) return talk.status();
  absl::Status begun = talk->tell("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  if (begun.ok()) begun = talk->tell("SET LOCAL idle_in_transaction_session_timeout = '5min'");
  if (!begun.ok()) return begun;
  std::string sql =
      absl::StrCat("DECLARE pollux_scan NO SCROLL CURSOR FOR SELECT ", relation->columns, " FROM ",
                   relation->name, " WHERE pollux_time >= ", range.from.ms);
  if (range.to.ms != std::numeric_limits<int64_t>::max()) {
    absl::StrAppend(&sql, " AND pollux_time < ", range.to.ms);
  }
  absl::StrAppend(&sql, " ORDER BY ", relation->order);
  if (begun = talk->tell(sql); !begun.ok()) return begun;
  return std::make_unique<Cursor>(*std::move(talk), timeout_ms, std::move(relation));
}

}  // namespace pollux::postgres
