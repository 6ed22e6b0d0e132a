#include "server/node/shard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/language/diagnostics.h"

namespace pollux {

/// Results on their way from the engine into the logs.
class Shard::Sink final : public ResultSink {
 public:
  explicit Sink(Shard& shard) : shard_(shard) {}

  void on_result(const ResultBatch& results) override {
    shard_.results_.fetch_add(results.batch->rows(), std::memory_order_relaxed);
    if (shard_.callbacks_.results_hashed) shard_.results_hash_.add(results);
    auto log = shard_.outputs_->logs.find(results.stream);
    if (log == shard_.outputs_->logs.end()) return;
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

Shard::Outputs::Outputs(Logs logs_by_stream) : logs(std::move(logs_by_stream)) {
  for (const auto& [stream, log] : logs) writers.push_back(log->write());
}

Shard::Shard(std::string plan, ShardLimits limits, WorkerPool& workers, Callbacks callbacks)
    : plan_(std::make_shared<const std::string>(std::move(plan))),
      limits_(limits),
      workers_(workers),
      callbacks_(std::move(callbacks)),
      engine_({.is_result = {}, .log = callbacks_.log}),
      outputs_(std::make_shared<const Outputs>(Logs())) {
  if (callbacks_.marks == nullptr) return;
  mark_ = callbacks_.marks->find(*plan_);
}

bool Shard::room_in_queue(size_t bytes) const {
  return queued_entries_ < limits_.entries_max &&
         (queued_bytes_ == 0 || queued_bytes_ + bytes <= limits_.bytes_max);
}

bool Shard::has_room(size_t bytes) {
  std::lock_guard lock(mutex_);
  bool room = room_in_queue(bytes);
  refused_ = refused_ || !room;
  return room;
}

void Shard::wait_for_room(size_t bytes) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return room_in_queue(bytes) || closed_; });
}

void Shard::reserve(const Entry& entry, size_t bytes) {
  if (std::holds_alternative<TickPayload>(entry.payload)) ++ticks_waiting_;
  std::lock_guard lock(mutex_);
  ++queued_entries_;
  queued_bytes_ += bytes;
}

void Shard::give_back(const Entry& entry, size_t bytes) {
  if (std::holds_alternative<TickPayload>(entry.payload)) --ticks_waiting_;
  release(bytes, /*entry=*/true);
}

void Shard::push(Entry entry, size_t bytes, Applied applied, OutputsPtr outputs) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    queue_.push_back({std::move(entry), bytes, nullptr, std::move(applied), std::move(outputs)});
  }
  schedule();
}

std::string Shard::restore(const Entry& deploy, OutputsPtr outputs, EntryId at,
                           std::string_view state) {
  struct Nowhere : ResultSink {
    void on_result(const ResultBatch&) override {}
  } nowhere;
  ApplyOutcome outcome = engine_.apply(deploy, nowhere);
  if (outcome.status == ApplyStatus::kRejected) {
    return outcome.diagnostics.empty() ? outcome.reason : to_text(outcome.diagnostics, "the plan");
  }
  std::string wrong = state.empty() ? std::string() : engine_.restore_state(*plan_, state);
  if (!wrong.empty()) {
    engine_.apply({deploy.id, deploy.timestamp, UndeployPayload{*plan_}}, nowhere);
    return wrong;
  }
  outputs_ = std::move(outputs);
  restored_at_ = at.position;
  results_hash_.restored(at.position);
  note_deadline(/*ticked=*/false);
  return {};
}

void Shard::suspend(const std::string& reason) {
  engine_.suspend(*plan_);
  suspended_.store(true, std::memory_order_relaxed);
  next_deadline_ms_.store(INT64_MAX, std::memory_order_release);
  std::lock_guard lock(mutex_);
  suspended_because_ = reason;
}

bool Shard::post(std::function<void(Engine&)> work) {
  {
    std::lock_guard lock(mutex_);
    if (closed_ || posts_ >= kPostsMax) return false;
    ++posts_;
    queue_.push_back({{}, 0, std::move(work), nullptr, nullptr});
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
  if (!may_rest_.load(std::memory_order_acquire)) return false;
  for (const auto& [stream, log] : outputs_->logs) {
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
  if (written_.empty()) return;
  for (ResultLog* log : std::exchange(written_, {})) log->flush();
  std::lock_guard lock(mutex_);
  unseen_from_.reset();
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
  if (!item.work) at_work_on_ = item.entry.id.position;
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
      std::lock_guard lock(mutex_);
      if (!written_.empty() && !unseen_from_) unseen_from_ = at_work_on_;
      at_work_on_.reset();
    }
    release(item.bytes, item.work == nullptr);
  }
  flush_logs();
  workers_.post([self = shared_from_this()] { self->run(); });
}

/// With a note of what it is at work on, for whoever comes after a process that dies of it.
ApplyOutcome Shard::apply_marked(const Entry& entry) {
  ApplyMarks* marks = callbacks_.marks;
  if (marks != nullptr && marks->passes_over(*plan_, entry.id, mark_, deaths_)) {
    ApplyOutcome outcome;
    outcome.status = ApplyStatus::kSuspended;
    outcome.plan = *plan_;
    outcome.reason = absl::StrCat("processes died while they applied entry ", entry.id.epoch.value,
                                  ".", entry.id.position.value, " to it");
    engine_.suspend(*plan_);
    return outcome;
  }
  Sink sink(*this);
  if (mark_ == nullptr) return engine_.apply(entry, sink);
  std::unique_lock<std::mutex> alone;
  if (mark_->suspects(entry.id)) alone = std::unique_lock(marks->one_suspect());
  mark_->begin(entry.id);
  ApplyOutcome outcome = engine_.apply(entry, sink);
  mark_->end();
  return outcome;
}

void Shard::apply(Item& item) {
  const Entry& entry = item.entry;
  if (std::holds_alternative<PersistPayload>(entry.payload)) {
    flush_logs();
    if (callbacks_.persist) callbacks_.persist(*this, engine_, entry);
    return;
  }
  if (item.outputs != nullptr) {
    flush_logs();
    outputs_ = std::move(item.outputs);
  }
  if (callbacks_.results_hashed) note_reached(entry);
  ApplyOutcome outcome = apply_marked(entry);
  entries_.fetch_add(1, std::memory_order_relaxed);
  if (const auto* events = std::get_if<EventsPayload>(&entry.payload)) {
    events_.fetch_add(events->batch->rows(), std::memory_order_relaxed);
  }
  note_outcome(entry, outcome);
  if (item.applied) {
    flush_logs();
    item.applied(outcome);
  }
  bool ticked = std::holds_alternative<TickPayload>(entry.payload);
  if (ticked) --ticks_waiting_;
  note_deadline(ticked);
  sample_state();
}

/// Intervals end before the first entry behind them.
void Shard::note_reached(const Entry& entry) {
  if (auto reached = results_hash_.reach(entry.id.position)) {
    callbacks_.results_hashed({*plan_, HashKind::kResults, reached->first, reached->second});
  }
  if (std::holds_alternative<DeployPayload>(entry.payload)) results_hash_.deployed();
}

void Shard::note_outcome(const Entry& entry, const ApplyOutcome& outcome) {
  if (outcome.status == ApplyStatus::kSuspended) {
    suspended_.store(true, std::memory_order_relaxed);
    {
      std::lock_guard lock(mutex_);
      suspended_because_ = outcome.reason;
    }
    callbacks_.suspended(outcome);
  } else if (std::holds_alternative<DeployPayload>(entry.payload)) {
    suspended_.store(false, std::memory_order_relaxed);
    {
      std::lock_guard lock(mutex_);
      suspended_because_.clear();
    }
    if (callbacks_.replaced) callbacks_.replaced(outcome);
  }
}

/// `ticked`: while a tick waits nobody watches the deadline, so the one behind it is always told.
void Shard::note_deadline(bool ticked) {
  auto deadline = engine_.next_deadline();
  // A suspended plan keeps its deadlines but takes no ticks.
  int64_t next = deadline && !suspended_.load(std::memory_order_relaxed) ? deadline->ms : INT64_MAX;
  int64_t before = next_deadline_ms_.exchange(next, std::memory_order_acq_rel);
  if (next < before || (ticked && next != INT64_MAX)) callbacks_.deadline();
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
  room_.notify_all();
  if (room) callbacks_.room();
}

std::optional<Position> Shard::oldest_unapplied() const {
  std::lock_guard lock(mutex_);
  if (unseen_from_) return unseen_from_;
  if (at_work_on_) return at_work_on_;
  for (const Item& item : queue_) {
    if (!item.work) return item.entry.id.position;
  }
  return std::nullopt;
}

std::string Shard::suspended_because() const {
  std::lock_guard lock(mutex_);
  return suspended_because_;
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
