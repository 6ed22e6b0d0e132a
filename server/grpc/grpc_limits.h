// What the gRPC server bounds, and what it counts.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pollux {

struct GrpcLimits {
  /// Largest message that is taken. What it becomes in memory while it is decoded may be forty
  /// times as much, once for each thread.
  size_t message_bytes_max = size_t{4} << 20;
  uint32_t rows_max = 65'536;          ///< of one request
  uint32_t streams_max = 1'024;        ///< Publish and Subscribe together; more are refused
  size_t requests_in_flight_max = 64;  ///< of one stream, unanswered; then nothing more is read
  size_t stream_bytes_in_flight_max = size_t{8} << 20;
  /// Of all streams. Beyond it a stream has one request on the way at a time.
  size_t total_bytes_in_flight_max = size_t{256} << 20;
  size_t quota_bytes_max = size_t{256} << 20;  ///< what gRPC itself may take for buffers
  uint32_t results_rows_max = 4'096;           ///< of one message of results
  size_t results_bytes_max = size_t{1} << 20;  ///< the same, about; one row may have more
};

/// Thread: any. All but those named `open` and `in flight` only grow.
struct GrpcCounters {
  std::atomic<uint64_t> streams_open = 0;
  std::atomic<uint64_t> bytes_in_flight = 0;
  std::atomic<uint64_t> streams_refused = 0;  ///< beyond streams_max
  std::atomic<uint64_t> requests = 0;         ///< Publish: messages read
  std::atomic<uint64_t> request_bytes = 0;
  std::atomic<uint64_t> events_accepted = 0;  ///< without duplicates
  std::atomic<uint64_t> requests_duplicate = 0;
  std::atomic<uint64_t> requests_rejected = 0;    ///< for whatever reason
  std::atomic<uint64_t> protocol_violations = 0;  ///< a stream was ended for it
  std::atomic<uint64_t> results_sent = 0;         ///< rows
  std::atomic<uint64_t> subscribers_too_slow = 0;
};

}  // namespace pollux
