#include "server/pair/pair_log.h"

#include <utility>

namespace pollux {
namespace {

absl::Status not_running() { return absl::UnavailableError("the node starts or stops"); }

}  // namespace

void PairLog::attach(PairDriver& driver) {
  std::lock_guard lock(mutex_);
  driver_ = &driver;
}

void PairLog::detach() {
  std::lock_guard lock(mutex_);
  driver_ = nullptr;
}

PairDriver* PairLog::driver() const {
  std::lock_guard lock(mutex_);
  return driver_;
}

absl::Status PairLog::room_for(size_t bytes) const {
  const PairDriver* pair = driver();
  return pair == nullptr ? not_running() : pair->room_for(bytes);
}

bool PairLog::is_full(size_t bytes) const {
  const PairDriver* pair = driver();
  return pair != nullptr && pair->is_full(bytes);
}

void PairLog::append(Entry entry, size_t bytes, Committed committed) {
  if (PairDriver* pair = driver()) {
    pair->append(std::move(entry), bytes, std::move(committed));
  } else {
    committed(entry, not_running());
  }
}

void PairLog::behind(Reached reached) {
  if (PairDriver* pair = driver()) {
    pair->behind(std::move(reached));
  } else {
    reached(not_running());
  }
}

void PairLog::trim(Position below) {
  if (PairDriver* pair = driver()) pair->trim(below);
}

EntryLogCounts PairLog::counts() const {
  EntryLogCounts counts;
  const PairDriver* pair = driver();
  if (pair == nullptr) return counts;
  PairStatus status = pair->status();
  counts.entries = status.written_entries;
  counts.groups = status.groups;
  counts.bytes = status.written_bytes;
  counts.commit_us = status.commit_us;
  counts.journal_bytes = status.journal_bytes;
  counts.queued_entries = status.queued_entries;
  counts.queued_bytes = status.queued_bytes;
  counts.committed = status.committed_id;
  counts.first = status.journal_first;
  counts.stuck = status.stuck;
  counts.failed = status.failed;
  return counts;
}

}  // namespace pollux
