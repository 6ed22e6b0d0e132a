#include "server/api/subscriptions.h"

namespace pollux {

Subscriptions::~Subscriptions() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_wanted_.notify_one();
  beater_.join();
}

void Subscriptions::add(const std::shared_ptr<Subscription>& subscription) {
  std::lock_guard lock(mutex_);
  alive_.push_back(subscription);
}

void Subscriptions::run() {
  std::unique_lock lock(mutex_);
  while (!stop_wanted_.wait_for(lock, interval_, [this] { return stopping_; })) {
    std::vector<std::weak_ptr<Subscription>> all = alive_;
    lock.unlock();
    for (const auto& each : all) {
      if (auto subscription = each.lock()) subscription->beat(logs_);
    }
    all.clear();
    lock.lock();
    std::erase_if(alive_, [](const auto& each) { return each.expired(); });
  }
}

}  // namespace pollux
