#include "persistence/files/space_releaser.h"

#include <unistd.h>

namespace pollux {

SpaceReleaser::~SpaceReleaser() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SpaceReleaser::take(int file) {
  std::lock_guard lock(mutex_);
  files_.push_back(file);
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void SpaceReleaser::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !files_.empty(); });
    if (files_.empty()) return;
    int file = files_.front();
    files_.pop_front();
    lock.unlock();
    ::close(file);
    lock.lock();
  }
}

}  // namespace pollux
