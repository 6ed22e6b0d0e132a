// All subscribers at present: keeps their connections alive, and ends those whose stream is gone.
//
// Thread: any; it beats on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/api/subscription.h"
#include "server/node/result_log.h"

namespace pollux {

class Subscriptions {
 public:
  /// A silent connection gets a comment line this often, lest somebody between takes it for dead.
  static constexpr std::chrono::seconds kBeatInterval{15};

  explicit Subscriptions(const ResultLogs& logs, std::chrono::milliseconds interval = kBeatInterval)
      : logs_(logs), interval_(interval), beater_([this] { run(); }) {}
  ~Subscriptions();

  void add(const std::shared_ptr<Subscription>& subscription);

 private:
  void run();

  const ResultLogs& logs_;
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable stop_wanted_;
  bool stopping_ = false;
  std::vector<std::weak_ptr<Subscription>> alive_;
  std::thread beater_;
};

}  // namespace pollux
