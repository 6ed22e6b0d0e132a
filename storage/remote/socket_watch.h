// Ends a connection at a deadline, for calls of a library that block on it meanwhile.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "storage/remote/deadline.h"

namespace pollux {

/// Until it is destroyed. Has a descriptor of its own, so that it never ends another connection
/// that was given the same number.
class SocketWatch {
 public:
  SocketWatch(int socket, const Deadline& deadline);
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;
  ~SocketWatch();

 private:
  void run();

  const int socket_;
  const Deadline deadline_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace pollux
