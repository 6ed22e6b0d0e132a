#include "server/publishers/sink_runner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "server/node/wall_clock.h"

namespace pollux {
namespace {

bool is_known(const LastIds& known, const ResultSlice& slice, uint32_t row) {
  auto last = known.find(*slice.plan);
  return last != known.end() && PlanRow{slice.cause, slice.ordinals[row]} <= last->second;
}

constexpr size_t kRowsPerReadMin = 4096;

bool may_pass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status);
}

}  // namespace

std::chrono::milliseconds retry_wait(const RetryOptions& options, uint64_t failed, double random) {
  constexpr uint64_t kDoublingsMax = 40;
  double doublings = static_cast<double>(std::min(failed > 0 ? failed - 1 : 0, kDoublingsMax));
  double wait = static_cast<double>(options.min.count()) * std::exp2(doublings);
  wait = std::min(wait, static_cast<double>(options.max.count()));
  return std::chrono::milliseconds(std::llround(wait * (0.5 + 0.5 * random)));
}

std::string_view name_of(SinkState state) {
  switch (state) {
    case SinkState::kRunning:
      return "running";
    case SinkState::kRetrying:
      return "retrying";
    case SinkState::kStopped:
      return "stopped";
  }
  return "";
}

SinkRunner::SinkRunner(std::string name, RetryOptions retry, std::unique_ptr<Publisher> publisher,
                       SinkInput input, bool open, Warn warn)
    : name_(std::move(name)),
      retry_(retry),
      publisher_(std::move(publisher)),
      rows_per_read_(std::max(kRowsPerReadMin, publisher_->rows_max())),
      warn_(std::move(warn)),
      random_(static_cast<uint32_t>(std::hash<std::string>{}(name_)) ^
              static_cast<uint32_t>(wall_clock_ms())),
      open_(open),
      halted_(!open) {
  POLLUX_CHECK(publisher_->rows_max() > 0);
  add(std::move(input));
  thread_ = std::thread([this] { run(); });
}

SinkRunner::~SinkRunner() { stop(); }

void SinkRunner::add(SinkInput added) {
  auto input = std::make_shared<Input>();
  input->log = std::move(added.log);
  input->hold = std::move(added.hold);
  input->next = input->hold->from();
  input->listener = input->log->listen([this] {
    std::lock_guard lock(mutex_);
    ++news_;
    changed_.notify_all();
  });
  std::shared_ptr<Input> dropped;  // lets go of its log once the lock is free
  uint64_t lost = 0;
  {
    std::lock_guard lock(mutex_);
    if (inputs_.size() == kInputsMax) {
      dropped = inputs_.front();
      inputs_.erase(inputs_.begin());
      uint64_t end = dropped->log->end();
      lost = end - std::min<uint64_t>(end, dropped->next);
      counts_.dropped += lost;
    }
    inputs_.push_back(std::move(input));
    ++news_;
  }
  changed_.notify_all();
  if (dropped != nullptr) dropped->hold->forget();
  if (lost != 0) {
    warn_(absl::StrCat("sink '", name_, "' dropped ", lost,
                       " rows of a stream whose attributes have changed since"));
  }
}

void SinkRunner::follow(SinkInput input) { add(std::move(input)); }

bool SinkRunner::reads(const ResultLog& log) const {
  std::lock_guard lock(mutex_);
  return std::any_of(inputs_.begin(), inputs_.end(),
                     [&](const auto& input) { return input->log.get() == &log; });
}

std::vector<std::shared_ptr<SinkRunner::Input>> SinkRunner::inputs() const {
  std::lock_guard lock(mutex_);
  return inputs_;
}

uint64_t SinkRunner::lag() const {
  uint64_t rows = 0;
  for (const auto& input : inputs()) {
    uint64_t end = input->log->end();
    rows += end - std::min<uint64_t>(end, input->next);
  }
  return rows;
}

SinkCounts SinkRunner::counts() const {
  uint64_t rows = lag();
  std::lock_guard lock(mutex_);
  SinkCounts counts = counts_;
  counts.lag_rows = rows;
  return counts;
}

bool SinkRunner::drain(std::chrono::steady_clock::time_point until) {
  while (lag() != 0) {
    std::unique_lock lock(mutex_);
    if (!open_) return true;
    if (stopping_ || std::chrono::steady_clock::now() >= until) return false;
    // Told of each delivery; looks again anyway, since more may come in without one.
    changed_.wait_until(
        lock, std::min(until, std::chrono::steady_clock::now() + std::chrono::milliseconds(50)));
  }
  return true;
}

void SinkRunner::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = halted_ = true;
    counts_.state = SinkState::kStopped;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SinkRunner::forget_places() {
  POLLUX_CHECK(!thread_.joinable());
  for (const auto& input : inputs()) input->hold->forget();
}

/// False: the end.
bool SinkRunner::wait_for_news() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || news_ != seen_; });
  seen_ = news_;
  return !stopping_;
}

void SinkRunner::run() {
  while (wait_for_news()) {
    bool more = true;
    while (more) {
      more = false;
      bool open = is_open();
      for (const auto& input : inputs()) {
        more = (open ? take_some(*input) : pass_over(*input)) || more;
      }
    }
  }
}

void SinkRunner::set_open(bool open) {
  {
    std::lock_guard lock(mutex_);
    open_ = open;
    halted_ = stopping_ || !open;
    ++news_;
  }
  changed_.notify_all();
}

bool SinkRunner::is_open() const {
  std::lock_guard lock(mutex_);
  return open_;
}

void SinkRunner::note_known(const LastIds& known) {
  {
    std::lock_guard lock(mutex_);
    for (const auto& [plan, row] : known) raise_last_id(known_, plan, row);
    ++news_;
  }
  changed_.notify_all();
}

LastIds SinkRunner::known() const {
  std::lock_guard lock(mutex_);
  return known_;
}

LastIds SinkRunner::delivered() const {
  std::lock_guard lock(mutex_);
  return delivered_;
}

/// What the other node has delivered, as far as nothing else stands before it. True: there may be
/// more.
bool SinkRunner::pass_over(Input& input) {
  if (stopping_) return false;
  const LastIds known = this->known();
  uint64_t from = input.next;
  ResultLog::Read read = input.log->read(from, rows_per_read_);
  if (read.forgotten || !read.error.ok()) return false;  // told when it is to be delivered
  for (const ResultSlicePtr& slice : read.slices) {
    for (auto row = static_cast<uint32_t>(input.next - slice->first); row < slice->batch->rows();
         ++row) {
      if (!is_known(known, *slice, row)) {
        input.hold->confirm(input.next);
        return false;
      }
      ++input.next;
    }
  }
  input.hold->confirm(input.next);
  return input.next != from;
}

/// True: there may be more.
bool SinkRunner::take_some(Input& input) {
  if (stopping_) return false;
  uint64_t from = input.next;
  ResultLog::Read read = input.log->read(from, rows_per_read_);
  if (read.forgotten) {
    warn_(absl::StrCat("sink '", name_, "' lost ", read.next - from, " rows of stream '",
                       input.log->schema()->name(), "', which the log no longer had"));
    std::lock_guard lock(mutex_);
    counts_.dropped += read.next - from;
    input.next = read.next;
    return true;
  }
  if (!read.error.ok()) return note_unreadable(input, read.error);
  const LastIds known = this->known();
  std::vector<PublishedRow> rows;
  uint64_t behind = from;
  for (const ResultSlicePtr& slice : read.slices) {
    uint64_t skipped = from > slice->first ? from - slice->first : 0;
    for (auto row = static_cast<uint32_t>(skipped); row < slice->batch->rows(); ++row) {
      if (!is_known(known, *slice, row)) rows.push_back({slice.get(), row});
    }
    behind = slice->first + slice->batch->rows();
  }
  std::span<const PublishedRow> left(rows);
  while (!left.empty()) {
    std::span<const PublishedRow> part = left.first(std::min(left.size(), publisher_->rows_max()));
    if (!deliver(part)) return false;
    left = left.subspan(part.size());
    advance(input, part.back().slice->first + part.back().row + 1);
  }
  if (input.next < behind) advance(input, behind);
  return behind != from;
}

void SinkRunner::advance(Input& input, uint64_t next) {
  input.next = next;
  input.hold->confirm(next);
  std::lock_guard lock(mutex_);
  changed_.notify_all();  // whoever drains
}

/// Waits before the next try. False: the sink stops.
bool SinkRunner::note_unreadable(const Input& input, const absl::Status& error) {
  std::string reason(error.message());
  warn_(absl::StrCat("sink '", name_, "' cannot read the results of stream '",
                     input.log->schema()->name(), "': ", reason));
  std::unique_lock lock(mutex_);
  ++counts_.failed;
  counts_.last_error = std::move(reason);
  counts_.last_error_ms = wall_clock_ms();
  if (counts_.state == SinkState::kRunning) counts_.state = SinkState::kRetrying;
  return !changed_.wait_for(lock, retry_.max, [this] { return halted_.load(); });
}

/// Until the rows are out or given up. False: the sink stops, and they are neither.
bool SinkRunner::deliver(std::span<const PublishedRow> rows) {
  for (uint64_t failed = 1;; ++failed) {
    if (halted_) return false;
    Published published = publisher_->publish(rows, halted_);
    if (published.status.ok()) {
      note_delivered(published, rows);
      return true;
    }
    if (halted_) return false;
    if (note_failure(published, rows, failed)) return true;
    if (!wait_before_retry(published, failed)) return false;
  }
}

void SinkRunner::note_delivered(const Published& published, std::span<const PublishedRow> rows) {
  if (published.refused != 0) {
    warn_(absl::StrCat("sink '", name_, "' dropped ", published.refused,
                       " rows that it cannot take: ", published.refusal));
  }
  std::lock_guard lock(mutex_);
  counts_.published += rows.size() - published.refused;
  counts_.dropped += published.refused;
  if (published.refused != 0) {
    counts_.last_error = published.refusal;
    counts_.last_error_ms = wall_clock_ms();
  }
  if (counts_.state == SinkState::kRetrying) counts_.state = SinkState::kRunning;
  note_last_rows(rows);
}

/// With the lock held: they need not be delivered again.
void SinkRunner::note_last_rows(std::span<const PublishedRow> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const ResultSlice& slice = *rows[i].slice;
    if (i + 1 < rows.size() && rows[i + 1].slice == &slice) continue;
    raise_last_id(delivered_, *slice.plan, {slice.cause, slice.ordinals[rows[i].row]});
  }
}

/// True: the rows are given up.
bool SinkRunner::note_failure(const Published& published, std::span<const PublishedRow> rows,
                              uint64_t failed) {
  bool passes = may_pass(published.status);
  bool used_up = passes && retry_.attempts != 0 && failed >= retry_.attempts;
  bool gives_up = !passes || (used_up && retry_.give_up);
  std::string reason(published.status.message());
  if (gives_up) {
    warn_(absl::StrCat("sink '", name_, "' dropped ", rows.size(), " rows from ",
                       result_id(*rows.front().slice, rows.front().row), " on after ", failed,
                       " attempts: ", reason));
  } else if (failed == 1) {
    warn_(absl::StrCat("sink '", name_, "' tries again: ", reason));
  }
  std::lock_guard lock(mutex_);
  ++counts_.failed;
  if (gives_up) {
    counts_.dropped += rows.size();
    note_last_rows(rows);
  }
  counts_.last_error = std::move(reason);
  counts_.last_error_ms = wall_clock_ms();
  if (counts_.state != SinkState::kStopped) {
    counts_.state = gives_up ? SinkState::kRunning : SinkState::kRetrying;
  }
  return gives_up;
}

/// False: the sink stops.
bool SinkRunner::wait_before_retry(const Published& published, uint64_t failed) {
  double random = std::uniform_real_distribution<double>(0, 1)(random_);
  std::chrono::milliseconds wait =
      std::max(retry_wait(retry_, failed, random), std::min(published.retry_after, kRetryAfterMax));
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, wait, [this] { return halted_.load(); });
}

}  // namespace pollux
