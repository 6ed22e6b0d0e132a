// One thread that goes on with calls when something happened elsewhere.
//
// Results and outcomes come on threads of the node that must not be held up by the network; they
// only leave word here. Bounded: a call stands in the queue at most once.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace pollux {

class Call;

/// A call's place in the queue; may outlive the call.
struct WakeUp {
  std::weak_ptr<Call> call;
  std::atomic<bool> queued = false;
};

class CallPump {
 public:
  CallPump();
  ~CallPump() { stop(); }

  /// Forgets what is queued and what comes later. Must not come from a call.
  void stop();

  /// Has the call advance soon. Thread: any; never waits for long.
  void wake(const std::shared_ptr<WakeUp>& wake_up);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<WakeUp>> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pollux
