// Batches of one schema, used again once nobody else holds them.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/batch/event_batch.h"

namespace pollux {

class BatchPool {
 public:
  static constexpr size_t kPooledMax = 8;

  explicit BatchPool(SchemaPtr schema) : schema_(std::move(schema)) {}

  /// An empty batch; it returns to the pool by itself when its last holder lets go.
  std::shared_ptr<EventBatch> take() {
    for (auto& batch : batches_) {
      if (batch.use_count() == 1) {
        batch->clear();
        return batch;
      }
    }
    auto batch = std::make_shared<EventBatch>(schema_);
    if (batches_.size() < kPooledMax) batches_.push_back(batch);
    return batch;
  }

 private:
  SchemaPtr schema_;
  std::vector<std::shared_ptr<EventBatch>> batches_;
};

}  // namespace pollux
