#include "server/tool/send/ordered_sender.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace pollux::tool {

namespace {

constexpr std::chrono::milliseconds kFirstDelay{20};
constexpr std::chrono::milliseconds kDelayMax{2'000};

absl::Status numbers_differ(uint64_t expected, uint64_t next) {
  return absl::DataLossError(
      "the server expects batch " + std::to_string(expected) + " of this producer, and batch " +
      std::to_string(next) +
      " is next: it has forgotten what it acknowledged (was it started anew?), or another program "
      "sends under the same name");
}

}  // namespace

OrderedSender::OrderedSender(OpenChannel open, std::chrono::milliseconds retry_for,
                             std::function<void(const std::string&)> tell)
    : open_(std::move(open)),
      retry_for_(retry_for),
      tell_(std::move(tell)),
      progress_(Clock::now()) {}

absl::Status OrderedSender::connect() {
  auto on_reply = [this](BatchReply reply) {
    const Clock::time_point now = Clock::now();
    std::lock_guard lock(mutex_);
    arrived_.push_back({std::move(reply), now});
  };
  absl::StatusOr<std::unique_ptr<BatchChannel>> channel = open_(on_reply);
  if (!channel.ok()) return channel.status();
  channel_ = *std::move(channel);
  return absl::OkStatus();
}

absl::Status OrderedSender::send(EventBatchPtr batch) {
  take_replies();
  if (absl::Status status = recover(); !status.ok()) return status;
  // Nothing on the way: a pause of the input's is no lack of progress.
  if (unanswered_.empty()) progress_ = Clock::now();
  totals_.sent += batch->rows();
  unanswered_.push_back({++last_number_, std::move(batch), {}});
  transmit(unanswered_.back());
  take_replies();
  return fatal_;
}

absl::Status OrderedSender::finish() {
  while (!unanswered_.empty()) {
    absl::Status flushed = channel_->flush();
    take_replies();
    if (!flushed.ok() && !unanswered_.empty()) note(Trouble::kBroken, flushed);
    if (absl::Status status = recover(); !status.ok()) return status;
  }
  return fatal_;
}

const SendTotals& OrderedSender::totals() {
  take_replies();
  return totals_;
}

void OrderedSender::transmit(Unanswered& batch) {
  batch.sent = Clock::now();
  if (absl::Status status = channel_->send(*batch.batch, batch.number); !status.ok()) {
    note(Trouble::kBroken, status);
  }
}

void OrderedSender::take_replies() {
  std::vector<Arrived> arrived;
  {
    std::lock_guard lock(mutex_);
    arrived.swap(arrived_);
  }
  for (const Arrived& one : arrived) take(one);
}

void OrderedSender::take(const Arrived& arrived) {
  const BatchReply& reply = arrived.reply;
  if (unanswered_.empty() || reply.number < unanswered_.front().number) return;  // sent twice
  switch (reply.status.code()) {
    case absl::StatusCode::kOk:
      return acknowledge(arrived);
    case absl::StatusCode::kResourceExhausted:
      for (const Unanswered& batch : unanswered_) {
        if (batch.number == reply.number) totals_.refused += batch.batch->rows();
      }
      retry_after_ms_ = std::max(retry_after_ms_, reply.retry_after_ms);
      return note(Trouble::kRefused, reply.status);
    case absl::StatusCode::kFailedPrecondition:
      // Those behind a refused batch are out of turn; they follow it when it is sent again.
      if (reply.expected_number == unanswered_.front().number &&
          reply.number > unanswered_.front().number) {
        return note(Trouble::kRefused, reply.status);
      }
      fatal_ = numbers_differ(reply.expected_number, unanswered_.front().number);
      return;
    case absl::StatusCode::kUnavailable:
      return note(Trouble::kBroken, reply.status);
    default:
      fatal_ = reply.status;
      details_ = reply.details;
  }
}

void OrderedSender::acknowledge(const Arrived& arrived) {
  const Unanswered& batch = unanswered_.front();
  if (arrived.reply.number != batch.number) {
    fatal_ = absl::InternalError("the server acknowledged batch " +
                                 std::to_string(arrived.reply.number) + " before batch " +
                                 std::to_string(batch.number));
    return;
  }
  totals_.acked += batch.batch->rows();
  if (arrived.reply.duplicate) totals_.duplicates += batch.batch->rows();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(arrived.at - batch.sent);
  totals_.latency_us.add(static_cast<uint64_t>(std::max<int64_t>(took.count(), 0)));
  progress_ = arrived.at;
  delay_ = {};
  unanswered_.pop_front();
}

void OrderedSender::note(Trouble trouble, const absl::Status& why) {
  // What the server does not understand, it will not understand when it comes again.
  if (absl::IsInvalidArgument(why) || absl::IsUnimplemented(why)) fatal_ = why;
  if (trouble <= trouble_) return;
  trouble_ = trouble;
  why_ = why;
}

absl::Status OrderedSender::recover() {
  while (fatal_.ok() && trouble_ != Trouble::kNone) {
    // What is still on the way is answered first, so that no batch overtakes another.
    if (trouble_ == Trouble::kRefused) {
      absl::Status flushed = channel_->flush();
      take_replies();
      if (!flushed.ok()) note(Trouble::kBroken, flushed);
    }
    if (unanswered_.empty()) trouble_ = Trouble::kNone;
    if (!fatal_.ok() || trouble_ == Trouble::kNone) break;
    if (Clock::now() - progress_ > retry_for_) return give_up();
    if (trouble_ == Trouble::kBroken && delay_.count() == 0) {
      tell_(std::string(why_.message()) + "; connecting again");
    }
    delay_ = std::clamp(delay_ * 2, kFirstDelay, kDelayMax);
    std::this_thread::sleep_for(
        std::max(delay_, std::chrono::milliseconds(std::exchange(retry_after_ms_, 0))));
    const bool reconnect = std::exchange(trouble_, Trouble::kNone) == Trouble::kBroken;
    if (reconnect) reopen();
    for (size_t i = 0; i < unanswered_.size() && trouble_ == Trouble::kNone; ++i) {
      transmit(unanswered_[i]);
    }
    take_replies();
  }
  return fatal_;
}

void OrderedSender::reopen() {
  channel_.reset();
  take_replies();
  trouble_ = Trouble::kNone;  // that of the old channel
  ++totals_.reconnects;
  if (absl::Status status = connect(); !status.ok()) note(Trouble::kBroken, status);
}

absl::Status OrderedSender::give_up() const {
  return absl::Status(why_.code(), "gave up after " + std::to_string(retry_for_.count() / 1000) +
                                       " s without progress: " + std::string(why_.message()));
}

}  // namespace pollux::tool
