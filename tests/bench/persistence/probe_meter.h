// Measures how long events take from when they were due until their results can be read.
//
// Reads a result log on a thread of its own; each row's one attribute is the time at which its
// event was due, as now_ns(). Thread: any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/node/result_log.h"
#include "tests/bench/persistence/login_feed.h"

namespace pollux::bench {

class ProbeMeter {
 public:
  explicit ProbeMeter(std::shared_ptr<ResultLog> log);
  ~ProbeMeter();

  /// Waits until so many probes have come since the start, then gives what came since the last
  /// call.
  std::vector<Latency> take_once(uint64_t probes);
  double cpu_seconds() const;

 private:
  void run();

  const std::shared_ptr<ResultLog> log_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool news_ = false;
  bool stopping_ = false;
  uint64_t from_;
  uint64_t seen_ = 0;
  std::vector<Latency> latencies_;
  std::thread thread_;
  std::unique_ptr<ResultLog::Listener> listener_;
};

}  // namespace pollux::bench
