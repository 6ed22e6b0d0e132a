#include "ha/driver/arbiter_thread.h"

#include <utility>

namespace pollux {

ArbiterThread::ArbiterThread(std::unique_ptr<Arbiter> arbiter, Answered answered)
    : arbiter_(std::move(arbiter)), answered_(std::move(answered)) {
  thread_ = std::thread([this] { run(); });
}

ArbiterThread::~ArbiterThread() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_one();
  thread_.join();
}

void ArbiterThread::ask(std::optional<ArbiterRecord> next) {
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(std::move(next));
  }
  wanted_.notify_one();
}

void ArbiterThread::run() {
  while (true) {
    std::optional<ArbiterRecord> next;
    {
      std::unique_lock lock(mutex_);
      wanted_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
      if (stopping_) return;
      next = std::move(requests_.front());
      requests_.pop_front();
    }
    answered_(next ? arbiter_->compare_and_set(*next) : arbiter_->read());
  }
}

}  // namespace pollux
