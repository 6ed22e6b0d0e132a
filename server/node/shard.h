// One deployed plan with its queue of entries: an engine that shares nothing, worked on by one
// thread of the pool at a time.
//
// It rests while a log that it writes is full, and its queue fills; whoever numbers entries then
// refuses its streams. Thread: any; apply order is push order.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
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
#include "ha/divergence/results_hash.h"
#include "persistence/poison/apply_marks.h"
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
  /// Where the results of each stream of a plan go; the logs go on while it lives.
  struct Outputs {
    explicit Outputs(Logs logs_by_stream);
    Logs logs;
    std::vector<std::unique_ptr<ResultLog::Writer>> writers;
  };
  using OutputsPtr = std::shared_ptr<const Outputs>;

  struct Callbacks {
    std::function<void()> room;      ///< the queue has room again after it was full
    std::function<void()> deadline;  ///< next_deadline() may have changed
    std::function<void(const ApplyOutcome&)> suspended;
    std::function<void(const ApplyOutcome&)> replaced;  ///< a plan in the place of another
    /// The state is to be cut behind this entry. Results of all entries up to it are in the logs.
    std::function<void(Shard&, const Engine&, const Entry&)> persist;
    /// A number for the results of an interval of entries, see ResultsHash; null: none is made.
    std::function<void(const PlanHash&)> results_hashed;
    PlanLog* log = nullptr;       ///< what `#log` writes; may be null
    ApplyMarks* marks = nullptr;  ///< where it is noted what the shard is at work on; may be null
  };
  using Applied = std::function<void(const ApplyOutcome&)>;

  /// It has its plan only behind the entry that deploys it, with the outputs that come with that.
  Shard(std::string plan, ShardLimits limits, WorkerPool& workers, Callbacks callbacks);

  const std::string& plan() const { return *plan_; }
  /// For what runs on behalf of the shard: callbacks, applied, posts.
  const Outputs& outputs() const { return *outputs_; }

  /// Whether an entry of `bytes` may be numbered; if not, callbacks.room tells when to ask again.
  bool has_room(size_t bytes);
  void wait_for_room(size_t bytes);
  /// Takes room in the queue for an entry that will be pushed, room or not.
  void reserve(const Entry& entry, size_t bytes);
  /// Gives back what was reserved for an entry that will not be pushed.
  void give_back(const Entry& entry, size_t bytes);
  /// Takes an entry for which room was reserved. `applied` may be null; it is dropped uncalled when
  /// the shard closes before. `outputs`: of a deploy.
  void push(Entry entry, size_t bytes, Applied applied, OutputsPtr outputs);
  /// Runs `work` with the engine once all entries pushed so far are applied. False when too much
  /// such work waits already.
  bool post(std::function<void(Engine&)> work);
  /// Takes nothing more and drops what waits.
  void close();

  /// Before the first push: the plan with a state that it had behind entry `at`, or an empty one.
  /// What is wrong with the state; then nothing has changed.
  std::string restore(const Entry& deploy, OutputsPtr outputs, EntryId at, std::string_view state);
  /// Entries up to here are in the state that was restored.
  Position restored_at() const { return restored_at_; }
  /// From here on it rests while a log is full; before, a replay must not wait for whoever is to
  /// take results.
  void let_rest() { may_rest_.store(true, std::memory_order_release); }
  /// Suspends the plan, for that reason: before the first push.
  void suspend(const std::string& reason);

  /// When the engine wants a tick; INT64_MAX: never.
  int64_t next_deadline_ms() const { return next_deadline_ms_.load(std::memory_order_acquire); }
  /// Whether a tick was numbered that is not applied yet; once it is, callbacks.deadline comes.
  bool tick_waits() const { return ticks_waiting_.load(std::memory_order_acquire) != 0; }
  /// The oldest entry that was pushed and is not applied, or whose rows readers cannot see yet.
  std::optional<Position> oldest_unapplied() const;
  ShardCounts counts() const;
  /// Why the plan is suspended; empty when it is not.
  std::string suspended_because() const;

 private:
  static constexpr size_t kPostsMax = 64;
  static constexpr size_t kEntriesInARow = 16;  ///< before another shard gets its turn

  class Sink;
  struct Item {
    Entry entry;
    size_t bytes = 0;
    std::function<void(Engine&)> work;
    Applied applied;
    OutputsPtr outputs;
  };

  void schedule();
  void run();
  bool rests_for_room();
  bool take(Item& item);
  void flush_logs();
  void apply(Item& item);
  ApplyOutcome apply_marked(const Entry& entry);
  void note_reached(const Entry& entry);
  void note_outcome(const Entry& entry, const ApplyOutcome& outcome);
  void note_deadline(bool ticked);
  bool room_in_queue(size_t bytes) const;
  void sample_state();
  void release(size_t bytes, bool entry);

  const std::shared_ptr<const std::string> plan_;
  const ShardLimits limits_;
  WorkerPool& workers_;
  const Callbacks callbacks_;
  ApplyMarks::Mark* mark_ = nullptr;  // null: nothing is noted
  ApplyMarks::Known deaths_;          // of entries of this plan
  Position restored_at_;

  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::deque<Item> queue_;
  size_t queued_entries_ = 0;
  size_t queued_bytes_ = 0;
  size_t posts_ = 0;
  std::optional<Position> at_work_on_;
  std::optional<Position> unseen_from_;  // applied, with rows that nobody sees yet
  bool scheduled_ = false;               // a worker has it, or it waits for one or for room
  bool refused_ = false;                 // somebody waits for room
  bool closed_ = false;
  PlanDescription sampled_;
  std::string suspended_because_;

  // Of whoever runs.
  Engine engine_;
  OutputsPtr outputs_;
  ResultsHash results_hash_;
  std::vector<ResultLog*> written_;  // logs with rows that nobody sees yet
  std::chrono::steady_clock::time_point sample_from_{};

  std::atomic<int64_t> next_deadline_ms_{INT64_MAX};
  std::atomic<uint64_t> entries_{0}, events_{0}, results_{0};
  std::atomic<bool> suspended_{false}, resting_{false};
  std::atomic<uint32_t> ticks_waiting_{0};
  std::atomic<bool> may_rest_{false};
};

}  // namespace pollux
