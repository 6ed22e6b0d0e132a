#include "engine/runtime/result_collector.h"

#include <algorithm>
#include <numeric>

namespace pollux {

void ResultCollector::take_result(uint32_t stream, const EventBatchPtr& batch,
                                  const uint32_t* causes) {
  parts_.push_back({stream, batch, causes_.size()});
  causes_.insert(causes_.end(), causes, causes + batch->rows());
}

bool ResultCollector::in_order() const {
  return std::is_sorted(causes_.begin(), causes_.end());
}

void ResultCollector::number_rows() {
  ordinals_.resize(causes_.size());
  if (in_order()) {
    std::iota(ordinals_.begin(), ordinals_.end(), 0U);
    return;
  }
  std::vector<uint32_t> order(causes_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [this](uint32_t a, uint32_t b) { return causes_[a] < causes_[b]; });
  for (uint32_t rank = 0; rank < order.size(); ++rank) ordinals_[order[rank]] = rank;
}

void ResultCollector::deliver(const std::string& plan, const std::vector<std::string>& streams,
                              EntryId cause, ResultSink& sink) {
  if (parts_.empty()) return;
  number_rows();
  std::vector<bool> merged(streams.size(), false);
  for (size_t p = 0; p < parts_.size(); ++p) {
    const Part& part = parts_[p];
    if (merged[part.stream]) continue;
    // Parts of one stream whose rows interleave are put together.
    uint32_t greatest = ordinals_[part.first + part.batch->rows() - 1];
    bool interleaved = false;
    for (size_t q = p + 1; q < parts_.size() && !interleaved; ++q) {
      interleaved = parts_[q].stream == part.stream && ordinals_[parts_[q].first] < greatest;
    }
    if (interleaved) {
      merged[part.stream] = true;
      parts_.erase(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(p));
      p = 0;
      deliver_merged(parts_[0].stream, plan, streams, cause, sink);
    } else {
      deliver_part(part, plan, streams, cause, sink);
    }
  }
  parts_.clear();
  causes_.clear();
}

void ResultCollector::deliver_part(const Part& part, const std::string& plan,
                                   const std::vector<std::string>& streams, EntryId cause,
                                   ResultSink& sink) {
  sink.on_result({plan, streams[part.stream], cause, part.batch,
                  {ordinals_.data() + part.first, part.batch->rows()}});
}

void ResultCollector::deliver_merged(uint32_t stream, const std::string& plan,
                                     const std::vector<std::string>& streams, EntryId cause,
                                     ResultSink& sink) {
  struct Row {
    uint32_t ordinal;
    const EventBatch* batch;
    uint32_t row;
  };
  std::vector<Row> rows;
  SchemaPtr schema;
  for (const Part& part : parts_) {
    if (part.stream != stream) continue;
    schema = part.batch->schema_ptr();
    for (uint32_t r = 0; r < part.batch->rows(); ++r) {
      rows.push_back({ordinals_[part.first + r], part.batch.get(), r});
    }
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.ordinal < b.ordinal; });
  auto merged = std::make_shared<EventBatch>(schema);
  std::vector<uint32_t> ordinals;
  for (const Row& row : rows) {
    for (size_t c = 0; c < schema->size(); ++c) {
      merged->append_value(c, row.batch->value(row.row, c));
    }
    merged->end_row(row.batch->timestamps()[row.row]);
    ordinals.push_back(row.ordinal);
  }
  sink.on_result({plan, streams[stream], cause, merged, ordinals});
}

}  // namespace pollux
