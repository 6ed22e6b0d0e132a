#include "server/pair/pair_intake.h"

#include <utility>

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

void PairIntake::set_link(PeerLink* link) {
  std::lock_guard lock(link_mutex_);
  link_ = link;
}

void PairIntake::submit(Submission submission, std::function<void(Submitted)> done) {
  if (node_.leads()) return node_.intake().submit(std::move(submission), std::move(done));
  ForwardedBatch batch;
  batch.events = {submission.batch, submission.producer, submission.number};
  batch.wait = submission.wait;
  uint64_t number = 0;
  {
    std::lock_guard lock(mutex_);
    number = ++last_;
    forwarded_.emplace(number, Forwarded{std::move(submission), std::move(done)});
  }
  forward(number, std::move(batch));
  if (node_.leads()) take_back();
}

void PairIntake::forward(uint64_t number, ForwardedBatch batch) {
  std::lock_guard lock(link_mutex_);
  if (link_ != nullptr) {
    link_->forward(std::move(batch), [this, number](ForwardedAnswer answered) {
      answer(number, std::move(answered));
    });
  } else {
    ForwardedAnswer refused;
    refused.status = absl::UnavailableError("this node does not lead, and starts or stops");
    answer(number, std::move(refused));
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
  }
  forwarded.done(to_submitted(std::move(answer)));
}

void PairIntake::take_back() {
  std::map<uint64_t, Forwarded> all;
  {
    std::lock_guard lock(mutex_);
    all = std::exchange(forwarded_, {});
  }
  for (auto& [number, forwarded] : all) {
    if (!forwarded.submission.producer.empty()) {
      node_.intake().submit(std::move(forwarded.submission), std::move(forwarded.done));
      continue;
    }
    Submitted unknown;
    unknown.status =
        absl::UnavailableError("the outcome is unknown, send again: the node that led is gone");
    forwarded.done(std::move(unknown));
  }
}

void PairIntake::take_forwarded(ForwardedBatch batch, const ForwardAnswerer& answer) {
  Submission submission;
  submission.batch = std::move(batch.events.batch);
  submission.producer = std::move(batch.events.producer);
  submission.number = batch.events.number;
  submission.receiver = "forward";
  submission.wait = batch.wait;
  node_.intake().submit(std::move(submission),
                        [answer](Submitted submitted) { answer(to_answer(std::move(submitted))); });
}

}  // namespace pollux
