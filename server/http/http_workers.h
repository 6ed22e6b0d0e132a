// A few threads for handlers that may block.
//
// Thread: any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "server/http/responder.h"
#include "server/http/router.h"

namespace pollux {

/// Calls the route's handler, inflating the body first when it is encoded, and turns what it throws
/// into a 500.
void run_http_handler(const HttpRoute& route, HttpRequest request, Responder responder);

class HttpWorkers {
 public:
  struct Job {
    const HttpRoute* route;
    HttpRequest request;
    Responder responder;
  };

  HttpWorkers(size_t threads, size_t queue_max);
  ~HttpWorkers();

  /// False, and `job` untouched: the queue is full, or the workers have stopped.
  bool submit(Job& job);
  /// Forgets what waits, waits for what runs.
  void stop();

 private:
  void run();

  const size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;  // guarded by mutex_
  bool stopped_ = false;   // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace pollux
