#include "server/durability/persister.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "persistence/state/state_folder.h"
#include "server/durability/forked_child.h"
#include "server/durability/node_state.h"
#include "server/node/wall_clock.h"

namespace pollux {
namespace {

using Clock = std::chrono::steady_clock;

uint64_t us_since(Clock::time_point begun) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun).count());
}

}  // namespace

/// One order to persist, until all of it is written.
struct Persister::Round {
  explicit Round(NodeCut node_cut) : cut(std::move(node_cut)) {}
  const NodeCut cut;
  std::mutex mutex;
  std::condition_variable changed;
  size_t cuts = 0;      ///< plans that have come to the order
  bool closed = false;  ///< for those that come later it is over
  std::map<std::string, PersistedPlan> written;
  absl::Status committed;
};

/// One plan's state on its way to the disk.
struct Persister::Job {
  std::string folder;
  RevisionHeader header;
  std::string record;
  std::string state;
  std::unique_ptr<ForkedChild> child;  ///< has the state, where it is large
  std::vector<std::shared_ptr<ResultLog>> logs;
  RevisionStore* store = nullptr;
  PersistedPlan written;
};

Persister::Persister(FileSystem& files, Node& node, EntryLog& journal, PersisterOptions options)
    : files_(files),
      node_(node),
      journal_(journal),
      options_(std::move(options)),
      last_round_(Clock::now()),
      journal_bytes_then_(journal.counts().bytes),
      position_then_(journal.counts().committed.position),
      workers_(options_.workers),
      thread_([this] { run(); }) {}

void Persister::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (round_ != nullptr) round_->changed.notify_all();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  workers_.stop();
}

/// A shard that rests since a disk is full comes to nothing before that.
void Persister::retry_logs() {
  for (const auto& [stream, log] : node_.results()) log->retry();
}

bool Persister::due(const EntryLogCounts& journal) const {
  if (journal.committed.position <= position_then_) return false;  // nothing has come since
  return Clock::now() - last_round_ >= options_.interval ||
         journal.bytes - journal_bytes_then_ >= options_.journal_bytes;
}

void Persister::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, kLookInterval, [this] {
      return stopping_ || make_room_ || ordered_ != nullptr || !asked_.empty();
    });
    if (stopping_) break;
    if (auto round = std::exchange(ordered_, nullptr)) {
      lock.unlock();
      finish_round(round, Clock::now()).IgnoreError();  // it has told what was wrong
      lock.lock();
      continue;
    }
    making_room_ = std::exchange(make_room_, false);
    bool twice = making_room_;
    std::deque<Answer> asked = std::exchange(asked_, {});
    lock.unlock();
    retry_logs();
    // What the journal has now is below the second-latest states only behind two rounds. One that
    // fails has told so.
    if (twice && node_.leads()) do_round().IgnoreError();
    if (twice || !asked.empty() || (node_.leads() && due(journal_.counts()))) {
      absl::StatusOr<PersistReport> report = do_round();
      for (Answer& answer : asked) answer.set_value(report);
    }
    lock.lock();
    making_room_ = false;
  }
  for (Answer& answer : asked_) answer.set_value(absl::UnavailableError("the node is stopping"));
  asked_.clear();
}

absl::StatusOr<PersistReport> Persister::persist(std::chrono::milliseconds at_most) {
  std::future<absl::StatusOr<PersistReport>> answer;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return absl::UnavailableError("the node is stopping");
    asked_.emplace_back();
    answer = asked_.back().get_future();
  }
  changed_.notify_all();
  if (answer.wait_for(at_most) != std::future_status::ready) {
    return absl::UnavailableError(
        "the state is still being written: a plan has much to do before it comes to it");
  }
  return answer.get();
}

void Persister::make_room() {
  {
    std::lock_guard lock(mutex_);
    if (making_room_) return;
    make_room_ = true;
  }
  changed_.notify_all();
}

/// The lock is held until the round is known: a shard may come to its entry before that.
std::shared_ptr<Persister::Round> Persister::begin_round() {
  std::lock_guard lock(mutex_);
  if (round_ != nullptr) return nullptr;
  NodeCut cut = node_.order_persist([this](const absl::Status& status) {
    if (!status.ok()) note_lost(status);
  });
  if (cut.at.position.value == 0) return nullptr;
  round_ = std::make_shared<Round>(std::move(cut));
  return round_;
}

/// The order itself could not be committed.
void Persister::note_lost(const absl::Status& status) {
  std::shared_ptr<Round> round;
  {
    std::lock_guard lock(mutex_);
    round = round_;
  }
  if (round == nullptr) return;
  std::lock_guard lock(round->mutex);
  round->committed = status;
  round->changed.notify_all();
}

/// Until all have written, or it takes too long for those that have not even come to the order: a
/// plan that rests keeps nobody else from being written.
void Persister::wait_for_plans(Round& round, Clock::time_point patience) {
  std::unique_lock lock(round.mutex);
  while (round.committed.ok() && round.written.size() < round.cut.plans.size()) {
    if (Clock::now() >= patience && round.written.size() == round.cuts) break;
    // A stop is told under another lock: looks again now and then.
    round.changed.wait_for(lock, kLookInterval);
    lock.unlock();
    retry_logs();
    bool stopping = false;
    {
      std::lock_guard inner(mutex_);
      stopping = stopping_;
    }
    lock.lock();
    if (stopping) break;
  }
  round.closed = true;
}

absl::StatusOr<PersistReport> Persister::do_round() {
  auto begun = Clock::now();
  journal_bytes_then_ = journal_.counts().bytes;
  std::shared_ptr<Round> round = begin_round();
  if (round == nullptr) {
    return absl::UnavailableError("the node that leads orders when states are written");
  }
  return finish_round(round, begun);
}

bool Persister::begin_ordered(NodeCut cut) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || round_ != nullptr) return false;
    round_ = ordered_ = std::make_shared<Round>(std::move(cut));
  }
  changed_.notify_all();
  return true;
}

absl::StatusOr<PersistReport> Persister::finish_round(const std::shared_ptr<Round>& round,
                                                      Clock::time_point begun) {
  last_round_ = begun;
  position_then_ = round->cut.at.position;
  absl::Status failed;
  PersistReport report;
  report.at = round->cut.at;
  report.log_bytes = journal_.counts().bytes;
  wait_for_plans(*round, begun + options_.plan_patience);
  {
    std::lock_guard lock(round->mutex);
    failed = round->committed;
    for (const CataloguePlan& plan : round->cut.plans) {
      auto written = round->written.find(plan.deploy.plan);
      if (written != round->written.end()) {
        report.plans.push_back(written->second);
        continue;
      }
      PersistedPlan& late = report.plans.emplace_back();
      late.plan = plan.deploy.plan;
      late.status = absl::DeadlineExceededError("the plan is behind and did not come to it");
    }
  }
  {
    std::lock_guard lock(mutex_);
    if (failed.ok() && stopping_) failed = absl::UnavailableError("the node is stopping");
  }
  if (failed.ok()) {
    report.node = write_node(*round);
    failed = report.node.status;
  }
  if (failed.ok()) failed = trim(*round);
  {
    std::lock_guard lock(mutex_);
    round_ = nullptr;
  }
  if (!failed.ok()) {
    {
      std::lock_guard lock(mutex_);
      ++counts_.failures;
      if (stopping_) return failed;
    }
    if (options_.failed) options_.failed(failed);
    return failed;
  }
  report.took_ms = us_since(begun) / 1000;
  note_done(report);
  return report;
}

void Persister::note_done(const PersistReport& report) {
  {
    std::lock_guard lock(mutex_);
    ++counts_.rounds;
    counts_.last = report.at;
    counts_.last_ms = wall_clock_ms();
    counts_.last_took_ms = report.took_ms;
    counts_.last_bytes = report.node.file_bytes;
    for (const PersistedPlan& plan : report.plans) {
      counts_.failures += plan.status.ok() ? 0 : 1;
      counts_.last_bytes += plan.file_bytes;
      counts_.pause_us_max = std::max(counts_.pause_us_max, plan.pause_us);
    }
    last_ = report;
  }
  if (options_.done) options_.done(report);
  std::lock_guard lock(told_mutex_);
  if (told_) told_(report);
}

std::optional<PersistReport> Persister::fresh() const {
  const uint64_t log_bytes = journal_.counts().bytes;
  std::lock_guard lock(mutex_);
  const bool whole = last_.at.position.value != 0 &&
                     std::all_of(last_.plans.begin(), last_.plans.end(),
                                 [](const PersistedPlan& plan) { return plan.status.ok(); });
  if (!whole || log_bytes - last_.log_bytes > options_.journal_bytes / 2) return std::nullopt;
  return last_;
}

void Persister::set_told(std::function<void(const PersistReport&)> told) {
  std::lock_guard lock(told_mutex_);
  told_ = std::move(told);
}

void Persister::cut(Shard& shard, const Engine& engine, const Entry& entry) {
  std::shared_ptr<Round> round;
  {
    std::lock_guard lock(mutex_);
    if (round_ == nullptr || round_->cut.at != entry.id) return;  // of a round that is no more
    round = round_;
  }
  auto known =
      std::find_if(round->cut.plans.begin(), round->cut.plans.end(),
                   [&](const CataloguePlan& plan) { return plan.deploy.plan == shard.plan(); });
  if (known == round->cut.plans.end()) return;
  {
    std::lock_guard lock(round->mutex);
    if (round->closed) return;
    ++round->cuts;
  }
  auto begun = Clock::now();
  auto job = std::make_shared<Job>();
  job->written.plan = shard.plan();
  job->folder = state_folder_of(shard.plan());
  job->record = encode_record({*known, shard.suspended_because()});
  job->header.plan_hash = revision_plan_hash(known->deploy.text);
  job->header.semantics_version = known->deploy.semantics_version;
  job->header.at = entry.id;
  job->header.timestamp = entry.timestamp;
  for (const auto& [stream, log] : shard.outputs().logs) job->logs.push_back(log);
  absl::StatusOr<RevisionStore*> store = store_of(job->folder);
  job->written.status = store.status();
  if (store.ok()) {
    job->store = *store;
    if (shard.counts().state_bytes > options_.inline_bytes_max) {
      auto child = ForkedChild::start([&, raw = job.get()] {
        return write_revision(*raw->store, raw->header, raw->record,
                              [&](const auto& take) { engine.save_state(shard.plan(), take); });
      });
      if (child.ok()) job->child = *std::move(child);
    }
    job->written.forked = job->child != nullptr;
    if (job->child == nullptr) job->state = engine.save_state(shard.plan());
  }
  job->written.pause_us = us_since(begun);
  workers_.post([this, round, job] { write_plan(round, job); });
}

void Persister::write_plan(const std::shared_ptr<Round>& round, const std::shared_ptr<Job>& job) {
  if (job->written.status.ok()) job->written.status = write_state(*job);
  if (job->written.status.ok()) note_file(job->folder, job->written);
  job->child.reset();
  std::lock_guard lock(round->mutex);
  round->written.insert_or_assign(job->written.plan, std::move(job->written));
  round->changed.notify_all();
}

/// The results of the entries that are in the state last before the state does.
absl::Status Persister::write_state(const Job& job) {
  for (const auto& log : job.logs) {
    if (absl::Status synced = log->sync(); !synced.ok()) return synced;
  }
  absl::Status written = job.child != nullptr
                             ? job.child->finish(options_.child_patience)
                             : write_revision(*job.store, job.header, job.record,
                                              [&](const auto& take) { take(job.state); });
  return written.ok() ? job.store->prune() : written;
}

absl::Status Persister::write_revision(RevisionStore& store, const RevisionHeader& header,
                                       std::string_view record, const SaveState& save) {
  auto writer = store.begin(header);
  if (!writer.ok()) return writer.status();
  absl::Status written = (*writer)->append(record);
  if (!written.ok()) return written;
  save([&](std::string_view piece) {
    if (written.ok()) written = (*writer)->append(piece);
  });
  return written.ok() ? (*writer)->finish().status() : written;
}

absl::StatusOr<RevisionStore*> Persister::store_of(const std::string& folder) {
  std::lock_guard lock(stores_mutex_);
  std::unique_ptr<RevisionStore>& store = stores_[folder];
  if (store == nullptr) {
    auto opened = RevisionStore::open(
        files_, {options_.location, options_.tenant, folder, options_.revisions_to_keep});
    if (!opened.ok()) return opened.status();
    store = *std::move(opened);
  }
  return store.get();
}

void Persister::note_file(const std::string& folder, PersistedPlan& written) {
  auto store = store_of(folder);
  if (!store.ok()) return;
  auto listed = (*store)->list();
  if (!listed.ok() || listed->empty()) return;
  written.path = listed->front().path;
  written.file_bytes = listed->front().bytes;
  const auto& info = listed->front().info;
  if (!info.ok()) return;
  written.state_bytes = info->trailer.state_bytes;
  written.state_hash = info->trailer.state_hash;
}

PersistedPlan Persister::write_node(const Round& round) {
  PersistedPlan written;
  written.plan = kNodeStateFolder;
  auto store = store_of(written.plan);
  written.status = store.status();
  if (!store.ok()) return written;
  RevisionHeader header;
  header.at = round.cut.at;
  header.timestamp = round.cut.timestamp;
  written.status =
      write_revision(**store, header, encode_node_state(round.cut), [](const auto&) {});
  if (written.status.ok()) written.status = (*store)->prune();
  if (written.status.ok()) note_file(written.plan, written);
  return written;
}

/// The position behind which the second-latest revision needs entries; without one, where the plan
/// was deployed.
absl::StatusOr<uint64_t> Persister::needed_from(const std::string& folder, uint64_t deployed) {
  auto store = store_of(folder);
  if (!store.ok()) return store.status();
  auto listed = (*store)->list();
  if (!listed.ok()) return listed.status();
  std::vector<uint64_t> positions;
  for (const ListedRevision& revision : *listed) {
    if (revision.info.ok()) positions.push_back(revision.info->header.at.position.value);
  }
  if (positions.size() >= 2) return positions[1] + 1;
  return deployed;
}

absl::Status Persister::trim(const Round& round) {
  absl::StatusOr<uint64_t> below = needed_from(std::string(kNodeStateFolder), 1);
  for (const CataloguePlan& plan : round.cut.plans) {
    if (!below.ok()) return below.status();
    auto needed = needed_from(state_folder_of(plan.deploy.plan), plan.entry.position.value);
    below = needed.ok() ? absl::StatusOr<uint64_t>(std::min(*below, *needed)) : needed.status();
  }
  if (!below.ok()) return below.status();
  journal_.trim({*below});
  return absl::OkStatus();
}

PersisterCounts Persister::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace pollux
