#include "engine/runtime/result_collector.h"

#include <algorithm>
#include <numeric>

namespace pollux {

/// The part that small batches of a stream are added to; null when there is none yet.
ResultCollector::Part* ResultCollector::gathering_part(uint32_t stream) {
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    if (part->stream == stream) return part->gathered ? &*part : nullptr;
  }
  return nullptr;
}

void ResultCollector::take_result(uint32_t stream, const EventBatchPtr& batch,
                                  const uint32_t* causes) {
  auto place = static_cast<uint32_t>(causes_.size());
  causes_.insert(causes_.end(), causes, causes + batch->rows());
  bool small = batch->rows() <= kGatheredRowsMax;
  Part* open = small ? gathering_part(stream) : nullptr;
  if (open == nullptr) {
    Part part;
    part.stream = stream;
    part.batch = batch;
    part.first = place;
    // The first batch of a stream is often the only one of its entry: it is kept as it is, and
    // copied only when a second one comes.
    bool second = small && std::any_of(parts_.begin(), parts_.end(),
                                       [&](const Part& other) { return other.stream == stream; });
    if (second) {
      part.gathered = std::make_shared<EventBatch>(batch->schema_ptr());
      part.batch = part.gathered;
      open = &parts_.emplace_back(std::move(part));
    } else {
      parts_.push_back(std::move(part));
      return;
    }
  }
  append_batch(*open->gathered, *batch);
  for (uint32_t r = 0; r < batch->rows(); ++r) open->places.push_back(place + r);
}

void ResultCollector::number_rows() {
  ordinals_.resize(causes_.size());
  in_order_ = std::is_sorted(causes_.begin(), causes_.end());
  if (in_order_) {
    std::iota(ordinals_.begin(), ordinals_.end(), 0U);
    return;
  }
  std::vector<uint32_t> order(causes_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [this](uint32_t a, uint32_t b) { return causes_[a] < causes_[b]; });
  for (uint32_t rank = 0; rank < order.size(); ++rank) ordinals_[order[rank]] = rank;
}

std::span<const uint32_t> ResultCollector::ordinals_of(const Part& part) {
  if (part.places.empty()) return {ordinals_.data() + part.first, part.batch->rows()};
  part_ordinals_.clear();
  for (uint32_t place : part.places) part_ordinals_.push_back(ordinals_[place]);
  return part_ordinals_;
}

/// Whether a later part of the stream has rows that come before the last of this one.
bool ResultCollector::interleaved(const Part& part, size_t after) {
  std::span<const uint32_t> own = ordinals_of(part);
  bool ascending = std::is_sorted(own.begin(), own.end());
  uint32_t greatest = *std::max_element(own.begin(), own.end());
  if (!ascending) return true;
  for (size_t q = after; q < parts_.size(); ++q) {
    if (parts_[q].stream != part.stream) continue;
    std::span<const uint32_t> later = ordinals_of(parts_[q]);
    if (*std::min_element(later.begin(), later.end()) < greatest) return true;
  }
  return false;
}

/// The parts of the stream from number `from` on as one batch, in order.
EventBatchPtr ResultCollector::merge(uint32_t stream, size_t from,
                                     std::vector<uint32_t>& ordinals) {
  struct Row {
    uint32_t ordinal;
    const EventBatch* batch;
    uint32_t row;
  };
  std::vector<Row> rows;
  SchemaPtr schema;
  for (size_t p = from; p < parts_.size(); ++p) {
    const Part& part = parts_[p];
    if (part.stream != stream) continue;
    schema = part.batch->schema_ptr();
    std::span<const uint32_t> numbers = ordinals_of(part);
    for (uint32_t r = 0; r < part.batch->rows(); ++r) {
      rows.push_back({numbers[r], part.batch.get(), r});
    }
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.ordinal < b.ordinal; });
  auto merged = std::make_shared<EventBatch>(schema);
  for (const Row& row : rows) {
    append_row(*merged, *row.batch, row.row);
    ordinals.push_back(row.ordinal);
  }
  return merged;
}

void ResultCollector::deliver(const std::string& plan, const std::vector<std::string>& streams,
                              EntryId cause, ResultSink& sink) {
  if (parts_.empty()) return;
  number_rows();
  std::vector<bool> merged(streams.size(), false);
  for (size_t p = 0; p < parts_.size(); ++p) {
    const Part& part = parts_[p];
    if (merged[part.stream]) continue;
    if (!in_order_ && interleaved(part, p + 1)) {
      merged[part.stream] = true;
      std::vector<uint32_t> ordinals;
      EventBatchPtr batch = merge(part.stream, p, ordinals);
      sink.on_result({plan, streams[part.stream], cause, batch, ordinals});
    } else {
      sink.on_result({plan, streams[part.stream], cause, part.batch, ordinals_of(part)});
    }
  }
  parts_.clear();
  causes_.clear();
}

}  // namespace pollux
