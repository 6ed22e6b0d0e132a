// What the HTTP server has done and refused; read by whoever shows metrics.
//
// Thread: any; each number is right for itself.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace pollux {

struct HttpCounters {
  using Counter = std::atomic<uint64_t>;

  std::array<Counter, 6> answers = {};  ///< [4]: answers with status 400 to 499; [0] is not used
  Counter bytes_in = 0;
  Counter bytes_out = 0;
  Counter connections_accepted = 0;  ///< refused ones not counted
  Counter connections_refused = 0;   ///< more than connections_max
  Counter accept_errors = 0;         ///< no file descriptor left, for example
  Counter requests_aborted = 0;      ///< the client went before its request was complete
  Counter requests_unanswered = 0;   ///< the handler let go of its Responder
  Counter worker_queue_full = 0;
  Counter body_memory_full = 0;  ///< bodies_bytes_max
  Counter header_timeouts = 0;
  Counter body_timeouts = 0;
  Counter idle_timeouts = 0;
  Counter write_timeouts = 0;
  // These go up and down.
  Counter connections_open = 0;
  Counter streams_open = 0;
  Counter body_bytes_held = 0;  ///< of requests that are not answered yet

  void add(Counter& counter, uint64_t by = 1) const {
    counter.fetch_add(by, std::memory_order_relaxed);
  }
};

}  // namespace pollux
