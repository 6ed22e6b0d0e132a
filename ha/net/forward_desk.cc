#include "ha/net/forward_desk.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

ForwardedAnswer refusal(absl::Status status) {
  ForwardedAnswer answer;
  answer.status = std::move(status);
  return answer;
}

}  // namespace

bool ForwardDesk::ask(ForwardedBatch batch, Done done) {
  size_t bytes = bytes_of(batch);
  absl::Status refused;
  {
    std::lock_guard lock(mutex_);
    if (!open_) {
      refused = absl::UnavailableError("there is no way to the other node");
    } else if (!limits_.allow(asked_.size(), bytes_ + bytes)) {
      refused = absl::ResourceExhaustedError(
          absl::StrCat(asked_.size(), " batches of ", bytes_,
                       " bytes are on their way to the other node, which is as many as may be"));
    } else {
      batch.request = ++last_request_;
      bytes_ += bytes;
      asked_.emplace(batch.request, Asked{std::move(done), bytes});
      to_write_.push_back(std::move(batch));
      return !std::exchange(told_, true);
    }
  }
  counters_.add(counters_.forwards_refused);
  done(refusal(refused));
  return false;
}

void ForwardDesk::open() {
  std::lock_guard lock(mutex_);
  open_ = true;
}

void ForwardDesk::close(const std::string& reason) {
  std::map<uint64_t, Asked> lost;
  std::deque<ForwardedBatch> unwritten;
  {
    std::lock_guard lock(mutex_);
    open_ = false;
    bytes_ = 0;
    lost.swap(asked_);
    unwritten.swap(to_write_);
  }
  counters_.add(counters_.forwards_lost, lost.size());
  for (auto& [request, asked] : lost) {
    asked.done(refusal(absl::UnavailableError(absl::StrCat(
        "outcome unknown, send it again: the way to the other node ended: ", reason))));
  }
}

void ForwardDesk::rest() {
  std::lock_guard lock(mutex_);
  told_ = false;
}

std::optional<ForwardedBatch> ForwardDesk::next() {
  std::lock_guard lock(mutex_);
  if (to_write_.empty()) return std::nullopt;
  ForwardedBatch first = std::move(to_write_.front());
  to_write_.pop_front();
  return first;
}

bool ForwardDesk::answer(ForwardedAnswer answer) {
  Asked asked;
  {
    std::lock_guard lock(mutex_);
    auto found = asked_.find(answer.request);
    if (found == asked_.end()) return false;
    asked = std::move(found->second);
    bytes_ -= asked.bytes;
    asked_.erase(found);
  }
  asked.done(std::move(answer));
  return true;
}

void ForwardsTaken::begin(uint64_t connection) {
  std::lock_guard lock(mutex_);
  connection_ = connection;
  count_ = bytes_ = 0;
  to_write_.clear();
}

bool ForwardsTaken::take(size_t bytes) {
  std::lock_guard lock(mutex_);
  if (!limits_.allow(count_, bytes_ + bytes)) return false;
  ++count_;
  bytes_ += bytes;
  return true;
}

bool ForwardsTaken::answer(uint64_t connection, size_t bytes, ForwardedAnswer answer) {
  std::lock_guard lock(mutex_);
  if (connection != connection_) return false;
  --count_;
  bytes_ -= bytes;
  to_write_.push_back(std::move(answer));
  return !std::exchange(told_, true);
}

void ForwardsTaken::rest() {
  std::lock_guard lock(mutex_);
  told_ = false;
}

std::optional<ForwardedAnswer> ForwardsTaken::next() {
  std::lock_guard lock(mutex_);
  if (to_write_.empty()) return std::nullopt;
  ForwardedAnswer first = std::move(to_write_.front());
  to_write_.pop_front();
  return first;
}

}  // namespace pollux
