#include "server/pair/pair_intake.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

Submitted to_submitted(ForwardedAnswer answer) {
  Submitted submitted;
  submitted.status = std::move(answer.status);
  submitted.id = answer.id;
  submitted.accepted = answer.accepted;
  submitted.duplicate = answer.duplicate;
  submitted.expected_number = answer.expected_number;
  submitted.retry_after = std::chrono::milliseconds(answer.retry_after_ms);
  return submitted;
}

ForwardedAnswer to_answer(Submitted submitted) {
  ForwardedAnswer answer;
  answer.status = std::move(submitted.status);
  answer.id = submitted.id;
  answer.accepted = submitted.accepted;
  answer.duplicate = submitted.duplicate;
  answer.expected_number = submitted.expected_number;
  answer.retry_after_ms = static_cast<uint64_t>(submitted.retry_after.count());
  return answer;
}

}  // namespace

PairIntake::PairIntake(Node& node, IdentityTable& identities, std::function<void()> on_copies)
    : node_(node),
      copies_(std::make_unique<HeldCopies>(node, identities)),
      on_copies_(std::move(on_copies)) {}

void PairIntake::set_link(PeerLink* link) {
  {
    std::lock_guard lock(link_mutex_);
    link_ = link;
  }
  stopped_ = link == nullptr;
  if (stopped_) refuse_copies();
}

void PairIntake::submit(Submission submission, std::function<void(Submitted)> done) {
  const bool copy = copies_ != nullptr && copies_->holds(*submission.batch);
  // Receivers of both nodes read each at its own pace: their numbers do not mean the same batches.
  if (copy && submission.receiver == "file") {
    submission.producer.clear();
    submission.number = 0;
  }
  if (node_.leads()) {
    // What came before goes before.
    if (copy) take_back_copies();
    if (forwarded_count_ > 0) take_back_forwarded();
    return node_.intake().submit(std::move(submission), std::move(done));
  }
  if (copy) return hold(std::move(submission), std::move(done));
  ForwardedBatch batch;
  batch.events = {submission.batch, submission.producer, submission.number};
  batch.wait = submission.wait;
  uint64_t number = 0;
  {
    std::lock_guard lock(mutex_);
    number = ++last_;
    forwarded_.emplace(number, Forwarded{std::move(submission), std::move(done)});
    ++forwarded_count_;
  }
  send(std::move(batch),
       [this, number](ForwardedAnswer answered) { answer(number, std::move(answered)); });
  if (node_.leads()) take_back();
}

void PairIntake::send(ForwardedBatch batch, std::function<void(ForwardedAnswer)> done) {
  std::lock_guard lock(link_mutex_);
  if (link_ != nullptr) {
    // Another version knows nothing of copies.
    if (link_->version() < kCopiesVersion) batch.copy.reset();
    link_->forward(std::move(batch), std::move(done));
  } else {
    ForwardedAnswer refused;
    refused.status = absl::UnavailableError("this node does not lead, and starts or stops");
    done(std::move(refused));
  }
}

void PairIntake::hold(Submission submission, std::function<void(Submitted)> done) {
  copies_->hold({std::move(submission), std::move(done)}, HeldCopies::Clock::now());
  on_copies_();
  if (node_.leads()) take_back();
  if (stopped_) refuse_copies();
}

void PairIntake::forward_copies() {
  if (copies_ == nullptr || node_.leads()) return;
  for (HeldCopies::Due& due : copies_->due(HeldCopies::Clock::now())) {
    send(std::move(due.batch), [this, copy = due.copy](ForwardedAnswer answered) {
      // The batches before it may have come to the other node since: their sender must not hear of
      // a number that it expects no more.
      if (absl::IsFailedPrecondition(answered.status)) {
        answered.status = absl::UnavailableError(
            absl::StrCat("send again, in order: ", std::string(answered.status.message())));
        answered.expected_number = 0;
      }
      copies_->answer(copy, to_submitted(std::move(answered)));
    });
  }
}

void PairIntake::refuse_copies() {
  if (copies_ == nullptr) return;
  for (HeldCopies::Copy& copy : copies_->take_all()) {
    Submitted unknown;
    unknown.status = absl::UnavailableError("the outcome is unknown, send again: the node stops");
    copy.done(std::move(unknown));
  }
}

void PairIntake::answer(uint64_t number, ForwardedAnswer answer) {
  Forwarded forwarded;
  {
    std::lock_guard lock(mutex_);
    auto found = forwarded_.find(number);
    if (found == forwarded_.end()) return;  // was taken back
    forwarded = std::move(found->second);
    forwarded_.erase(found);
    --forwarded_count_;
  }
  forwarded.done(to_submitted(std::move(answer)));
}

/// Those that were numbered already are known as such.
void PairIntake::take_back_copies() {
  if (copies_ == nullptr) return;
  std::lock_guard lock(taking_back_);
  for (HeldCopies::Copy& copy : copies_->take_all()) {
    node_.intake().submit(std::move(copy.submission), std::move(copy.done));
  }
}

void PairIntake::take_back() {
  take_back_copies();
  take_back_forwarded();
}

/// One at a time, counted until it is handed over: an answer may bring the next batch on the same
/// thread, and another thread may have one that waits for these.
void PairIntake::take_back_forwarded() {
  std::lock_guard taking(taking_back_);
  while (true) {
    Forwarded forwarded;
    {
      std::lock_guard lock(mutex_);
      if (forwarded_.empty()) return;
      forwarded = std::move(forwarded_.extract(forwarded_.begin()).mapped());
    }
    if (!forwarded.submission.producer.empty()) {
      node_.intake().submit(std::move(forwarded.submission), std::move(forwarded.done));
    } else {
      Submitted unknown;
      unknown.status =
          absl::UnavailableError("the outcome is unknown, send again: the node that led is gone");
      forwarded.done(std::move(unknown));
    }
    --forwarded_count_;
  }
}

void PairIntake::take_forwarded(ForwardedBatch batch, const ForwardAnswerer& answer) {
  Submission submission;
  submission.batch = std::move(batch.events.batch);
  submission.producer = std::move(batch.events.producer);
  submission.number = batch.events.number;
  submission.receiver = "forward";
  submission.wait = batch.wait;
  submission.copy = std::move(batch.copy);
  node_.intake().submit(std::move(submission),
                        [answer](Submitted submitted) { answer(to_answer(std::move(submitted))); });
}

}  // namespace pollux
