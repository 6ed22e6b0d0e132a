// One deployed plan with its queue of entries: an engine that shares nothing, worked on by one
// thread of the pool at a time.
//
// It rests while a log that it writes is full, and its queue fills; whoever numbers entries then
// refuses its streams. Thread: any; apply order is push order.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/runtime/engine.h"
#include "server/node/result_log.h"
#include "server/node/worker_pool.h"

namespace pollux {

struct ShardLimits {
  size_t entries_max = 4096;
  size_t bytes_max = size_t{64} << 20;
};

/// What a shard has done so far.
struct ShardCounts {
  uint64_t entries = 0;
  uint64_t events = 0;
  uint64_t results = 0;
  // As they were not long before the last entry was applied.
  uint64_t state_bytes = 0;
  uint64_t partition_instances = 0;
  PlanCounts plan;

  size_t queued_entries = 0;
  size_t queued_bytes = 0;
  bool suspended = false;
  bool resting = false;  ///< waits for a result log
};

class Shard : public std::enable_shared_from_this<Shard> {
 public:
  using Logs = std::map<std::string, std::shared_ptr<ResultLog>, std::less<>>;
  struct Callbacks {
    std::function<void()> room;      ///< the queue has room again after it was full
    std::function<void()> deadline;  ///< next_deadline() may have changed
    std::function<void(const ApplyOutcome&)> suspended;
    PlanLog* log = nullptr;  ///< what `#log` writes; may be null
  };

  /// `logs`: where the results of each stream of the plan go.
  Shard(std::string plan, ShardLimits limits, Logs logs, WorkerPool& workers, Callbacks callbacks);

  const std::string& plan() const { return *plan_; }
  const Logs& logs() const { return logs_; }

  /// Whether an entry of `bytes` may be pushed; if not, callbacks.room tells when to ask again.
  bool has_room(size_t bytes);
  using Applied = std::function<void(const ApplyOutcome&)>;
  /// Takes the entry, room or not; `bytes` is what it counts in the queue. `applied` may be null;
  /// it is dropped uncalled when the shard closes before.
  void push(Entry entry, size_t bytes, Applied applied = nullptr);
  /// Runs `work` with the engine once all entries pushed so far are applied. False when too much
  /// such work waits already.
  bool post(std::function<void(Engine&)> work);
  /// Takes nothing more and drops what waits.
  void close();

  /// When the engine wants a tick; INT64_MAX: never.
  int64_t next_deadline_ms() const { return next_deadline_ms_.load(std::memory_order_acquire); }
  /// Whether a tick was pushed that is not applied yet; once it is, callbacks.deadline comes.
  bool tick_waits() const { return tick_waits_.load(std::memory_order_acquire); }
  ShardCounts counts() const;

 private:
  static constexpr size_t kPostsMax = 64;
  static constexpr size_t kEntriesInARow = 16;  ///< before another shard gets its turn

  class Sink;
  struct Item {
    Entry entry;
    size_t bytes = 0;
    std::function<void(Engine&)> work;
    Applied applied;
  };

  void schedule();
  void run();
  bool rests_for_room();
  bool take(Item& item);
  void flush_logs();
  void apply(const Item& item);
  void sample_state();
  void release(size_t bytes, bool entry);

  const std::shared_ptr<const std::string> plan_;
  const ShardLimits limits_;
  const Logs logs_;
  std::vector<std::unique_ptr<ResultLog::Writer>> writers_;
  WorkerPool& workers_;
  const Callbacks callbacks_;

  mutable std::mutex mutex_;
  std::deque<Item> queue_;
  size_t queued_entries_ = 0;
  size_t queued_bytes_ = 0;
  size_t posts_ = 0;
  bool scheduled_ = false;  // a worker has it, or it waits for one or for room
  bool refused_ = false;    // somebody waits for room
  bool closed_ = false;
  PlanDescription sampled_;

  // Of whoever runs.
  Engine engine_;
  std::vector<ResultLog*> written_;  // logs with rows that nobody sees yet
  std::chrono::steady_clock::time_point sample_from_{};

  std::atomic<int64_t> next_deadline_ms_{INT64_MAX};
  std::atomic<uint64_t> entries_{0}, events_{0}, results_{0};
  std::atomic<bool> suspended_{false}, resting_{false}, tick_waits_{false};
};

}  // namespace pollux
