#include "server/node/sequencer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pollux {

int64_t Sequencer::now_ms() {
  last_ms_ = std::max(last_ms_, clock_());
  return last_ms_;
}

SchemaPtr Sequencer::schema_of(std::string_view stream) const {
  std::lock_guard lock(mutex_);
  auto route = routes_.find(stream);
  return route == routes_.end() ? nullptr : route->second.schema;
}

Submitted Sequencer::refuse(absl::Status status) {
  (absl::IsResourceExhausted(status) ? counts_.refused_full : counts_.refused_other) += 1;
  Submitted refused;
  refused.status = std::move(status);
  return refused;
}

/// False, with what to answer, when the batch is of attributes that its stream no longer has.
bool Sequencer::fits(const Submission& submission, const Route& route, Submitted& refusal) {
  const Schema& schema = submission.batch->schema();
  if (route.schema == submission.batch->schema_ptr() || route.schema->same_attributes(schema)) {
    return true;
  }
  refusal = refuse(absl::AbortedError(absl::StrCat("the attributes of stream '", schema.name(),
                                                   "' have just changed; send again")));
  return false;
}

/// False, with what to answer, when the batch is not to be taken now or ever.
bool Sequencer::admit(const Submission& submission, const Route* route, Submitted& refusal) {
  const std::string& stream = submission.batch->schema().name();
  if (stopped_) {
    refusal = refuse(absl::UnavailableError("the node is stopping"));
    return false;
  }
  if (route == nullptr) {
    refusal = refuse(absl::NotFoundError(absl::StrCat("no plan takes a stream '", stream, "'")));
    return false;
  }
  if (!fits(submission, *route, refusal)) return false;
  if (submission.producer.empty()) return true;
  ProducerTable::Judged judged = producers_.judge(submission.producer, submission.number, now_ms());
  switch (judged.verdict) {
    case ProducerTable::Verdict::kNext:
      return true;
    case ProducerTable::Verdict::kSeen:
      ++counts_.duplicates;
      refusal = {};
      refusal.id = judged.last;
      refusal.duplicate = true;
      return false;
    case ProducerTable::Verdict::kOutOfTurn:
      refusal = refuse(absl::FailedPreconditionError(
          absl::StrCat("producer '", submission.producer, "' sent number ", submission.number,
                       ", but its next one is ", judged.expected)));
      refusal.expected_number = judged.expected;
      return false;
    case ProducerTable::Verdict::kTooMany:
      refusal =
          refuse(absl::ResourceExhaustedError("too many producers are known; use fewer names"));
      return false;
  }
  return false;
}

bool Sequencer::has_room(const Route& route, const EventBatch& batch) {
  bool room = true;
  for (const auto& shard : route.shards) room = shard->has_room(batch.bytes_held()) && room;
  return room;
}

/// Numbers the batch and hands it to its shards.
Submitted Sequencer::place(const Submission& submission, Route& route) {
  Submitted placed;
  placed.id = next_id();
  placed.accepted = submission.batch->rows();
  Entry entry{placed.id, {now_ms()}, EventsPayload{submission.batch}};
  size_t bytes = submission.batch->bytes_held();
  for (const auto& shard : route.shards) shard->push(entry, bytes);
  if (!submission.producer.empty()) {
    producers_.take(submission.producer, submission.number, placed.id, last_ms_);
  }
  ++counts_.entries;
  counts_.events += placed.accepted;
  return placed;
}

void Sequencer::submit(Submission submission, std::function<void(Submitted)> done) {
  Submitted answer;
  {
    std::lock_guard lock(mutex_);
    auto found = routes_.find(submission.batch->schema().name());
    Route* route = found == routes_.end() ? nullptr : &found->second;
    if (admit(submission, route, answer)) {
      bool room = route->waiting.empty() && has_room(*route, *submission.batch);
      if (room) {
        answer = place(submission, *route);
      } else if (submission.wait) {
        if (!submission.producer.empty()) {
          producers_.take(submission.producer, submission.number, {}, last_ms_);
        }
        ++counts_.waiting;
        route->waiting.push_back({std::move(submission), std::move(done)});
        return;
      } else {
        answer = refuse(absl::ResourceExhaustedError(
            absl::StrCat("the plans that take stream '", found->first, "' are behind; try again")));
        answer.retry_after = kRetryAfter;
      }
    }
  }
  done(std::move(answer));
}

void Sequencer::make(Calls calls) {
  for (auto& [done, answer] : calls) done(std::move(answer));
}

void Sequencer::room_made() {
  Calls calls;
  {
    std::lock_guard lock(mutex_);
    for (auto& [stream, route] : routes_) {
      while (!route.waiting.empty() && has_room(route, *route.waiting.front().submission.batch)) {
        Waiting next = std::move(route.waiting.front());
        route.waiting.pop_front();
        --counts_.waiting;
        Submitted answer;
        if (fits(next.submission, route, answer)) answer = place(next.submission, route);
        calls.emplace_back(std::move(next.done), std::move(answer));
      }
    }
  }
  make(std::move(calls));
}

EntryId Sequencer::deploy(const std::shared_ptr<Shard>& shard, DeployPayload plan,
                          const std::vector<SchemaPtr>& inputs,
                          const std::shared_ptr<Shard>& replaced) {
  Calls calls;
  EntryId id;
  {
    std::lock_guard lock(mutex_);
    id = next_id();
    ++counts_.entries;
    shard->push({id, {now_ms()}, std::move(plan)}, 0);
    for (const SchemaPtr& schema : inputs) {
      Route& route = routes_[schema->name()];
      bool only_replaced = route.shards.size() == 1 && route.shards[0] == replaced;
      if (route.schema == nullptr || only_replaced) route.schema = schema;
      route.shards.push_back(shard);
    }
    if (replaced != nullptr) drop_routes(replaced, calls);
  }
  make(std::move(calls));
  return id;
}

void Sequencer::undeploy(const std::shared_ptr<Shard>& shard) {
  Calls calls;
  {
    std::lock_guard lock(mutex_);
    ++counts_.entries;
    shard->push({next_id(), {now_ms()}, UndeployPayload{shard->plan()}}, 0);
    drop_routes(shard, calls);
  }
  make(std::move(calls));
}

/// The shard takes nothing more; who waits for streams that are gone hears so.
void Sequencer::drop_routes(const std::shared_ptr<Shard>& shard, Calls& calls) {
  for (auto route = routes_.begin(); route != routes_.end();) {
    std::erase(route->second.shards, shard);
    if (!route->second.shards.empty()) {
      ++route;
      continue;
    }
    for (Waiting& waiting : route->second.waiting) {
      producers_.take_back(waiting.submission.producer, waiting.submission.number);
      --counts_.waiting;
      calls.emplace_back(std::move(waiting.done),
                         refuse(absl::NotFoundError(absl::StrCat("the plan that took stream '",
                                                                 route->first, "' is gone"))));
    }
    route = routes_.erase(route);
  }
}

absl::Status Sequencer::write(Shard& shard, WritePayload payload, Shard::Applied applied) {
  std::lock_guard lock(mutex_);
  if (stopped_) return absl::UnavailableError("the node is stopping");
  size_t bytes = payload.text.size();
  if (!shard.has_room(bytes)) {
    return absl::ResourceExhaustedError("the plan's queue is full; try again");
  }
  ++counts_.entries;
  shard.push({next_id(), {now_ms()}, std::move(payload)}, bytes, std::move(applied));
  return absl::OkStatus();
}

void Sequencer::tick(Shard& shard) {
  std::lock_guard lock(mutex_);
  ++counts_.entries;
  shard.push({next_id(), {now_ms()}, TickPayload{}}, 0);
}

void Sequencer::stop() {
  Calls calls;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    for (auto& [stream, route] : routes_) {
      for (Waiting& waiting : route.waiting) {
        --counts_.waiting;
        calls.emplace_back(std::move(waiting.done),
                           refuse(absl::UnavailableError("the node is stopping")));
      }
      route.waiting.clear();
    }
  }
  make(std::move(calls));
}

SequencerCounts Sequencer::counts() const {
  std::lock_guard lock(mutex_);
  SequencerCounts counts = counts_;
  counts.producers = producers_.size();
  counts.last = {epoch_, {position_}};
  return counts;
}

}  // namespace pollux
