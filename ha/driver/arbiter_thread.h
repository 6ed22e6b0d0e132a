// Asks an arbiter on a thread of its own, one request after the other: an arbiter may block.
// Thread: any; answers come on the arbiter's thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/status/statusor.h"
#include "ha/arbiter/arbiter.h"

namespace pollux {

class ArbiterThread {
 public:
  using Answered = std::function<void(const absl::StatusOr<ArbiterRecord>&)>;

  ArbiterThread(std::unique_ptr<Arbiter> arbiter, Answered answered);
  /// A request that is under way is waited for; those behind it are not made.
  ~ArbiterThread();

  /// `next`: nothing for a read.
  void ask(std::optional<ArbiterRecord> next);

 private:
  void run();

  const std::unique_ptr<Arbiter> arbiter_;
  const Answered answered_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<std::optional<ArbiterRecord>> requests_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pollux
