// Writes a comment to all subscribers now and then, so that nothing between them and the node takes
// a quiet stream for a dead one, and a client that is gone shows.
//
// Thread: any; it beats on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "server/http/responder.h"

namespace pollux {

class StreamHeartbeat {
 public:
  explicit StreamHeartbeat(std::chrono::milliseconds interval);
  ~StreamHeartbeat();

  /// Until the stream is closed by anybody.
  void add(ResponseStream stream);

 private:
  void run();

  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable stop_wanted_;
  bool stopping_ = false;
  std::vector<ResponseStream> streams_;
  std::thread thread_;
};

}  // namespace pollux
