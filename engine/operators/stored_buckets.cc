#include "engine/operators/stored_buckets.h"

#include <algorithm>
#include <utility>

namespace pollux {
namespace {

/// The columns of a batch one by one, all its rows, as expressions give them.
class BatchColumns {
 public:
  explicit BatchColumns(const EventBatch& batch) : source_{&batch, nullptr, 0, false} {
    Frame frame{batch.rows(), &source_, 0};
    for (uint32_t c = 0; c < batch.schema().size(); ++c) {
      columns_.push_back(
          std::make_unique<ColumnExpression>(batch.schema()[c].type, uint32_t{0}, c));
      values_.push_back(columns_.back()->evaluate(frame));
    }
  }
  const Vec& operator[](size_t column) const { return values_[column]; }

 private:
  FrameSource source_;
  std::vector<std::unique_ptr<ColumnExpression>> columns_;  // they hold what the values refer to
  std::vector<Vec> values_;
};

}  // namespace

std::string StoredBuckets::fill(const std::vector<EventBatchPtr>& rows, int64_t from_ms) {
  buckets_.set_whole_from(from_ms);
  for (const EventBatchPtr& batch : rows) {
    std::string wrong = buckets_.fill(*batch);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

std::shared_ptr<EventBatch> AggregationBuckets::stored_rows(const Found* found, uint32_t count,
                                                            const SchemaPtr& schema) const {
  auto rows = std::make_shared<EventBatch>(schema);
  gather(found, count, plan_.stored.columns, *rows);
  own_strings(*rows);
  return rows;
}

void AggregationBuckets::note_change(int64_t from_ms, uint32_t row) {
  if (is_changed_.size() <= row) is_changed_.resize(slots_.size(), false);
  if (is_changed_[row]) return;
  is_changed_[row] = true;
  changed_.push_back({from_ms, row});
}

void AggregationBuckets::take_changes(const std::function<void(EventBatchPtr)>& take) {
  for (EventBatchPtr& rows : std::exchange(leaving_, {})) take(std::move(rows));
  for (size_t begin = 0; begin < changed_.size(); begin += kStoredBatchRows) {
    auto count = static_cast<uint32_t>(std::min<size_t>(kStoredBatchRows, changed_.size() - begin));
    auto rows = stored_rows(changed_.data() + begin, count, plan_.stored.changes);
    Column& erased = rows->column(plan_.stored.changes->size() - 1);
    for (uint32_t i = 0; i < count; ++i) erased.append(uint8_t{0});
    take(std::move(rows));
  }
  for (const Found& found : changed_) is_changed_[found.row] = false;
  changed_.clear();
}

void AggregationBuckets::let_leave(int64_t from_ms) {
  std::vector<Found> stay;
  std::vector<Found> leave;
  for (const Found& found : changed_) (found.from_ms < from_ms ? leave : stay).push_back(found);
  if (leave.empty()) return;
  changed_ = std::move(leave);
  take_changes([this](EventBatchPtr rows) { leaving_.push_back(std::move(rows)); });
  changed_ = std::move(stay);
}

uint32_t AggregationBuckets::add_row(int64_t from_ms, const StringRef& key) {
  Bucket& bucket = bucket_at(from_ms);
  uint32_t row = groups_.find_or_insert(key, bucket.number);
  if (groups_.capacity() > slots_.size()) slots_.resize(groups_.capacity(), RowStore::kNoSlot);
  if (slots_[row] != RowStore::kNoSlot) return GroupTable::kNone;
  slots_[row] = kept_.insert_blank();
  bucket.rows.push_back(row);
  return row;
}

std::string AggregationBuckets::fill(const EventBatch& rows) {
  using Source = AggregationPlan::Output::Source;
  const AggregationPlan::Stored& stored = plan_.stored;
  const BatchColumns columns(rows);
  std::vector<Vec> key_values;
  for (size_t key : stored.keys) key_values.push_back(columns[1 + key]);
  KeyEncoder encoder;
  const StringRef* keys = key_values.empty() ? nullptr : encoder.encode(key_values, rows.rows());
  for (uint32_t i = 0; i < rows.rows(); ++i) {
    if (columns[0].is_null(i)) return "a row has no AGG_TIMESTAMP";
    int64_t from_ms = columns[0].at<int64_t>(i);
    bool calendar = from_ms >= -kCalendarMsMax && from_ms <= kCalendarMsMax;
    if (!calendar || span_of(unit_, from_ms).from_ms != from_ms) {
      return "AGG_TIMESTAMP " + std::to_string(from_ms) + " is no beginning of " +
             std::string(name_of(unit_));
    }
    uint32_t row = add_row(from_ms, keys == nullptr ? StringRef() : keys[i]);
    if (row == GroupTable::kNone) return "two rows are of the same time and group";
    kept_.set_timestamp(slots_[row], from_ms);
    for (size_t c = 0; c < stored.columns.size(); ++c) {
      const AggregationPlan::Output& output = stored.columns[c];
      const Vec& values = columns[1 + c];
      if (output.source == Source::kKept) {
        kept_.set(slots_[row], output.index, values, i);
      } else if (output.source == Source::kMeasure) {
        measures_[output.index]->begin_with(row, rows.column(1 + c), i);
      } else if (output.source == Source::kLatest && !values.is_null(i)) {
        kept_.set_timestamp(slots_[row], values.at<int64_t>(i));
      }
    }
  }
  return {};
}

std::string AggregationBuckets::take_over(const AggregationBuckets& from) {
  set_whole_from(from.whole_from_ms_);
  std::vector<Found> all;
  from.find(TimeRange{}, all);
  for (size_t begin = 0; begin < all.size(); begin += kStoredBatchRows) {
    auto count = static_cast<uint32_t>(std::min<size_t>(kStoredBatchRows, all.size() - begin));
    std::string wrong = fill(*from.stored_rows(all.data() + begin, count, plan_.stored.schema));
    if (!wrong.empty()) return wrong;
  }
  // Rows were filled in the order in which they are found, here as there.
  std::vector<Found> mine;
  find(TimeRange{}, mine);
  std::map<uint32_t, uint32_t> row_of;
  for (size_t i = 0; i < all.size(); ++i) row_of[all[i].row] = mine[i].row;
  for (const Found& found : from.changed_) note_change(found.from_ms, row_of.at(found.row));
  return {};
}

bool AggregationBuckets::is_row(const Found& found) const {
  auto bucket = buckets_.find(found.from_ms);
  return bucket != buckets_.end() && found.row < groups_.capacity() &&
         slots_[found.row] != RowStore::kNoSlot &&
         groups_.instance(found.row) == bucket->second.number;
}

void AggregationBuckets::archive_changes(StateArchive& archive) {
  archive(whole_from_ms_);
  archive.list(changed_, [&](Found& found) { archive(found.from_ms, found.row); });
  if (!archive.loads()) return;
  is_changed_.assign(slots_.size(), false);
  for (const Found& found : changed_) {
    if (!is_row(found) || is_changed_[found.row]) {
      changed_.clear();
      return archive.fail();
    }
    is_changed_[found.row] = true;
  }
}

}  // namespace pollux
