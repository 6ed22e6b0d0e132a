// A connection that sends requests for as long as it is told to, so many at a time.
//
// run() is called on a thread of its own and returns once all that was sent is acknowledged.
// Failure: what a server refuses, or a connection that breaks, throws std::runtime_error.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "tests/bench/ingest/ack_meter.h"
#include "tests/bench/ingest/requests.h"

namespace pollux::bench {

struct FeedOptions {
  Form form = Form::kColumns;
  bool raw = false;  ///< to the plain TCP server: the same bytes, framed
  uint16_t port = 0;
  uint32_t window = 1;  ///< requests on the way
  /// Columns only: requests are due so far apart, whatever becomes of those before; 0: each is due
  /// when there is room for it.
  int64_t apart_ns = 0;
};

class Feed {
 public:
  virtual ~Feed() = default;

  virtual void run(const std::atomic<bool>& stop) = 0;
  /// Of one request on the wire, about: without what gRPC and TCP put around it.
  virtual size_t request_bytes() const = 0;

  AckMeter& meter() { return meter_; }

 private:
  AckMeter meter_;
};

/// `requests` outlives the feed.
std::unique_ptr<Feed> make_grpc_feed(const FeedOptions& options, const Requests& requests);
std::unique_ptr<Feed> make_socket_feed(const FeedOptions& options, const Requests& requests);

}  // namespace pollux::bench
