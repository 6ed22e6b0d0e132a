#include "server/node/sequencer.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

/// What a sender is told whose batch was numbered, when the journal then fails.
absl::Status unknown_outcome(const absl::Status& why) {
  const std::string text(why.message());
  if (text.starts_with("the outcome is unknown")) return why;
  return absl::UnavailableError(absl::StrCat("the outcome is unknown, send again: ", text));
}

size_t bytes_of(const Submission& submission) {
  size_t bytes = submission.batch->bytes_held();
  for (const FoundRows& found : submission.found) bytes += found.rows->bytes_held();
  return bytes;
}

/// Hands an entry that is committed to whoever takes it.
void deliver(const Entry& entry, size_t bytes, const std::vector<std::shared_ptr<Shard>>& shards,
             const Shard::OutputsPtr& outputs, const Shard::Applied& applied) {
  for (const auto& shard : shards) shard->push(entry, bytes, applied, outputs);
}

}  // namespace

int64_t Sequencer::now_ms() {
  last_ms_ = std::max(last_ms_, clock_());
  return last_ms_;
}

SchemaPtr Sequencer::schema_of(std::string_view stream) const {
  std::lock_guard lock(mutex_);
  auto route = routes_.find(stream);
  return route == routes_.end() ? nullptr : route->second.schema;
}

absl::Status Sequencer::why_unknown(std::string_view stream) const {
  std::lock_guard lock(mutex_);
  if (!stopped_.ok()) return stopped_;
  return absl::NotFoundError(absl::StrCat("no plan takes a stream '", std::string(stream), "'"));
}

Submitted Sequencer::refuse(absl::Status status) {
  std::lock_guard lock(mutex_);
  return refused(std::move(status));
}

/// Under the lock.
Submitted Sequencer::refused(absl::Status status) {
  (absl::IsResourceExhausted(status) ? counts_.refused_full : counts_.refused_other) += 1;
  Submitted answer;
  if (absl::IsResourceExhausted(status)) answer.retry_after = kRetryAfter;
  answer.status = std::move(status);
  return answer;
}

/// False, with what to answer, when the batch is of attributes that its stream no longer has.
bool Sequencer::fits(const Submission& submission, const Route& route, Submitted& refusal) {
  const Schema& schema = submission.batch->schema();
  if (route.schema == submission.batch->schema_ptr() || route.schema->same_attributes(schema)) {
    return true;
  }
  refusal = refused(absl::AbortedError(absl::StrCat("the attributes of stream '", schema.name(),
                                                    "' have just changed; send again")));
  return false;
}

/// False, with what to answer, when the batch is not to be taken now or ever. `waits`: the number
/// of its producer's behind which it would wait; 0: of none.
bool Sequencer::admit(const Submission& submission, const Route* route, uint64_t waits,
                      Submitted& refusal) {
  const std::string& stream = submission.batch->schema().name();
  if (!stopped_.ok()) {
    refusal = refused(stopped_);
    return false;
  }
  if (route == nullptr) {
    refusal = refused(absl::NotFoundError(absl::StrCat("no plan takes a stream '", stream, "'")));
    return false;
  }
  if (!fits(submission, *route, refusal)) return false;
  if (submission.batch->bytes_held() > kBatchBytesMax) {
    refusal = refused(absl::InvalidArgumentError(
        absl::StrCat("a batch may have ", kBatchBytesMax, " bytes; send smaller ones")));
    return false;
  }
  return submission.producer.empty() || is_in_turn(submission, waits, refusal);
}

/// False, with what to answer, unless it is the producer's next one, also behind those that wait.
bool Sequencer::is_in_turn(const Submission& submission, uint64_t waits, Submitted& refusal) {
  const std::string& producer = submission.producer;
  if (waiting_numbers_.has(producer, submission.number)) {
    refusal = refused(absl::ResourceExhaustedError("the batch still waits for room"));
    return false;
  }
  ProducerTable::Judged judged = producers_.judge(producer, submission.number);
  if (judged.verdict == ProducerTable::Verdict::kOutOfTurn && waits != 0) {
    if (submission.number == waits + 1) return true;
    judged.expected = waits + 1;
  }
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
      refusal = refused(absl::FailedPreconditionError(
          absl::StrCat("producer '", producer, "' sent number ", submission.number,
                       ", but its next one is ", judged.expected)));
      refusal.expected_number = judged.expected;
      return false;
    case ProducerTable::Verdict::kTooMany:
      refusal =
          refused(absl::ResourceExhaustedError("too many producers are known; use fewer names"));
      return false;
  }
  return false;
}

/// Why not, where there is no room.
absl::Status Sequencer::room_for(const Route& route, const Submission& submission) const {
  const EventBatch& batch = *submission.batch;
  const size_t bytes = bytes_of(submission);
  bool room = true;
  for (const auto& shard : route.shards) room = shard->has_room(bytes) && room;
  if (!room) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the plans that take stream '", batch.schema().name(), "' are behind; try again"));
  }
  return log_ == nullptr ? absl::OkStatus() : log_->room_for(bytes);
}

/// Numbers an entry; it reaches its shards once it is committed.
Sequencer::Ordered Sequencer::hand_over(EntryPayload payload, Numbered numbered, Calls& calls) {
  Ordered ordered{next_id(), {now_ms()}};
  ++counts_.entries;
  numbered.entry = {ordered.id, ordered.timestamp, std::move(payload)};
  for (const auto& shard : numbered.shards) shard->reserve(numbered.entry, numbered.bytes);
  if (log_ == nullptr) {
    deliver(numbered.entry, numbered.bytes, numbered.shards, numbered.outputs, numbered.applied);
    if (numbered.committed) {
      calls.push_back([committed = std::move(numbered.committed)] { committed({}); });
    }
    return ordered;
  }
  Entry entry = std::move(numbered.entry);
  size_t bytes = numbered.bytes;
  log_->append(std::move(entry), bytes,
               [this, numbered = std::move(numbered), begun = std::chrono::steady_clock::now()](
                   const Entry& committed, const absl::Status& status) {
                 if (status.ok()) {
                   commit_latency_.note(std::chrono::steady_clock::now() - begun);
                   deliver(committed, numbered.bytes, numbered.shards, numbered.outputs,
                           numbered.applied);
                   if (shared_) note_committed(committed);
                 } else {
                   for (const auto& shard : numbered.shards)
                     shard->give_back(committed, numbered.bytes);
                 }
                 if (numbered.committed) numbered.committed(status);
               });
  return ordered;
}

/// Of copies of events whose other copies may have come: keeps the rows that have not been numbered
/// yet, and numbers them. False: there are none, and the sender hears so once those that were are
/// committed.
bool Sequencer::take_fresh(Submission& submission, std::function<void(Submitted)>& done,
                           Calls& calls) {
  if (identities_ == nullptr || !identities_->counts(*submission.batch, submission.producer)) {
    return true;
  }
  const EventBatch& batch = *submission.batch;
  std::vector<RowIdentity> rows = identities_->streams().identities(batch);
  std::vector<uint32_t> fresh;
  if (submission.copy) {
    fresh = identities_->fresh_rows(rows, *submission.copy);
  } else {
    fresh = identities_->fresh_rows(rows, identities_->receive(rows));
    // What its sender is not told to be safe comes again.
    done = [identities = identities_, rows, done = std::move(done)](Submitted submitted) {
      if (!submitted.status.ok()) identities->give_back(rows);
      done(std::move(submitted));
    };
  }
  if (fresh.empty()) {
    ++counts_.duplicates;
    Submitted answer;
    answer.id = {epoch_, {position_}};
    answer.duplicate = true;
    answer_duplicate(answer, std::move(done), calls);
    return false;
  }
  if (fresh.size() < rows.size()) {
    auto kept = std::make_shared<EventBatch>(batch.schema_ptr());
    kept->set_one_chunk(batch.one_chunk());
    std::vector<RowIdentity> kept_rows;
    for (uint32_t row : fresh) {
      append_row(*kept, batch, row);
      kept_rows.push_back(rows[row]);
    }
    rows = std::move(kept_rows);
    submission.batch = std::move(kept);
  }
  identities_->number(rows, {position_ + 1}, {now_ms()});
  return true;
}

void Sequencer::place(Submission submission, const Route& route,
                      std::function<void(Submitted)> done, Calls& calls) {
  // Its id is known only once it is numbered, and then it may be committed already.
  auto answer = std::make_shared<Submitted>();
  answer->accepted = submission.batch->rows();
  if (!take_fresh(submission, done, calls)) return;
  answer->id = {epoch_, {position_ + 1}};
  counts_.events += submission.batch->rows();
  Numbered numbered;
  numbered.bytes = bytes_of(submission);
  numbered.shards = route.shards;
  numbered.committed = [answer, done = std::move(done)](const absl::Status& status) {
    if (!status.ok()) answer->status = unknown_outcome(status);
    done(std::move(*answer));
  };
  if (!submission.producer.empty()) {
    producers_.take(submission.producer, submission.number, answer->id, now_ms());
  }
  hand_over(EventsPayload{std::move(submission.batch), std::move(submission.producer),
                          submission.number, std::move(submission.found)},
            std::move(numbered), calls);
}

/// A batch that was taken before is acknowledged once the entry that carried it is committed.
void Sequencer::answer_duplicate(const Submitted& answer, std::function<void(Submitted)> done,
                                 Calls& calls) {
  if (log_ == nullptr) {
    calls.push_back([done = std::move(done), answer] { done(answer); });
    return;
  }
  log_->behind([done = std::move(done), answer](const absl::Status& status) {
    Submitted mine = answer;
    if (!status.ok()) mine.status = unknown_outcome(status);
    done(std::move(mine));
  });
}

StreamLookupsPtr Sequencer::lookups_of(std::string_view stream) const {
  std::lock_guard lock(mutex_);
  auto route = routes_.find(stream);
  return route == routes_.end() ? nullptr : route->second.lookups;
}

Sequencer::Offered Sequencer::offer(Submission& submission, std::function<void(Submitted)>& done) {
  Calls calls;
  Offered offered;
  bool full = false;
  {
    std::lock_guard lock(mutex_);
    auto found = routes_.find(submission.batch->schema().name());
    Route* route = found == routes_.end() ? nullptr : &found->second;
    Submitted answer;
    const uint64_t waits = waiting_numbers_.last(submission.producer);
    if (admit(submission, route, waits, answer)) {
      if (route->lookups == nullptr) {
        submission.looked_up = nullptr;
        submission.found.clear();
      }
      absl::Status room = absl::ResourceExhaustedError("others wait for room");
      if (route->waiting.empty() && (waits == 0 || submission.number < waits)) {
        room = room_for(*route, submission);
      }
      full = !room.ok() && log_ != nullptr && log_->is_full(bytes_of(submission));
      const bool looked_up = submission.looked_up == route->lookups;
      if (!looked_up && (room.ok() || submission.wait)) {
        offered = {Offered::Outcome::kNeedsLookups, route->lookups};
      } else if (room.ok()) {
        place(std::move(submission), *route, std::move(done), calls);
      } else if (submission.wait && route->lookups != nullptr) {
        offered.outcome = Offered::Outcome::kNeedsRoom;
      } else if (submission.wait) {
        enqueue(std::move(submission), *route, std::move(done));
      } else {
        answer = refused(std::move(room));
        calls.push_back([done = std::move(done), answer] { done(answer); });
      }
    } else if (answer.duplicate) {
      answer_duplicate(answer, std::move(done), calls);
    } else {
      calls.push_back([done = std::move(done), answer] { done(answer); });
    }
  }
  make(std::move(calls));
  if (full && journal_full_) journal_full_();
  return offered;
}

void Sequencer::enqueue(Submission submission, Route& route, std::function<void(Submitted)> done) {
  if (!submission.producer.empty()) {
    waiting_numbers_.add(submission.producer, submission.number);
  }
  ++counts_.waiting;
  route.waiting.push_back({std::move(submission), std::move(done)});
}

/// The one that has waited longest.
Sequencer::Waiting Sequencer::dequeue(Route& route) {
  Waiting next = std::move(route.waiting.front());
  route.waiting.pop_front();
  --counts_.waiting;
  if (!next.submission.producer.empty()) {
    waiting_numbers_.remove(next.submission.producer, next.submission.number);
  }
  return next;
}

void Sequencer::make(Calls calls) {
  for (auto& call : calls) call();
}

void Sequencer::room_made() {
  Calls calls;
  {
    std::lock_guard lock(mutex_);
    place_all_waiting(calls);
  }
  make(std::move(calls));
  tell_room();
}

void Sequencer::tell_room() const {
  if (on_room_) on_room_();
}

/// One stream's batch may wait for another's, of the same producer.
void Sequencer::place_all_waiting(Calls& calls) {
  for (bool more = counts_.waiting != 0; more;) {
    more = false;
    for (auto& [stream, route] : routes_) more = place_waiting(route, calls) || more;
  }
}

/// As far as there is room, and each is its producer's next one. False: nothing has changed.
bool Sequencer::place_waiting(Route& route, Calls& calls) {
  bool changed = false;
  while (!route.waiting.empty()) {
    const Submission& first = route.waiting.front().submission;
    if (!first.producer.empty() && !waiting_numbers_.is_first(first.producer, first.number)) break;
    if (!room_for(route, first).ok()) break;
    changed = true;
    Waiting next = dequeue(route);
    Submitted answer;
    if (admit(next.submission, &route, 0, answer)) {
      place(std::move(next.submission), route, std::move(next.done), calls);
    } else if (answer.duplicate) {
      answer_duplicate(answer, std::move(next.done), calls);
    } else {
      calls.push_back([done = std::move(next.done), answer] { done(answer); });
    }
  }
  return changed;
}

Sequencer::Ordered Sequencer::deploy(const std::shared_ptr<Shard>& shard, DeployPayload plan,
                                     Shard::OutputsPtr outputs, const PlanInputs& inputs,
                                     Shard::Applied applied, Committed committed) {
  Calls calls;
  Ordered ordered;
  {
    std::lock_guard lock(mutex_);
    if (!takes_entries()) {
      calls.push_back([committed = std::move(committed), why = stopped_] { committed(why); });
      make(std::move(calls));
      return ordered;
    }
    Numbered numbered;
    numbered.shards = {shard};
    numbered.outputs = std::move(outputs);
    numbered.applied = std::move(applied);
    numbered.committed = std::move(committed);
    ordered = hand_over(std::move(plan), std::move(numbered), calls);
    change_routes(shard, inputs, calls);
  }
  make(std::move(calls));
  tell_room();
  return ordered;
}

void Sequencer::undeploy(const std::shared_ptr<Shard>& shard, Shard::Applied applied,
                         Committed committed) {
  Calls calls;
  {
    std::lock_guard lock(mutex_);
    if (!takes_entries()) {
      calls.push_back([committed = std::move(committed), why = stopped_] { committed(why); });
      make(std::move(calls));
      return;
    }
    Numbered numbered;
    numbered.shards = {shard};
    numbered.applied = std::move(applied);
    numbered.committed = std::move(committed);
    hand_over(UndeployPayload{shard->plan()}, std::move(numbered), calls);
    change_routes(shard, {}, calls);
  }
  make(std::move(calls));
  tell_room();
}

/// The shard takes the inputs and nothing else; who waits for streams that are gone hears so.
void Sequencer::change_routes(const std::shared_ptr<Shard>& shard, const PlanInputs& inputs,
                              Calls& calls) {
  for (auto& [stream, route] : routes_) std::erase(route.shards, shard);
  for (const SchemaPtr& schema : inputs.streams) {
    Route& route = routes_[schema->name()];
    if (route.shards.empty()) route.schema = schema;
    route.shards.push_back(shard);
  }
  change_lookups(shard, inputs, calls);
  for (auto route = routes_.begin(); route != routes_.end();) {
    if (!route->second.shards.empty()) {
      ++route;
      continue;
    }
    drop_waiting(
        route->second,
        absl::NotFoundError(absl::StrCat("the plan that took stream '", route->first, "' is gone")),
        calls);
    route = routes_.erase(route);
  }
  place_all_waiting(calls);
}

/// Who waits for room and now needs more than room sends again.
void Sequencer::change_lookups(const std::shared_ptr<Shard>& shard, const PlanInputs& inputs,
                               Calls& calls) {
  for (auto& [stream, route] : routes_) {
    const size_t before =
        std::erase_if(route.external, [&](const auto& one) { return one.first == shard.get(); });
    size_t added = 0;
    for (const ExternalTable& table : inputs.external) {
      TableLookups needs{table.holder, {}};
      for (const ExternalLookup& lookup : table.lookups) {
        if (lookup.stream == stream) needs.keys.push_back(lookup.columns);
      }
      if (needs.keys.empty()) continue;
      route.external.emplace_back(shard.get(), std::move(needs));
      ++added;
    }
    if (before + added == 0) continue;
    StreamLookups all;
    for (const auto& [taker, needs] : route.external) all.push_back(needs);
    route.lookups = all.empty() ? nullptr : std::make_shared<const StreamLookups>(std::move(all));
    drop_waiting(route,
                 absl::AbortedError(absl::StrCat("the plans that take stream '", stream,
                                                 "' have just changed; send again")),
                 calls);
  }
}

void Sequencer::drop_waiting(Route& route, const absl::Status& why, Calls& calls) {
  while (!route.waiting.empty()) {
    calls.push_back([done = dequeue(route).done, answer = refused(why)] { done(answer); });
  }
}

absl::Status Sequencer::write(const std::shared_ptr<Shard>& shard, WritePayload payload,
                              Shard::Applied applied) {
  Calls calls;
  std::lock_guard lock(mutex_);
  if (!stopped_.ok()) return stopped_;
  Numbered numbered;
  numbered.bytes = payload.text.size();
  if (!shard->has_room(numbered.bytes)) {
    return absl::ResourceExhaustedError("the plan's queue is full; try again");
  }
  if (log_ != nullptr) {
    if (absl::Status room = log_->room_for(numbered.bytes); !room.ok()) return room;
  }
  numbered.shards = {shard};
  numbered.applied = std::move(applied);
  hand_over(std::move(payload), std::move(numbered), calls);
  return absl::OkStatus();
}

void Sequencer::tick(const std::vector<std::shared_ptr<Shard>>& shards) {
  Calls calls;
  std::lock_guard lock(mutex_);
  if (!takes_entries()) return;
  Numbered numbered;
  numbered.shards = shards;
  hand_over(TickPayload{}, std::move(numbered), calls);
}

Sequencer::Ordered Sequencer::persist(const std::vector<std::shared_ptr<Shard>>& shards,
                                      SenderState& senders, Committed committed) {
  Calls calls;
  Ordered ordered;
  {
    std::lock_guard lock(mutex_);
    if (!takes_entries()) return ordered;
    Numbered numbered;
    numbered.shards = shards;
    numbered.committed = std::move(committed);
    ordered = hand_over(PersistPayload{}, std::move(numbered), calls);
    senders.producers = producers_;
    if (identities_ != nullptr) {
      senders.identities = identities_->cut(ordered.id.position, ordered.timestamp);
    }
  }
  make(std::move(calls));
  return ordered;
}

void Sequencer::when_committed(Committed committed) {
  if (log_ == nullptr) {
    committed({});
  } else {
    log_->behind(std::move(committed));
  }
}

void Sequencer::stop(const absl::Status& why) {
  Calls calls;
  {
    std::lock_guard lock(mutex_);
    if (stopped_.ok() || !takes_entries()) stopped_ = why;
    ended_ = true;
    refuse_waiting(calls);
  }
  make(std::move(calls));
  tell_room();
}

void Sequencer::refuse_waiting(Calls& calls) {
  for (auto& [stream, route] : routes_) {
    while (!route.waiting.empty()) {
      calls.push_back([done = dequeue(route).done, answer = refused(stopped_)] { done(answer); });
    }
  }
}

Position Sequencer::handed() const {
  std::lock_guard lock(mutex_);
  return {handed_};
}

void Sequencer::share(const absl::Status& why) {
  std::lock_guard lock(mutex_);
  shared_ = true;
  stopped_ = why;
  lasting_producers_ = producers_;
}

void Sequencer::open(Epoch epoch, Place place) {
  std::lock_guard lock(mutex_);
  epoch_ = epoch;
  position_ = handed_ = place.position.value;
  last_ms_ = std::max(last_ms_, place.clock_ms);
  leads_ = true;
  if (!ended_) stopped_ = absl::OkStatus();
}

void Sequencer::close(const absl::Status& why) {
  Calls calls;
  {
    std::lock_guard lock(mutex_);
    leads_ = false;
    if (!ended_) stopped_ = why;
    position_ = handed_;
    producers_ = *lasting_producers_;
    if (identities_ != nullptr) identities_->roll_back({handed_});
    refuse_waiting(calls);
  }
  make(std::move(calls));
  tell_room();
}

void Sequencer::note_committed(const Entry& entry) {
  std::lock_guard lock(mutex_);
  handed_ = entry.id.position.value;
  if (identities_ != nullptr) identities_->note_committed(entry.id.position, entry.timestamp);
  const auto* events = std::get_if<EventsPayload>(&entry.payload);
  if (events == nullptr || events->producer.empty()) return;
  lasting_producers_->take(events->producer, events->number, entry.id, entry.timestamp.ms);
}

ProducerTable Sequencer::producers() const {
  std::lock_guard lock(mutex_);
  return producers_;
}

SenderState Sequencer::senders(const Entry& behind) const {
  SenderState senders(producers());
  if (identities_ != nullptr) {
    senders.identities = identities_->cut(behind.id.position, behind.timestamp);
  }
  return senders;
}

ProducerTable::Judged Sequencer::judge(std::string_view producer, uint64_t number) const {
  std::lock_guard lock(mutex_);
  return (lasting_producers_ ? *lasting_producers_ : producers_).judge(producer, number);
}

SequencerCounts Sequencer::counts() const {
  std::lock_guard lock(mutex_);
  SequencerCounts counts = counts_;
  counts.producers = producers_.size();
  counts.last = {epoch_, {position_}};
  return counts;
}

void Sequencer::begin_at(Place place, SenderState senders) {
  std::lock_guard lock(mutex_);
  position_ = handed_ = place.position.value;
  last_ms_ = place.clock_ms;
  producers_ = std::move(senders.producers);
  if (identities_ != nullptr) identities_->restore(std::move(senders.identities));
  if (shared_) lasting_producers_ = producers_;
}

void Sequencer::route(const std::shared_ptr<Shard>& shard, const PlanInputs& inputs) {
  Calls none_waits;
  std::lock_guard lock(mutex_);
  change_routes(shard, inputs, none_waits);
}

std::vector<std::shared_ptr<Shard>> Sequencer::takers_of(std::string_view stream) const {
  std::lock_guard lock(mutex_);
  auto route = routes_.find(stream);
  return route == routes_.end() ? std::vector<std::shared_ptr<Shard>>{} : route->second.shards;
}

/// Under the lock.
void Sequencer::note_replayed(const Entry& entry) {
  const auto* events = std::get_if<EventsPayload>(&entry.payload);
  if (events != nullptr && identities_->counts(*events->batch, events->producer)) {
    identities_->number(identities_->streams().identities(*events->batch), entry.id.position,
                        entry.timestamp);
  }
  identities_->note_committed(entry.id.position, entry.timestamp);
}

void Sequencer::replay(const Entry& entry, const std::vector<std::shared_ptr<Shard>>& shards,
                       Shard::OutputsPtr outputs) {
  size_t bytes = 0;
  const auto* events = std::get_if<EventsPayload>(&entry.payload);
  if (events != nullptr) bytes = bytes_held(*events);
  {
    std::lock_guard lock(mutex_);
    if (entry.id.position.value > position_) {
      if (shared_) epoch_ = entry.id.epoch;
      position_ = entry.id.position.value;
      last_ms_ = std::max(last_ms_, entry.timestamp.ms);
      if (events != nullptr && !events->producer.empty()) {
        producers_.take(events->producer, events->number, entry.id, entry.timestamp.ms);
        if (shared_) {
          lasting_producers_->take(events->producer, events->number, entry.id, entry.timestamp.ms);
        }
      }
      if (identities_ != nullptr) note_replayed(entry);
    }
  }
  for (const auto& shard : shards) {
    if (entry.id.position <= shard->restored_at()) continue;
    shard->wait_for_room(bytes);
    shard->reserve(entry, bytes);
    shard->push(entry, bytes, nullptr, outputs);
  }
  std::lock_guard lock(mutex_);
  handed_ = std::max(handed_, entry.id.position.value);
}

}  // namespace pollux
