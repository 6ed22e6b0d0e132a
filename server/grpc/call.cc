#include "server/grpc/call.h"

#include <utility>
#include <vector>

namespace pollux {

CallPump::CallPump() : thread_([this] { run(); }) {}

void CallPump::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void CallPump::wake(const std::shared_ptr<WakeUp>& wake_up) {
  if (wake_up->queued.exchange(true)) return;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(wake_up);
  }
  changed_.notify_one();
}

void CallPump::run() {
  std::vector<std::shared_ptr<WakeUp>> due;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (queue_.empty()) {
      changed_.wait(lock);
      continue;
    }
    due.swap(queue_);
    lock.unlock();
    for (const std::shared_ptr<WakeUp>& wake_up : due) {
      wake_up->queued = false;
      if (std::shared_ptr<Call> call = wake_up->call.lock()) call->advance();
    }
    due.clear();
    lock.lock();
  }
}

void Call::advance() {
  std::shared_ptr<Call> self = shared_from_this();
  // Whoever finds nobody at work does it all, also what others ask for meanwhile.
  if (due_.fetch_add(1) != 0) return;
  uint32_t seen = 0;
  do {
    seen = due_.load();
    while (step()) {
    }
  } while (due_.fetch_sub(seen) != seen);
}

bool Call::enter() {
  self_ = shared_from_this();
  wake_up_ = std::make_shared<WakeUp>();
  wake_up_->call = self_;
  refusal_ = state_->calls.add(self_, state_->limits.streams_max);
  entered_ = refusal_.ok();
  if (entered_) {
    ++state_->counters.streams_open;
  } else {
    ++state_->counters.streams_refused;
  }
  return entered_;
}

void Call::leave() {
  if (entered_) {
    state_->calls.remove(this);
    --state_->counters.streams_open;
  }
  std::shared_ptr<Call> self = std::move(self_);
}

absl::Status OpenCalls::add(const std::shared_ptr<Call>& call, uint32_t calls_max) {
  std::lock_guard lock(mutex_);
  if (stopping_) return absl::UnavailableError(kServerStops);
  if (calls_.size() >= calls_max) {
    return absl::ResourceExhaustedError("the server has " + std::to_string(calls_max) +
                                        " streams open and takes no more");
  }
  calls_.emplace(call.get(), call);
  return absl::OkStatus();
}

void OpenCalls::remove(Call* call) {
  std::lock_guard lock(mutex_);
  calls_.erase(call);
}

void OpenCalls::stop_all() {
  std::vector<std::shared_ptr<Call>> open;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [address, call] : calls_) {
      if (std::shared_ptr<Call> alive = call.lock()) open.push_back(std::move(alive));
    }
  }
  for (const std::shared_ptr<Call>& call : open) call->stop();
}

}  // namespace pollux
