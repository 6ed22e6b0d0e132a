#include "server/client/numbered_batches.h"

#include <string>
#include <utility>

#include "engine/base/check.h"

namespace pollux {

void NumberedBatches::add(EventBatchPtr batch, size_t bytes) {
  batches_.push_back({.number = ++last_number_, .batch = std::move(batch), .bytes = bytes});
  bytes_ += bytes;
}

NumberedBatches::Batch& NumberedBatches::send_next() {
  POLLUX_CHECK(has_next());
  ++on_the_way_;
  return batches_[sent_++];
}

void NumberedBatches::send_again() {
  sent_ = 0;
  on_the_way_ = 0;
  if (renumber_from_ == 0) return;
  last_number_ = std::exchange(renumber_from_, 0) - 1;
  for (Batch& batch : batches_) batch.number = ++last_number_;
}

NumberedBatches::Verdict NumberedBatches::take(const BatchReply& reply) {
  if (on_the_way_ > 0) --on_the_way_;
  if (batches_.empty() || reply.number < front().number || reply.number > batches_.back().number) {
    return Verdict::kNothing;
  }
  const bool first = reply.number == front().number;
  switch (reply.status.code()) {
    case absl::StatusCode::kOk:
      // A node that lost the lead could not say what became of those before it: the one that leads
      // knows, and acknowledges them when they come again.
      return first ? Verdict::kAcked : Verdict::kLater;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
      return Verdict::kLater;
    case absl::StatusCode::kFailedPrecondition:
      return out_of_turn(reply);
    case absl::StatusCode::kUnavailable:
      return Verdict::kTurn;
    default:
      // Those before it are to be sent again first, and it behind them.
      return first ? Verdict::kRefused : Verdict::kLater;
  }
}

NumberedBatches::Verdict NumberedBatches::out_of_turn(const BatchReply& reply) {
  const uint64_t expected = reply.expected_number;
  if (expected == 0) return Verdict::kTurn;
  // Those behind a refused batch follow it when it is sent again; where that is not the first one,
  // those before it are there, and only the answers were lost.
  if (expected >= front().number && reply.number > expected) return Verdict::kLater;
  if (expected > acked_number_ && expected < front().number) {
    renumber_from_ = expected;
    return Verdict::kLater;
  }
  return Verdict::kConflict;
}

void NumberedBatches::acknowledge_front() {
  acked_number_ = front().number;
  pop_front();
}

void NumberedBatches::drop_front() { pop_front(); }

void NumberedBatches::pop_front() {
  bytes_ -= front().bytes;
  batches_.pop_front();
  if (sent_ > 0) --sent_;
}

absl::Status NumberedBatches::conflict(const BatchReply& reply) const {
  const std::string next = std::to_string(front().number);
  const std::string expects = "the server expects batch " + std::to_string(reply.expected_number) +
                              " of this producer, and batch " + next + " is next: ";
  if (reply.expected_number > acked_number_) {
    return absl::FailedPreconditionError(expects + "another program sends under the same name");
  }
  return absl::DataLossError(
      expects + "it has forgotten batches " + std::to_string(reply.expected_number) + " to " +
      std::to_string(acked_number_) +
      " though they were acknowledged (was it put in place by force, or started on another data "
      "directory?), or another program sends under the same name");
}

}  // namespace pollux
