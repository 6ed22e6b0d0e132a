#include "server/node/lookup_intake.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/node/lookup_keys.h"

namespace pollux {
namespace {

/// Between two such parts it is seen whether anybody still waits, and how much there is.
constexpr uint32_t kKeysAtOnce = 500;
constexpr std::chrono::milliseconds kRetryAfter{1000};

/// What a sender is told when a store fails: whatever it is, nothing was numbered.
absl::Status told_of(const StoredHolder& holder, const absl::Status& status) {
  return absl::UnavailableError(
      absl::StrCat("the rows of external table '", holder.name,
                   "' cannot be looked up: ", std::string(status.message())));
}

}  // namespace

LookupIntake::LookupIntake(Sequencer& sequencer, LookupOptions options)
    : sequencer_(sequencer), options_(std::move(options)) {}

// ---- those who send ----

/// Under the lock: whether batches wait that it must not overtake.
bool LookupIntake::stands_behind(const Submission& submission) const {
  return by_stream_.contains(submission.batch->schema().name()) ||
         (!submission.producer.empty() && by_producer_.contains(submission.producer));
}

void LookupIntake::submit(Submission submission, Done done) {
  bool behind = false;
  if (waiting_count_ > 0) {
    std::lock_guard lock(mutex_);
    behind = stands_behind(submission);
  }
  StreamLookupsPtr lookups;
  if (behind) {
    lookups = sequencer_.lookups_of(submission.batch->schema().name());
  } else {
    Sequencer::Offered offered = sequencer_.offer(submission, done);
    if (offered.outcome == Sequencer::Offered::Outcome::kTaken) return;
    lookups = std::move(offered.lookups);
  }
  enqueue(std::move(submission), std::move(done), std::move(lookups));
  pump();
}

void LookupIntake::enqueue(Submission submission, Done done, StreamLookupsPtr lookups) {
  absl::Status refused;
  {
    std::lock_guard lock(mutex_);
    const size_t bytes = submission.batch->bytes_held();
    const bool full = waiting_.size() >= options_.batches_max ||
                      (!waiting_.empty() && counts_.waiting_bytes + bytes > options_.bytes_max);
    if (!stopped_.ok()) {
      refused = stopped_;
    } else if (!options_.find && lookups != nullptr) {
      refused = absl::UnavailableError("this node has no stores to look up external tables in");
    } else if (full) {
      ++counts_.refused_full;
      refused = absl::ResourceExhaustedError(
          "too many batches wait for rows of external tables; try again");
    } else {
      const uint64_t number = ++last_;
      Waiting& waiting = waiting_[number];
      // One that waits for its producer's alone holds nobody else of its stream up.
      if (lookups != nullptr) waiting.stream = submission.batch->schema().name();
      waiting.producer = submission.producer;
      waiting.bytes = bytes;
      waiting.submission = std::move(submission);
      waiting.done = std::move(done);
      waiting.deadline = Clock::now() + options_.deadline;
      if (!waiting.stream.empty()) by_stream_[waiting.stream].push_back(number);
      if (!waiting.producer.empty()) by_producer_[waiting.producer].push_back(number);
      counts_.waiting_bytes += bytes;
      waiting_count_ = waiting_.size();
      if (lookups == nullptr) {
        settled_.insert(number);
      } else {
        ask(number, waiting, std::move(lookups));
      }
    }
  }
  if (refused.ok()) return;
  done(sequencer_.refuse(std::move(refused)));
}

// ---- stores ----

/// Under the lock.
WorkerPool& LookupIntake::workers_of(const std::string& store) {
  auto& workers = workers_[store];
  if (workers == nullptr) workers = std::make_unique<WorkerPool>(options_.threads);
  return *workers;
}

/// Under the lock.
void LookupIntake::ask(uint64_t number, Waiting& waiting, StreamLookupsPtr lookups) {
  if (!watch_.joinable()) watch_ = std::thread([this] { watch(); });
  waiting.state = State::kAsking;
  waiting.asking = std::make_shared<Asking>();
  waiting.asking->lookups = std::move(lookups);
  waiting.asking->batch = waiting.submission.batch;
  const std::string store = options_.store_of(waiting.asking->lookups->front().holder);
  workers_of(store).post([this, number, asking = waiting.asking] { run(number, asking); });
  watch_wanted_.notify_one();
}

void LookupIntake::run(uint64_t number, const AskingPtr& asking) {
  if (asking->given_up) return;
  Found found = find_all(*asking);
  note_store(found.store, found.status);
  answered(number, asking, std::move(found));
  pump();
}

LookupIntake::Found LookupIntake::find_all(const Asking& asking) const {
  Found found;
  size_t bytes = 0;
  for (const TableLookups& lookups : *asking.lookups) {
    LookupKeys keys(lookups, *asking.batch);
    found.store = options_.store_of(lookups.holder);
    found.keys += keys.size();
    auto rows = std::make_shared<EventBatch>(lookups.holder.schema);
    for (uint32_t begin = 0; begin < keys.size() && !asking.given_up; begin += kKeysAtOnce) {
      auto some = options_.find(lookups.holder,
                                *keys.part(begin, std::min(keys.size(), begin + kKeysAtOnce)));
      found.status = some.ok() ? keys.take(**some, *rows) : some.status();
      if (!found.status.ok()) {
        found.status = told_of(lookups.holder, found.status);
        return found;
      }
      if (bytes + rows->bytes_held() <= options_.found_bytes_max) continue;
      found.status =
          absl::InvalidArgumentError(absl::StrCat("a batch may need ", options_.found_bytes_max,
                                                  " bytes of external tables; send smaller ones"));
      return found;
    }
    bytes += rows->bytes_held();
    found.rows.push_back({lookups.holder.stream, std::move(rows)});
  }
  return found;
}

void LookupIntake::answered(uint64_t number, const AskingPtr& asking, Found found) {
  std::lock_guard lock(mutex_);
  auto at = waiting_.find(number);
  if (at == waiting_.end() || at->second.asking != asking) return;  // nobody waits any more
  Waiting& waiting = at->second;
  waiting.asking = nullptr;
  if (!found.status.ok()) {
    ++(absl::IsUnavailable(found.status) ? counts_.unavailable : counts_.refused);
    fail(waiting, std::move(found.status));
  } else {
    ++counts_.batches;
    counts_.keys += found.keys;
    for (const FoundRows& each : found.rows) counts_.rows += each.rows->rows();
    waiting.state = State::kReady;
    waiting.submission.looked_up = asking->lookups;
    waiting.submission.found = std::move(found.rows);
  }
  settled_.insert(number);
}

/// Told when trouble with a store begins, and when it ends.
void LookupIntake::note_store(const std::string& store, const absl::Status& status) {
  if (absl::IsInvalidArgument(status)) return;  // of the batch
  std::lock_guard lock(told_mutex_);
  const bool was_well = !troubled_.contains(store);
  if (was_well == status.ok()) return;
  if (status.ok()) {
    troubled_.erase(store);
  } else {
    troubled_.insert(store);
  }
  if (options_.told) options_.told(store, status);
}

/// Under the lock.
void LookupIntake::fail(Waiting& waiting, absl::Status why) {
  waiting.state = State::kFailed;
  waiting.why = std::move(why);
  waiting.for_room = false;
}

void LookupIntake::watch() {
  std::unique_lock lock(mutex_);
  while (stopped_.ok()) {
    const auto now = Clock::now();
    std::optional<Clock::time_point> next;
    std::vector<std::string> silent;
    for (auto& [number, waiting] : waiting_) {
      if (waiting.state != State::kAsking) continue;
      if (waiting.deadline > now) {
        if (!next || waiting.deadline < *next) next = waiting.deadline;
        continue;
      }
      silent.push_back(options_.store_of(waiting.asking->lookups->front().holder));
      waiting.asking->given_up = true;
      waiting.asking = nullptr;
      ++counts_.unavailable;
      fail(waiting,
           absl::UnavailableError(absl::StrCat("the rows of external tables did not come within ",
                                               options_.deadline.count(), " ms; send again")));
      settled_.insert(number);
    }
    if (!silent.empty() || std::exchange(pump_wanted_, false)) {
      lock.unlock();
      for (const std::string& store : silent) {
        note_store(store, absl::UnavailableError("no rows came in time"));
      }
      pump();
      lock.lock();
      continue;
    }
    if (next) {
      watch_wanted_.wait_until(lock, *next);
    } else {
      watch_wanted_.wait(lock);
    }
  }
}

// ---- on to the sequencer ----

/// Under the lock: the first that has what it needs and stands behind no other.
std::optional<uint64_t> LookupIntake::next_to_go() const {
  auto is_first = [](const auto& lines, const std::string& name, uint64_t number) {
    return name.empty() || lines.at(name).front() == number;
  };
  for (uint64_t number : settled_) {
    const Waiting& waiting = waiting_.at(number);
    if (is_first(by_stream_, waiting.stream, number) &&
        is_first(by_producer_, waiting.producer, number)) {
      return number;
    }
  }
  return std::nullopt;
}

/// One thread at a time hands batches on, so that they keep their order.
void LookupIntake::pump() {
  std::unique_lock lock(mutex_);
  if (pumping_) return;
  pumping_ = true;
  while (auto number = next_to_go()) go_on(*number, lock);
  pumping_ = false;
}

/// It keeps its place until it is handed over.
void LookupIntake::go_on(uint64_t number, std::unique_lock<std::mutex>& lock) {
  Waiting& waiting = waiting_.at(number);  // nobody else removes it
  settled_.erase(number);
  Submission submission = std::move(waiting.submission);
  Done done = std::move(waiting.done);
  if (waiting.state == State::kFailed) {
    const absl::Status why = waiting.why;
    lock.unlock();
    Submitted refused = sequencer_.refuse(why);
    if (absl::IsUnavailable(why)) refused.retry_after = kRetryAfter;
    done(std::move(refused));
    lock.lock();
    return remove(number);
  }
  const uint64_t rooms = rooms_;
  lock.unlock();
  Sequencer::Offered offered = sequencer_.offer(submission, done);
  lock.lock();
  using Outcome = Sequencer::Offered::Outcome;
  if (offered.outcome == Outcome::kTaken) return remove(number);
  waiting.submission = std::move(submission);
  waiting.done = std::move(done);
  if (!stopped_.ok()) {
    fail(waiting, stopped_);
    settled_.insert(number);
  } else if (offered.outcome == Outcome::kNeedsRoom) {
    waiting.for_room = rooms_ == rooms;
    if (!waiting.for_room) settled_.insert(number);
  } else {
    if (waiting.submission.looked_up != nullptr) ++counts_.again;
    ask(number, waiting, std::move(offered.lookups));
  }
}

/// Under the lock.
void LookupIntake::remove(uint64_t number) {
  auto at = waiting_.find(number);
  auto leave = [&](auto& lines, const std::string& name) {
    if (name.empty()) return;
    auto line = lines.find(name);
    line->second.pop_front();
    if (line->second.empty()) lines.erase(line);
  };
  leave(by_stream_, at->second.stream);
  leave(by_producer_, at->second.producer);
  counts_.waiting_bytes -= at->second.bytes;
  waiting_.erase(at);
  waiting_count_ = waiting_.size();
}

/// Whoever says so may hold locks under which nobody may be called back: the watch goes on.
void LookupIntake::room_made() {
  ++rooms_;
  if (waiting_count_ == 0) return;
  std::lock_guard lock(mutex_);
  for (auto& [number, waiting] : waiting_) {
    if (!std::exchange(waiting.for_room, false)) continue;
    settled_.insert(number);
    pump_wanted_ = true;
  }
  if (pump_wanted_) watch_wanted_.notify_one();
}

void LookupIntake::close(const absl::Status& why) {
  {
    std::lock_guard lock(mutex_);
    if (!stopped_.ok()) return;
    stopped_ = why;
    for (auto& [number, waiting] : waiting_) {
      // One that is being handed over stays as it is: it is refused there, or numbered.
      if (waiting.state != State::kAsking && !waiting.for_room) continue;
      if (waiting.asking != nullptr) waiting.asking->given_up = true;
      waiting.asking = nullptr;
      fail(waiting, why);
      settled_.insert(number);
    }
  }
  watch_wanted_.notify_one();
  pump();
}

void LookupIntake::stop(const absl::Status& why) {
  close(why);
  if (watch_.joinable()) watch_.join();
  std::map<std::string, std::unique_ptr<WorkerPool>> workers;
  {
    std::lock_guard lock(mutex_);
    workers.swap(workers_);
  }
  workers.clear();  // each waits for what it is at work on
}

LookupCounts LookupIntake::counts() const {
  std::lock_guard lock(mutex_);
  LookupCounts counts = counts_;
  counts.waiting = waiting_.size();
  return counts;
}

}  // namespace pollux
