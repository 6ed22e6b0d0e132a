// The requests of a measurement, made beforehand: batches of the bench's events, and their bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/batch/event_batch.h"
#include "tests/bench/workload_data.h"

namespace pollux::bench {

enum class Form : uint8_t { kColumns, kRows, kJson };

/// Some batches of equal size that a connection sends over and over.
class Requests {
 public:
  /// `rows` events each.
  explicit Requests(uint32_t rows);

  uint32_t rows() const { return rows_; }
  size_t size() const { return first_.size(); }
  EventBatchPtr batch(size_t request) const;
  /// Failed logins in the request that a connection sends as its `number`th, counted one by one.
  uint64_t failures(uint64_t number) const { return failures_[number % size()]; }

  /// The events of a request as a JSON array, or as one object when it is a single one.
  std::string json(size_t request) const;
  /// The message that gRPC sends: PublishRequest with columns or with rows.
  std::string message(size_t request, Form form) const;

  static constexpr char kStream[] = "LoginStream";

 private:
  uint32_t rows_;
  std::vector<LoginEvent> events_;
  std::vector<size_t> first_;       // event of each request
  std::vector<uint64_t> failures_;  // of each request
};

}  // namespace pollux::bench
