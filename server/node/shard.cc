#include "server/node/shard.h"

#include <algorithm>
#include <utility>

namespace pollux {

/// Results on their way from the engine into the logs.
class Shard::Sink final : public ResultSink {
 public:
  explicit Sink(Shard& shard) : shard_(shard) {}

  void on_result(const ResultBatch& results) override {
    shard_.results_.fetch_add(results.batch->rows(), std::memory_order_relaxed);
    auto log = shard_.logs_.find(results.stream);
    if (log == shard_.logs_.end()) return;
    ResultSlice slice;
    slice.plan = shard_.plan_;
    slice.cause = results.cause;
    slice.batch = results.batch;
    slice.ordinals.assign(results.ordinals.begin(), results.ordinals.end());
    // A few rows must not keep the strings of a large batch alive.
    if (slice.batch->bytes_shared() > 2 * slice.batch->bytes_held()) {
      slice.batch = slice_copy(*slice.batch, 0, slice.batch->rows());
    }
    ResultLog* to = log->second.get();
    to->append(std::move(slice));
    auto& written = shard_.written_;
    if (std::find(written.begin(), written.end(), to) == written.end()) written.push_back(to);
  }

 private:
  Shard& shard_;
};

Shard::Shard(std::string plan, ShardLimits limits, Logs logs, WorkerPool& workers,
             Callbacks callbacks)
    : plan_(std::make_shared<const std::string>(std::move(plan))),
      limits_(limits),
      logs_(std::move(logs)),
      workers_(workers),
      callbacks_(std::move(callbacks)),
      engine_({.is_result = {}, .log = callbacks_.log}) {
  for (const auto& [stream, log] : logs_) writers_.push_back(log->write());
}

bool Shard::has_room(size_t bytes) {
  std::lock_guard lock(mutex_);
  bool room = queued_entries_ < limits_.entries_max &&
              (queued_bytes_ == 0 || queued_bytes_ + bytes <= limits_.bytes_max);
  refused_ = refused_ || !room;
  return room;
}

void Shard::push(Entry entry, size_t bytes, Applied applied) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    if (std::holds_alternative<TickPayload>(entry.payload)) tick_waits_ = true;
    queue_.push_back({std::move(entry), bytes, nullptr, std::move(applied)});
    ++queued_entries_;
    queued_bytes_ += bytes;
  }
  schedule();
}

bool Shard::post(std::function<void(Engine&)> work) {
  {
    std::lock_guard lock(mutex_);
    if (closed_ || posts_ >= kPostsMax) return false;
    ++posts_;
    queue_.push_back({{}, 0, std::move(work), nullptr});
  }
  schedule();
  return true;
}

void Shard::close() {
  std::deque<Item> dropped;
  std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(queue_);
  queued_entries_ = queued_bytes_ = posts_ = 0;
}

void Shard::schedule() {
  {
    std::lock_guard lock(mutex_);
    if (scheduled_ || queue_.empty()) return;
    scheduled_ = true;
  }
  workers_.post([self = shared_from_this()] { self->run(); });
}

/// True when the shard will be scheduled again by a log that has room.
bool Shard::rests_for_room() {
  for (const auto& [stream, log] : logs_) {
    if (!log->full()) continue;
    flush_logs();  // what fills it must be seen to be confirmed
    resting_.store(true, std::memory_order_relaxed);
    log->when_not_full([self = shared_from_this()] {
      self->resting_.store(false, std::memory_order_relaxed);
      self->workers_.post([self] { self->run(); });
    });
    return true;
  }
  return false;
}

/// Behind it readers see what entries brought about.
void Shard::flush_logs() {
  for (ResultLog* log : std::exchange(written_, {})) log->flush();
}

/// False: there is none, and the shard is not scheduled any more.
bool Shard::take(Item& item) {
  std::unique_lock lock(mutex_);
  if (queue_.empty() && !written_.empty()) {
    lock.unlock();
    flush_logs();
    lock.lock();
  }
  if (queue_.empty()) {
    scheduled_ = false;
    return false;
  }
  item = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

void Shard::run() {
  for (size_t done = 0; done < kEntriesInARow; ++done) {
    if (rests_for_room()) return;
    Item item;
    if (!take(item)) return;
    if (item.work) {
      flush_logs();
      item.work(engine_);
    } else {
      apply(item);
    }
    release(item.bytes, item.work == nullptr);
  }
  flush_logs();
  workers_.post([self = shared_from_this()] { self->run(); });
}

void Shard::apply(const Item& item) {
  Sink sink(*this);
  ApplyOutcome outcome = engine_.apply(item.entry, sink);
  entries_.fetch_add(1, std::memory_order_relaxed);
  if (const auto* events = std::get_if<EventsPayload>(&item.entry.payload)) {
    events_.fetch_add(events->batch->rows(), std::memory_order_relaxed);
  }
  if (outcome.status == ApplyStatus::kSuspended) {
    suspended_.store(true, std::memory_order_relaxed);
    callbacks_.suspended(outcome);
  }
  if (item.applied) {
    flush_logs();
    item.applied(outcome);
  }
  auto deadline = engine_.next_deadline();
  // A suspended plan keeps its deadlines but takes no ticks.
  int64_t next = deadline && !suspended_.load(std::memory_order_relaxed) ? deadline->ms : INT64_MAX;
  int64_t before = next_deadline_ms_.exchange(next, std::memory_order_acq_rel);
  bool ticked = std::holds_alternative<TickPayload>(item.entry.payload);
  if (ticked) tick_waits_.store(false, std::memory_order_release);
  // While a tick waits nobody watches the deadline, so the one behind it is always told.
  if (next < before || (ticked && next != INT64_MAX)) callbacks_.deadline();
  sample_state();
}

/// As often as it costs a hundredth of the time.
void Shard::sample_state() {
  auto begun = std::chrono::steady_clock::now();
  if (begun < sample_from_) return;
  if (auto described = engine_.describe(*plan_)) {
    std::lock_guard lock(mutex_);
    sampled_ = std::move(*described);
  }
  auto ended = std::chrono::steady_clock::now();
  sample_from_ = ended + 100 * (ended - begun);
}

void Shard::release(size_t bytes, bool entry) {
  bool room = false;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    if (entry) {
      --queued_entries_;
      queued_bytes_ -= bytes;
    } else {
      --posts_;
    }
    // Only at half: who waits for room should find more than a crumb of it.
    room = refused_ && queued_entries_ * 2 <= limits_.entries_max &&
           queued_bytes_ * 2 <= limits_.bytes_max;
    if (room) refused_ = false;
  }
  if (room) callbacks_.room();
}

ShardCounts Shard::counts() const {
  ShardCounts counts;
  counts.entries = entries_.load(std::memory_order_relaxed);
  counts.events = events_.load(std::memory_order_relaxed);
  counts.results = results_.load(std::memory_order_relaxed);
  counts.suspended = suspended_.load(std::memory_order_relaxed);
  counts.resting = resting_.load(std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  counts.queued_entries = queued_entries_;
  counts.queued_bytes = queued_bytes_;
  counts.state_bytes = sampled_.state_bytes;
  counts.partition_instances = sampled_.partition_instances;
  counts.plan = sampled_.counts;
  return counts;
}

}  // namespace pollux
