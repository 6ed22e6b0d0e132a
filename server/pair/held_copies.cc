#include "server/pair/held_copies.h"

#include <algorithm>
#include <memory>

namespace pollux {

void HeldCopies::hold(Copy copy, Clock::time_point now) {
  std::optional<Submitted> answer;
  {
    std::lock_guard lock(mutex_);
    answer = judge(copy.submission);
    if (!answer) {
      Held held;
      held.bytes = copy.submission.batch->bytes_held();
      held.since = now;
      held.copy = std::move(copy);
      if (enlist(++last_, held)) {
        counts_.bytes += held.bytes;
        held_.emplace(last_, std::move(held));
        return;
      }
      copy = std::move(held.copy);
      answer.emplace();
      answer->duplicate = true;
      answer->id = node_.counts().last;
    }
  }
  copy.done(*std::move(answer));
}

/// What to answer at once.
std::optional<Submitted> HeldCopies::judge(const Submission& submission) const {
  Submitted answer;
  if (!submission.producer.empty()) {
    const auto judged = node_.judge(submission.producer, submission.number);
    if (judged.verdict == ProducerTable::Verdict::kSeen) {
      answer.duplicate = true;
      answer.id = judged.last;
      return answer;
    }
  }
  const size_t bytes = counts_.bytes + submission.batch->bytes_held();
  if (!held_.empty() && (held_.size() >= limits_.copies_max || bytes > limits_.bytes_max)) {
    answer.status = absl::ResourceExhaustedError(
        "as many copies as are taken wait for the node that leads; try again");
    answer.retry_after = std::chrono::milliseconds(100);
    return answer;
  }
  return std::nullopt;
}

/// False: all its events are committed already.
bool HeldCopies::enlist(uint64_t copy, Held& held) {
  const Submission& submission = held.copy.submission;
  if (!submission.producer.empty()) {
    numbers_[{submission.producer, submission.number}].push_back(copy);
    return true;
  }
  held.rows = identities_.streams().identities(*submission.batch);
  held.receipts = identities_.receive(held.rows);
  held.open.resize(held.rows.size());
  for (uint32_t row = 0; row < held.rows.size(); ++row) {
    if (identities_.is_numbered(held.rows[row], held.receipts[row])) continue;
    held.open[row] = true;
    ++held.rows_open;
    rows_[held.rows[row]].push_back({copy, row});
  }
  return held.rows_open > 0;
}

void HeldCopies::drop_row(const RowIdentity& identity, Row row) {
  auto found = rows_.find(identity);
  std::erase_if(found->second,
                [&](const Row& each) { return each.copy == row.copy && each.row == row.row; });
  if (found->second.empty()) rows_.erase(found);
}

HeldCopies::Copy HeldCopies::drop(HeldMap::iterator at) {
  Held held = std::move(at->second);
  const uint64_t copy = at->first;
  held_.erase(at);
  counts_.bytes -= held.bytes;
  for (uint32_t row = 0; row < held.rows.size(); ++row) {
    if (held.open[row]) drop_row(held.rows[row], {copy, row});
  }
  const Submission& submission = held.copy.submission;
  if (!submission.producer.empty()) {
    auto found = numbers_.find({submission.producer, submission.number});
    std::erase(found->second, copy);
    if (found->second.empty()) numbers_.erase(found);
  }
  return std::move(held.copy);
}

void HeldCopies::note_committed(const Entry& entry) {
  const auto* events = std::get_if<EventsPayload>(&entry.payload);
  if (events == nullptr || !holds(*events->batch)) return;
  std::vector<Copy> answered;
  {
    std::lock_guard lock(mutex_);
    if (held_.empty()) return;
    events->producer.empty() ? note_rows(*events->batch, answered) : note_number(*events, answered);
  }
  for (const Copy& copy : answered) {
    Submitted submitted;
    submitted.id = entry.id;
    submitted.accepted = copy.submission.batch->rows();
    copy.done(std::move(submitted));
  }
}

void HeldCopies::note_number(const EventsPayload& events, std::vector<Copy>& answered) {
  auto found = numbers_.find({events.producer, events.number});
  if (found == numbers_.end()) return;
  const std::vector<uint64_t> copies = found->second;
  for (uint64_t copy : copies) answered.push_back(drop(held_.find(copy)));
}

void HeldCopies::note_rows(const EventBatch& batch, std::vector<Copy>& answered) {
  for (const RowIdentity& identity : identities_.streams().identities(batch)) {
    auto found = rows_.find(identity);
    if (found == rows_.end()) continue;
    const std::vector<Row> waiting = found->second;
    for (const Row& row : waiting) {
      auto at = held_.find(row.copy);
      Held& held = at->second;
      if (!identities_.is_numbered(identity, held.receipts[row.row])) continue;
      held.open[row.row] = false;
      drop_row(identity, row);
      if (--held.rows_open == 0) answered.push_back(drop(at));
    }
  }
}

std::vector<HeldCopies::Due> HeldCopies::due(Clock::time_point now) {
  std::vector<Due> all;
  std::lock_guard lock(mutex_);
  if (held_.empty()) return all;
  const Position behind = node_.counts().last.position;
  for (auto& [copy, held] : held_) {
    if (held.since + limits_.patience > now) break;
    if (held.forwarded) continue;
    held.forwarded = true;
    ++counts_.forwarded;
    all.push_back({copy, batch_of(held, behind)});
  }
  return all;
}

/// Of what is open of it.
ForwardedBatch HeldCopies::batch_of(const Held& held, Position behind) const {
  const Submission& submission = held.copy.submission;
  ForwardedBatch batch;
  batch.events = {submission.batch, submission.producer, submission.number};
  batch.wait = submission.wait;
  if (held.rows.empty()) return batch;
  batch.copy.emplace();
  batch.copy->behind = behind;
  auto open = std::make_shared<EventBatch>(submission.batch->schema_ptr());
  open->set_one_chunk(submission.batch->one_chunk());
  for (uint32_t row = 0; row < held.rows.size(); ++row) {
    if (!held.open[row]) continue;
    append_row(*open, *submission.batch, row);
    batch.copy->beyond.push_back(identities_.beyond(held.rows[row], held.receipts[row]));
  }
  batch.events.batch = std::move(open);
  return batch;
}

void HeldCopies::answer(uint64_t copy, Submitted submitted) {
  Copy answered;
  {
    std::lock_guard lock(mutex_);
    auto at = held_.find(copy);
    if (at == held_.end()) return;
    if (!submitted.status.ok()) identities_.give_back(at->second.rows);
    answered = drop(at);
  }
  if (submitted.status.ok() && !submitted.duplicate) {
    submitted.accepted = answered.submission.batch->rows();
  }
  answered.done(std::move(submitted));
}

std::vector<HeldCopies::Copy> HeldCopies::take_all() {
  std::vector<Copy> all;
  std::lock_guard lock(mutex_);
  while (!held_.empty()) {
    auto first = held_.begin();
    identities_.give_back(first->second.rows);
    all.push_back(drop(first));
  }
  return all;
}

/// Null: not all of them are here.
std::shared_ptr<EventBatch> HeldCopies::events_of(const EventsOrder& order) const {
  auto events = std::make_shared<EventBatch>(order.schema);
  if (order.rows.empty()) {
    auto found = numbers_.find({order.producer, order.number});
    if (found == numbers_.end()) return nullptr;
    const EventBatch& copy = *held_.find(found->second.front())->second.copy.submission.batch;
    if (is_of_stream(order, copy)) append_batch(*events, copy);
    return events;
  }
  for (const RowIdentity& row : order.rows) {
    if (!rows_.contains(row)) return nullptr;
  }
  for (const RowIdentity& row : order.rows) {
    const Row& first = rows_.find(row)->second.front();
    const EventBatch& copy = *held_.find(first.copy)->second.copy.submission.batch;
    if (!is_of_stream(order, copy)) return events;
    append_row(*events, copy, first.row);
  }
  return events;
}

CopySource::Look HeldCopies::look(const EventsOrder& order, Entry& entry) {
  std::shared_ptr<EventBatch> events;
  {
    std::lock_guard lock(mutex_);
    events = events_of(order);
  }
  if (events == nullptr) return Look::kMissing;
  if (events->rows() != order.times.size()) return Look::kOther;
  std::optional<Entry> made = entry_of(order, std::move(events));
  if (!made) return Look::kOther;
  entry = *std::move(made);
  return Look::kFound;
}

HeldCounts HeldCopies::counts() const {
  std::lock_guard lock(mutex_);
  HeldCounts counts = counts_;
  counts.held = held_.size();
  return counts;
}

}  // namespace pollux
