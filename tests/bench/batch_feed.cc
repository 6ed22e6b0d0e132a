#include "tests/bench/batch_feed.h"

#include <algorithm>
#include <numeric>

namespace pollux::bench {
namespace {

constexpr size_t kTsColumn = 4;

}  // namespace

BatchFeed::BatchFeed(const EventBatch& events, Options options)
    : events_(events), options_(options) {}

const std::vector<Entry>& BatchFeed::prepare(Position& next, uint64_t rows) {
  entries_.clear();
  for (size_t slot = 0; rows != 0; ++slot) {
    auto size = static_cast<uint32_t>(std::min<uint64_t>(options_.batch_rows, rows));
    rows -= size;
    if (slot == pool_.size()) pool_.emplace_back();
    std::shared_ptr<EventBatch>& batch = pool_[slot];
    if (batch != nullptr && batch.use_count() == 1) {
      batch->clear();
    } else {
      batch = std::make_shared<EventBatch>(events_.schema_ptr());
    }
    fill(*batch, size);
    Entry entry;
    entry.id = {Epoch{1}, next};
    entry.timestamp = Timestamp{batch->timestamps().back()};
    entry.payload = EventsPayload{batch};
    entries_.push_back(std::move(entry));
    ++next.value;
  }
  return entries_;
}

void BatchFeed::fill(EventBatch& batch, uint32_t rows) {
  for (size_t c = 0; c < events_.schema().size(); ++c) {
    if (c != kTsColumn) copy_column(batch, c, rows);
  }
  int64_t first = events_.timestamps().front() + static_cast<int64_t>(row_);
  int64_t* ts = batch.column(kTsColumn).extend<int64_t>(rows);
  std::iota(ts, ts + rows, first);
  batch.mutable_timestamps().assign(ts, ts + rows);
  row_ += rows;
}

// The rows of the feed from row_ on, which may run over the end of the data.
void BatchFeed::copy_column(EventBatch& to, size_t column, uint32_t rows) const {
  const Column& from = events_.column(column);
  for (uint32_t done = 0; done < rows;) {
    auto at = static_cast<uint32_t>((row_ + done) % events_.rows());
    uint32_t count = std::min(rows - done, events_.rows() - at);
    if (from.type() == AttributeType::kString) {
      StringRef* texts = to.column(column).extend<StringRef>(count);
      for (uint32_t i = 0; i < count; ++i) {
        const StringRef& text = from.data<StringRef>()[at + i];
        texts[i] = text.is_inline() ? text : to.arena().store(text.view());
      }
    } else if (from.type() == AttributeType::kBool) {
      const uint8_t* values = from.data<uint8_t>() + at;
      std::copy_n(values, count, to.column(column).extend<uint8_t>(count));
    } else {
      const double* values = from.data<double>() + at;
      std::copy_n(values, count, to.column(column).extend<double>(count));
    }
    done += count;
  }
}

EventBatchPtr events_batch(const std::vector<LoginEvent>& events) {
  auto schema = std::make_shared<Schema>("LoginStream", std::vector<Attribute>{
                                                            {"username", AttributeType::kString},
                                                            {"ip", AttributeType::kString},
                                                            {"success", AttributeType::kBool},
                                                            {"region", AttributeType::kString},
                                                            {"ts", AttributeType::kLong},
                                                            {"risk", AttributeType::kDouble},
                                                        });
  auto batch = std::make_shared<EventBatch>(schema);
  for (const LoginEvent& event : events) {
    batch->append_string(0, event.username);
    batch->append_string(1, event.ip);
    batch->column(2).append(static_cast<uint8_t>(event.success));
    batch->append_string(3, event.region);
    batch->column(kTsColumn).append(event.ts);
    batch->column(5).append(event.risk);
    batch->end_row(event.ts);
  }
  return batch;
}

EventBatchPtr users_batch(const std::vector<User>& users) {
  auto schema = std::make_shared<Schema>("UserStream", std::vector<Attribute>{
                                                           {"username", AttributeType::kString},
                                                           {"dept", AttributeType::kString},
                                                           {"level", AttributeType::kInt},
                                                       });
  auto batch = std::make_shared<EventBatch>(schema);
  for (const User& user : users) {
    batch->append_string(0, user.username);
    batch->append_string(1, user.dept);
    batch->column(2).append(user.level);
    batch->end_row(kFirstTimestampMs);
  }
  return batch;
}

}  // namespace pollux::bench
