#include "server/api/stream_heartbeat.h"

#include <utility>

namespace pollux {

StreamHeartbeat::StreamHeartbeat(std::chrono::milliseconds interval)
    : interval_(interval), thread_([this] { run(); }) {}

StreamHeartbeat::~StreamHeartbeat() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_wanted_.notify_one();
  thread_.join();
}

void StreamHeartbeat::add(ResponseStream stream) {
  std::lock_guard lock(mutex_);
  streams_.push_back(std::move(stream));
}

void StreamHeartbeat::run() {
  std::unique_lock lock(mutex_);
  while (!stop_wanted_.wait_for(lock, interval_, [this] { return stopping_; })) {
    // A stream that is full has no need of it.
    std::erase_if(streams_, [](const ResponseStream& stream) {
      return stream.write(": alive\n\n") == ResponseStream::Write::kClosed;
    });
  }
}

}  // namespace pollux
