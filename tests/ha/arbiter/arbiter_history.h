// What clients that race were told by an arbiter, and whether one linearizable, unforgetting store
// can have said it all.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "ha/arbiter/arbiter.h"
#include "tests/ha/arbiter/arbiter_testing.h"

namespace pollux {

/// Thread: any.
class ArbiterHistory {
 public:
  /// One client, that tries to become active again and again. Thread: one at a time.
  class Client {
   public:
    Client(ArbiterHistory& history, uint64_t number) : history_(history), number_(number) {}

    /// Reads, and then asks for the next version; in a name that it never asks for again, so that
    /// each record has one author and one request.
    absl::Status step(Arbiter& arbiter) {
      uint64_t known = history_.version();
      absl::StatusOr<ArbiterRecord> read = arbiter.read();
      if (!read.ok()) return read.status();
      history_.told(*read, known);
      ArbiterRecord next = record_of(read->version + 1, JournalId{number_, ++requests_});
      known = history_.version();
      history_.asked(next);
      absl::StatusOr<ArbiterRecord> after = arbiter.compare_and_set(next);
      if (!after.ok()) return after.status();
      history_.told(*after, std::max(known, read->version));
      return absl::OkStatus();
    }

   private:
    ArbiterHistory& history_;
    uint64_t number_;
    uint64_t requests_ = 0;
  };

  /// `knows_all_requests`: there are no clients elsewhere.
  explicit ArbiterHistory(bool knows_all_requests = true)
      : knows_all_requests_(knows_all_requests) {}

  /// The highest that anybody was told.
  uint64_t version() const {
    std::lock_guard lock(mutex_);
    return version_;
  }
  ArbiterRecord newest() const {
    std::lock_guard lock(mutex_);
    return version_ == 0 ? ArbiterRecord() : told_.at(version_);
  }
  size_t versions_seen() const {
    std::lock_guard lock(mutex_);
    return told_.size();
  }
  /// What anybody was told, by version.
  std::map<uint64_t, ArbiterRecord> told_records() const {
    std::lock_guard lock(mutex_);
    return told_;
  }
  /// Empty when all agrees.
  std::string complaints() const {
    std::lock_guard lock(mutex_);
    return complaints_;
  }

  void asked(const ArbiterRecord& next) {
    std::lock_guard lock(mutex_);
    asked_.insert(to_json(next));
  }
  /// `known`: the highest version that anybody was told before the request was sent.
  void told(const ArbiterRecord& record, uint64_t known) {
    std::lock_guard lock(mutex_);
    if (record.version < known) {
      complain("went back behind version " + std::to_string(known), record);
    }
    if (!record.exists()) return;
    version_ = std::max(version_, record.version);
    auto [found, is_new] = told_.emplace(record.version, record);
    if (found->second != record) complain("two of one version: " + to_json(found->second), record);
    if (knows_all_requests_ && is_new && !asked_.contains(to_json(record)))
      complain("nobody asked for it", record);
  }

 private:
  void complain(const std::string& what, const ArbiterRecord& record) {
    complaints_ += what + ": " + to_json(record) + "\n";
  }

  const bool knows_all_requests_;
  mutable std::mutex mutex_;
  uint64_t version_ = 0;
  std::map<uint64_t, ArbiterRecord> told_;
  std::set<std::string> asked_;
  std::string complaints_;
};

}  // namespace pollux
