#include "tests/ha/sim/pair_process.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/ha/sim/sim_plan.h"

namespace pollux {
namespace {

constexpr uint64_t kPersistEvery = 60;

}  // namespace

/// What an entry brings about, into the outbox, where it does not stand there yet.
class PairProcess::Results : public ResultSink {
 public:
  explicit Results(PairProcess& process) : process_(process) {}
  void on_result(const ResultBatch& results) override {
    process_.results_hash_.add(results);
    PlanRow last{results.cause, results.ordinals.back()};
    if (last <= process_.last_result_ || !status.ok()) return;
    if (PlanRow{results.cause, results.ordinals.front()} <= process_.last_result_) {
      throw Violation("an outbox ends within a slice");
    }
    status = process_.outbox_->append(results);
    if (status.ok()) process_.last_result_ = last;
  }
  absl::Status status;

 private:
  PairProcess& process_;
};

PairProcess::PairProcess(SimWorld& world, Place node, SimulatedFileSystem& disk, uint64_t serial,
                         ProcessCounts& counts)
    : world_(world),
      node_(node),
      disk_(disk),
      journal_disk_(disk,
                    world.mutant == PairMutant::kCommitUnsynced ? Mutant::kNoFsync : Mutant::kNone),
      serial_(serial),
      counts_(counts),
      file_(disk, kData),
      producers_(kProducersForgottenMs, kProducersMax),
      syncs_seen_(disk.syncs()) {}

PairProcess::~PairProcess() = default;

// ---- what comes ----

void PairProcess::on_arbiter(const std::optional<ArbiterRecord>& record) {
  if (record) {
    replica_->on_record(*record, now_ms());
  } else {
    replica_->on_arbiter_silent(now_ms());
  }
}

void PairProcess::on_batch(BatchRequest request) {
  // What the producers have sent is known only once all that it leads on has been applied.
  bool open = replica_->is_open() && applied_ >= lead_tail_;
  if (!open) {
    if (request.forwarded || replica_->leads()) {
      request.answer({});
    } else {
      request.forwarded = true;
      world_.forward(node_, std::move(request));
    }
    return;
  }
  ProducerTable::Judged judged = in_flight_.judge(producers_, request.producer, request.number);
  EntryId entry = judged.last;
  switch (judged.verdict) {
    case ProducerTable::Verdict::kTooMany:
      request.answer({});
      return;
    case ProducerTable::Verdict::kOutOfTurn:
      request.answer({BatchAnswer::Kind::kExpected, {}, judged.expected});
      return;
    case ProducerTable::Verdict::kSeen:
      ++counts_.duplicates;
      break;
    case ProducerTable::Verdict::kNext: {
      EventsPayload events{request.batch, request.producer, request.number};
      if (!append(std::move(events))) {
        request.answer({});
        return;
      }
      entry = replica_->tail();
      in_flight_.take(request.producer, request.number, entry);
      break;
    }
  }
  unanswered_.push_back({entry, request.producer, request.number, std::move(request.answer)});
}

// ---- leading ----

bool PairProcess::append(EntryPayload payload, JournalSpace space) {
  last_timestamp_ms_ = std::max(last_timestamp_ms_, wall_clock().ms);
  EntryId id{replica_->epoch(), {replica_->tail().position.value + 1}};
  return replica_->append({id, {last_timestamp_ms_}, std::move(payload)}, space).ok();
}

void PairProcess::lead_began(EntryId tail) {
  world_.leads(tail.epoch, replica_->journal().history());
  world_.witness.lead_began(node_, tail.epoch, replica_->journal().history());
  last_timestamp_ms_ = replica_->journal().last_timestamp().ms;
  persist_ordered_ = false;
  lead_tail_ = tail.position;
  if (is(PairMutant::kProducersForgotten)) {
    producers_ = ProducerTable(kProducersForgottenMs, kProducersMax);
  }
  if (is(PairMutant::kOutputAtTail)) webhook_->cursor.set_mark({tail, UINT32_MAX});
  webhook_->begin(tail.epoch);
  store_->begin(tail.epoch);
}

void PairProcess::lead_ended(const std::string&) {
  webhook_->end();
  store_->end();
  in_flight_.clear();
  for (Unanswered& each : unanswered_) each.answer({});  // nobody knows: send again
  unanswered_.clear();
}

/// What an active does of itself: deploys its plan, lets time pass, and has states written.
void PairProcess::lead() {
  bool caught_up = replica_->is_open() && applied_ == replica_->tail().position;
  if (!caught_up) return;
  if (engine_->plans().empty()) {
    DeployPayload deploy;
    deploy.plan = kSimPlan;
    deploy.text = kSimPlanText;
    append(std::move(deploy));
    return;
  }
  auto deadline = engine_->next_deadline();
  if (deadline && *deadline <= wall_clock()) append(TickPayload{});
  if (entries_since_persist_ >= kPersistEvery && !persist_ordered_) {
    persist_ordered_ = append(PersistPayload{}, JournalSpace::kReserve);
  }
}

void PairProcess::answer_committed() {
  if (!replica_->leads()) return;
  Position committed = replica_->committed();
  world_.witness.committed(replica_->journal().history(), committed);
  while (!unanswered_.empty() && unanswered_.front().entry.position <= committed) {
    Unanswered& done = unanswered_.front();
    world_.witness.acknowledged(done.producer, done.number, done.entry);
    done.answer({BatchAnswer::Kind::kAcknowledged, done.entry, 0});
    unanswered_.pop_front();
  }
}

// ---- work ----

absl::Status PairProcess::work() {
  if (void_behind_) {
    ++counts_.voided;
    void_behind_.reset();
    if (replica_->may_install()) {
      if (absl::Status installed = install({}); !installed.ok()) return installed;
    }
  }
  if (arrived_) {
    SnapshotData data = *std::exchange(arrived_, std::nullopt);
    if (!replica_->leads() && replica_->may_install()) {
      if (absl::Status installed = install(data); !installed.ok()) return installed;
    }
  }
  lead();
  absl::Status flushed = replica_->flush(now_ms());
  note_syncs();
  if (!flushed.ok() && !absl::IsResourceExhausted(flushed)) return flushed;
  answer_committed();
  if (absl::Status applied = apply_some(); !applied.ok()) return applied;
  if (absl::Status written = outbox_->flush(); !written.ok()) {
    return absl::IsResourceExhausted(written) ? absl::OkStatus() : written;
  }
  if (absl::Status taken = take_confirmed(); !taken.ok()) return taken;
  return work_sinks();
}

void PairProcess::may_apply(Position upto) { may_apply_ = std::max(may_apply_, upto); }

absl::Status PairProcess::apply_some() {
  Position upto = may_apply_;
  if (is(PairMutant::kOutputUncommitted) && replica_->leads()) {
    upto = replica_->journal().lasting();
  }
  for (uint64_t some = 0; some < entries_at_a_time_ && applied_ < upto; ++some) {
    auto entry = source_->next(upto);
    if (!entry.ok()) return entry.status();
    if (!*entry) break;
    if (absl::Status applied = apply(**entry); !applied.ok()) return applied;
  }
  replica_->note_applied(applied_);
  return absl::OkStatus();
}

absl::Status PairProcess::apply(const Entry& entry) {
  ++counts_.applied;
  if (!is(PairMutant::kOutputUncommitted)) world_.witness.applied(entry);
  if (auto reached = results_hash_.reach(entry.id.position)) {
    replica_->note_hash({kSimPlan, HashKind::kResults, reached->first, reached->second}, now_ms());
  }
  if (std::holds_alternative<DeployPayload>(entry.payload)) results_hash_.deployed();
  Results results(*this);
  engine_->apply(entry, results);
  if (!results.status.ok()) return results.status;
  if (const auto* events = std::get_if<EventsPayload>(&entry.payload)) {
    if (!events->producer.empty()) {
      producers_.take(events->producer, events->number, entry.id, entry.timestamp.ms);
      in_flight_.committed(events->producer, entry.id);
    }
  }
  applied_ = entry.id.position;
  applied_id_ = entry.id;
  applied_timestamp_ = entry.timestamp;
  ++entries_since_persist_;
  return std::holds_alternative<PersistPayload>(entry.payload) ? persist(entry) : absl::OkStatus();
}

// ---- sinks ----

SinkLink PairProcess::sink_link() {
  return {world_.time, [this](std::function<void()> arrive, std::function<void()> back) {
            SimWorld& world = world_;
            Place node = node_;
            uint64_t serial = serial_;
            world.network.send(node, Place::kSinks, [&world, node, serial, arrive, back] {
              arrive();
              world.network.send(Place::kSinks, node, [&world, node, serial, back] {
                world.wake(node, serial, [back](PairProcess&) { back(); });
              });
            });
          }};
}

absl::Status PairProcess::work_sinks() {
  absl::Status told = webhook_->work(
      [this](const PlanRow& sent) {
        if (is(PairMutant::kWatermarkEarly)) {
          send({0, Confirmed{{{"webhook", {{kSimPlan, sent}}}}}});
        }
      },
      [this](const PlanRow& confirmed) {
        if (webhook_->cursor.confirm(confirmed).ok()) tell_confirmed();
      });
  if (!told.ok()) return told;
  return store_->work(
      [this](const PlanRow& confirmed) {
        if (store_->cursor.confirm(confirmed).ok()) tell_confirmed();
      },
      [this](EntryId entry) -> std::optional<HeldEntries> {
        HeldEntries held{replica_->journal().history(), replica_->journal().first()};
        if (held.has(entry) || !replica_->view().forced_from) return std::nullopt;
        return held;
      });
}

void PairProcess::tell_confirmed() {
  Confirmed all;
  all.sinks["webhook"][kSimPlan] = webhook_->cursor.mark();
  all.sinks["store"][kSimPlan] = store_->cursor.mark();
  send({replica_->view().version, std::move(all)});
}

void PairProcess::confirmed(const Confirmed& confirmed) {
  for (const auto& [sink, plans] : confirmed.sinks) {
    auto plan = plans.find(kSimPlan);
    if (plan != plans.end()) told_[sink] = plan->second;
  }
}

/// What the other node's sinks have confirmed counts once its entry is one of this journal's: it
/// may be of another fork.
absl::Status PairProcess::take_confirmed() {
  for (auto told = told_.begin(); told != told_.end();) {
    const PairJournal& journal = replica_->journal();
    EntryId entry = told->second.cause;
    if (entry.position >= journal.first() && !journal.history().holds(entry)) {
      ++told;
      continue;
    }
    SinkCursor& cursor = told->first == "webhook" ? webhook_->cursor : store_->cursor;
    if (absl::Status moved = cursor.confirm(told->second); !moved.ok()) return moved;
    told = told_.erase(told);
  }
  return absl::OkStatus();
}

bool PairProcess::is_quiet() const {
  if (engine_->next_deadline()) return false;
  // Who does not lead may not have heard of the last that was delivered.
  return !replica_->leads() || (webhook_->cursor.offset() == outbox_->next() &&
                                store_->cursor.offset() == outbox_->next());
}

// ---- ReplicaWorld ----

void PairProcess::send(PeerMessage message) {
  if (disk_.crashed()) return;
  note_syncs();
  world_.to_peer(node_, std::move(message), disk_us_);
}

void PairProcess::read_record() {
  world_.arbiter.ask(
      node_, std::nullopt,
      [&world = world_, node = node_, serial = serial_](std::optional<ArbiterRecord> record) {
        world.wake(node, serial, [record](PairProcess& process) { process.on_arbiter(record); });
      });
}

void PairProcess::set_record(const ArbiterRecord& next) {
  world_.arbiter.ask(
      node_, next,
      [&world = world_, node = node_, serial = serial_](std::optional<ArbiterRecord> record) {
        world.wake(node, serial, [record](PairProcess& process) { process.on_arbiter(record); });
      });
}

void PairProcess::role_changed(Role from, Role to, const std::string& why) {
  if (!world_.trace) return;
  world_.trace(absl::StrCat(name_of(node_), ": ", std::string(name_of(from)), " -> ",
                            std::string(name_of(to)), why.empty() ? "" : ": ", why));
}

void PairProcess::diverged(const Divergence& divergence) {
  ++counts_.divergences;
  if (!world_.trace) return;
  world_.trace(absl::StrCat(name_of(node_), ": the follower's ", name_of(divergence.ours.kind),
                            " differs behind entry ", divergence.ours.at.value));
}

/// A row that no event asks for.
void PairProcess::diverge() {
  if (engine_->plans().empty()) return;
  Results results(*this);
  WritePayload write{kSimPlan, "select 'nobody' as username, 1L as times insert into Failed;"};
  ApplyOutcome outcome = engine_->apply({applied_id_, applied_timestamp_, write}, results);
  if (outcome.status != ApplyStatus::kApplied) throw Violation("cannot diverge: " + outcome.reason);
}

void PairProcess::redeploy() {
  DeployPayload deploy;
  deploy.plan = kSimPlan;
  deploy.text = kSimPlanText;
  deploy.replace = true;
  append(std::move(deploy));
}

void PairProcess::alarm(const std::string& what) {
  ++counts_.alarms;
  if (world_.trace) world_.trace(absl::StrCat(name_of(node_), ": ALARM ", what));
}

void PairProcess::snapshot_needed() { world_.ask_for_snapshot(node_); }

void PairProcess::void_behind(EntryId last) { void_behind_ = last; }

JournalId PairProcess::new_journal_id() {
  if (is(PairMutant::kNamesForJournals)) return {static_cast<uint64_t>(node_) + 1, 7};
  return {world_.chance.next(), 1};
}

Timestamp PairProcess::wall_clock() {
  constexpr int64_t kBeginMs = 1'700'000'000'000;
  return {kBeginMs + world_.time.now_ms() + skew_ms_};
}

void PairProcess::note_syncs() {
  for (; syncs_seen_ < disk_.syncs(); ++syncs_seen_) {
    disk_us_ += world_.chance.between(fastest_sync_us_, slowest_sync_us_);
  }
}

int64_t PairProcess::take_disk_us() {
  note_syncs();
  return std::exchange(disk_us_, 0);
}

}  // namespace pollux
