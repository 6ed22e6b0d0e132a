#include "server/node/committer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {

Committer::Committer(std::unique_ptr<Journal> journal, CommitterOptions options)
    : journal_(std::move(journal)),
      options_(std::move(options)),
      next_sync_(std::chrono::steady_clock::now() + options_.sync_interval) {
  counts_.journal_bytes = journal_->bytes();
  counts_.committed = journal_->last();
  counts_.first = journal_->first();
  thread_ = std::thread([this] { run(); });
}

bool Committer::is_full(size_t bytes) const {
  std::lock_guard lock(mutex_);
  return counts_.stuck ||
         counts_.journal_bytes + queued_bytes_ + bytes > options_.journal_bytes_max;
}

absl::Status Committer::room_for(size_t bytes) const {
  std::lock_guard lock(mutex_);
  if (counts_.stuck) {
    return absl::ResourceExhaustedError("the disk of the journal is full; try again");
  }
  if (counts_.journal_bytes + queued_bytes_ + bytes > options_.journal_bytes_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the journal has reached its limit of ", options_.journal_bytes_max,
                     " bytes (persistence.journal_bytes_max); try again"));
  }
  if (queued_bytes_ != 0 && queued_bytes_ + bytes > options_.queue_bytes_max) {
    return absl::ResourceExhaustedError("the disk is slower than the events come; try again");
  }
  return absl::OkStatus();
}

void Committer::append(Entry entry, size_t bytes, Committed committed) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back({std::move(entry), bytes, std::move(committed), nullptr});
    queued_bytes_ += bytes;
  }
  wanted_.notify_one();
}

void Committer::behind(Reached reached) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back({{}, 0, nullptr, std::move(reached)});
  }
  wanted_.notify_one();
}

void Committer::trim(Position below) {
  {
    std::lock_guard lock(mutex_);
    trim_below_ = std::max(trim_below_, below);
  }
  wanted_.notify_one();
}

void Committer::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_one();
  if (thread_.joinable()) thread_.join();
}

/// False: the end, and nothing is left.
bool Committer::wait_for_work(Items& group) {
  std::unique_lock lock(mutex_);
  auto work = [this] { return !queue_.empty() || trim_below_.value != 0 || stopping_; };
  if (options_.sync_interval.count() == 0) {
    wanted_.wait(lock, work);
  } else {
    wanted_.wait_until(lock, next_sync_, work);
  }
  size_t bytes = 0;
  size_t items = 0;
  while (items < queue_.size() && bytes < kGroupBytesMax) bytes += queue_[items++].bytes;
  auto end = queue_.begin() + static_cast<std::ptrdiff_t>(items);
  group.assign(std::move_iterator(queue_.begin()), std::move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return !group.empty() || !stopping_;
}

void Committer::run() {
  Items group;
  while (wait_for_work(group)) {
    commit(group);
    trim_now();
    if (options_.sync_interval.count() == 0 || next_sync_ > std::chrono::steady_clock::now()) {
      continue;
    }
    note(journal_->sync());
    next_sync_ = std::chrono::steady_clock::now() + options_.sync_interval;
  }
  note(journal_->close());
}

/// All of the group, or as far as there is room for, which then may be made by what was committed.
void Committer::commit(Items& group) {
  while (!group.empty()) {
    size_t appended = 0;
    uint64_t before = journal_->bytes();
    absl::Status why = append_some(group, appended);
    if (appended != 0) {
      absl::Status committed = commit_appended(journal_->bytes() - before);
      finish(group, appended, committed);
      if (!committed.ok()) why = committed;
    }
    if (why.ok() || group.empty()) continue;
    if (absl::IsResourceExhausted(why) && wait_for_space(why)) continue;
    note(why);
    finish(group, group.size(), why);
  }
}

/// `appended`: how many items of the group, when the status is not ok.
absl::Status Committer::append_some(const Items& group, size_t& appended) {
  for (const Item& item : group) {
    if (item.committed) {
      absl::Status status = journal_->append(item.entry, JournalSpace::kReserve);
      if (!status.ok()) return status;
    }
    ++appended;
  }
  return absl::OkStatus();
}

absl::Status Committer::commit_appended(uint64_t bytes) {
  auto begun = std::chrono::steady_clock::now();
  absl::Status status = journal_->commit();
  while (absl::IsResourceExhausted(status) && wait_for_space(status)) status = journal_->commit();
  auto took = std::chrono::steady_clock::now() - begun;
  note(status);
  std::lock_guard lock(mutex_);
  ++counts_.groups;
  counts_.bytes += bytes;
  counts_.commit_us +=
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  return status;
}

/// A short while, and what can be removed is. False: the committer stops.
bool Committer::wait_for_space(const absl::Status& why) {
  bool begins = false;
  {
    std::lock_guard lock(mutex_);
    begins = !counts_.stuck;
    counts_.stuck = true;
  }
  if (begins && options_.stuck) options_.stuck(why);
  trim_now();
  std::unique_lock lock(mutex_);
  return !wanted_.wait_for(lock, kTryAgain, [this] { return stopping_; });
}

/// Calls back for the first `count` of the group, and takes them off it.
void Committer::finish(Items& group, size_t count, const absl::Status& status) {
  uint64_t entries = 0;
  size_t bytes = 0;
  EntryId last;
  for (size_t i = 0; i < count; ++i) {
    bytes += group[i].bytes;
    if (!group[i].committed) continue;
    ++entries;
    last = group[i].entry.id;
  }
  {
    std::lock_guard lock(mutex_);
    queued_bytes_ -= bytes;
    counts_.journal_bytes = journal_->bytes();
    if (status.ok()) {
      counts_.stuck = false;
      counts_.entries += entries;
      if (entries != 0) counts_.committed = last;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    Item& item = group[i];
    if (item.committed) {
      item.committed(item.entry, status);
    } else {
      item.reached(status);
    }
  }
  group.erase(group.begin(), group.begin() + static_cast<std::ptrdiff_t>(count));
}

void Committer::trim_now() {
  Position below;
  {
    std::lock_guard lock(mutex_);
    below = std::exchange(trim_below_, {});
  }
  if (below.value == 0) return;
  note(journal_->trim(below));
  {
    std::lock_guard lock(mutex_);
    counts_.journal_bytes = journal_->bytes();
    counts_.first = journal_->first();
  }
  if (options_.trimmed) options_.trimmed();
}

/// What is not ok is for ever, and told once.
void Committer::note(const absl::Status& status) {
  if (status.ok() || absl::IsResourceExhausted(status)) return;
  {
    std::lock_guard lock(mutex_);
    if (!counts_.failed.ok()) return;
    counts_.failed = status;
  }
  if (options_.failed) options_.failed(status);
}

EntryLogCounts Committer::counts() const {
  std::lock_guard lock(mutex_);
  EntryLogCounts counts = counts_;
  counts.queued_entries = queue_.size();
  counts.queued_bytes = queued_bytes_;
  return counts;
}

}  // namespace pollux
