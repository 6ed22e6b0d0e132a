// An intake that numbers batches, keeps them in memory, and answers from a thread of its own, as
// the node does.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/node/intake.h"

namespace pollux {

class MemoryIntake final : public Intake {
 public:
  struct Entry {
    EntryId id;
    EventBatchPtr batch;
    std::string producer;
  };

  explicit MemoryIntake(const SchemaPtr& schema) {
    schemas_[schema->name()] = schema;
    thread_ = std::thread([this] { commit(); });
  }
  ~MemoryIntake() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      held_ = false;
    }
    changed_.notify_all();
    thread_.join();
  }

  SchemaPtr schema_of(std::string_view stream) const override {
    std::lock_guard lock(mutex_);
    auto found = schemas_.find(std::string(stream));
    return found == schemas_.end() ? nullptr : found->second;
  }

  absl::Status why_unknown(std::string_view stream) const override {
    return absl::NotFoundError("no stream " + std::string(stream));
  }

  void submit(Submission submission, std::function<void(Submitted)> done) override {
    std::lock_guard lock(mutex_);
    queue_.emplace_back(std::move(submission), std::move(done));
    changed_.notify_all();
  }

  /// Commits nothing until let go.
  void hold() {
    std::lock_guard lock(mutex_);
    held_ = true;
  }
  void let_go() {
    std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }

  size_t queued() const {
    std::lock_guard lock(mutex_);
    return queue_.size();
  }
  std::vector<Entry> entries() const {
    std::lock_guard lock(mutex_);
    return entries_;
  }

 private:
  void commit() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stopping_ || (!held_ && !queue_.empty()); });
      if (queue_.empty()) return;
      auto [submission, done] = std::move(queue_.front());
      queue_.pop_front();
      Submitted submitted = take(std::move(submission));
      lock.unlock();
      done(std::move(submitted));
      lock.lock();
    }
  }

  Submitted take(Submission submission) {
    Submitted outcome;
    if (!submission.producer.empty()) {
      auto& ids = numbered_[submission.producer];
      if (submission.number <= ids.size()) {
        outcome.id = ids[submission.number - 1];
        outcome.accepted = submission.batch->rows();
        outcome.duplicate = true;
        return outcome;
      }
      if (submission.number > ids.size() + 1) {
        outcome.expected_number = ids.size() + 1;
        outcome.status = absl::FailedPreconditionError("a number was left out");
        return outcome;
      }
      ids.push_back(next_id());
    }
    outcome.id = next_id();
    outcome.accepted = submission.batch->rows();
    entries_.push_back({outcome.id, std::move(submission.batch), submission.producer});
    return outcome;
  }

  EntryId next_id() const { return {Epoch{3}, Position{entries_.size() + 1}}; }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, SchemaPtr> schemas_;
  std::deque<std::pair<Submission, std::function<void(Submitted)>>> queue_;
  std::vector<Entry> entries_;
  std::map<std::string, std::vector<EntryId>> numbered_;
  bool held_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pollux
