// A unit of an aggregation that a record store keeps as well.
//
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/operators/aggregation_buckets.h"
#include "engine/operators/stored_content.h"

namespace pollux {

class StoredBuckets final : public StoredContent {
 public:
  /// The buckets outlive this.
  explicit StoredBuckets(AggregationBuckets& buckets) : buckets_(buckets) {}

  bool has_changes() const override { return buckets_.has_changes(); }
  bool must_go() const override { return buckets_.has_leaving(); }
  void take_changes(const SchemaPtr&, int64_t, const Take& take) override {
    buckets_.take_changes(take);
  }
  std::string fill(const std::vector<EventBatchPtr>& rows, int64_t from_ms) override;
  std::string take_over(const StoredContent& from) override {
    return buckets_.take_over(dynamic_cast<const StoredBuckets&>(from).buckets_);
  }

 private:
  AggregationBuckets& buckets_;
};

}  // namespace pollux
