#include "storage/remote/socket_watch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

namespace pollux {

SocketWatch::SocketWatch(int socket, const Deadline& deadline)
    : socket_(::fcntl(socket, F_DUPFD_CLOEXEC, 0)),
      deadline_(deadline),
      thread_([this] { run(); }) {}

SocketWatch::~SocketWatch() {
  {
    std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  thread_.join();
  ::close(socket_);
}

void SocketWatch::run() {
  std::unique_lock lock(mutex_);
  auto left = std::chrono::milliseconds(deadline_.remaining_ms());
  if (changed_.wait_for(lock, left, [this] { return is_over_; })) return;
  ::shutdown(socket_, SHUT_RDWR);
}

}  // namespace pollux
