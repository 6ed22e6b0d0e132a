#include "server/durability/durability.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "persistence/codec/schema_codec.h"
#include "persistence/journal/journal_reader.h"
#include "persistence/outbox/last_ids.h"
#include "persistence/outbox/outbox_log.h"
#include "persistence/segments/segment_files.h"
#include "persistence/state/state_folder.h"
#include "server/durability/node_state.h"
#include "server/formats/result_writer.h"
#include "server/node/wall_clock.h"

namespace pollux {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kRottenSuffix = ".rotten-";
constexpr uint64_t kJournalReserve = uint64_t{128} << 20;

std::string resolved(const std::string& path, const std::string& base) {
  return path.starts_with('/') ? path : base + "/" + path;
}

std::string text_of(EntryId id) { return absl::StrCat(id.epoch.value, ".", id.position.value); }

}  // namespace

std::string states_location(const Settings& settings) {
  return resolved(settings.persistence.location, settings.data_dir);
}

Durability::Durability(FileSystem& files, const Settings& settings, Logger& log, StartOrders orders)
    : files_(files),
      settings_(settings),
      log_(log),
      orders_(std::move(orders)),
      location_(states_location(settings)) {}

Durability::~Durability() { close(); }

template <class Call>
void Durability::with_node(Call&& call) {
  std::lock_guard lock(node_mutex_);
  if (node_ != nullptr) call(*node_);
}

absl::StatusOr<std::unique_ptr<Durability>> Durability::open(FileSystem& files,
                                                             const Settings& settings, Logger& log,
                                                             StartOrders orders) {
  std::unique_ptr<Durability> opened(new Durability(files, settings, log, std::move(orders)));
  if (absl::Status looked = opened->look_at_versions(); !looked.ok()) return looked;
  if (absl::Status looked = opened->look_at_states(); !looked.ok()) return looked;
  if (settings.pair.enabled) {
    if (absl::Status looked = opened->look_at_results(); !looked.ok()) return looked;
  }
  auto marks = ApplyMarks::open(settings.data_dir + "/marks");
  if (!marks.ok()) return marks.status();
  if (absl::Status journal = opened->open_journal(); !journal.ok()) return journal;
  opened->marks_ = *std::move(marks);
  opened->marks_->note_deaths(opened->journal_first_);
  return opened;
}

/// What a newer version wrote is refused before anything is changed, results included, which are
/// opened only with the plans that write them.
absl::Status Durability::look_at_versions() const {
  std::vector<LogPlace> places = {{settings_.data_dir + "/journal", LogKind::kJournal}};
  std::string outboxes = settings_.data_dir + "/outbox";
  if (absl::Status made = files_.make_directories(outboxes); !made.ok()) return made;
  auto streams = files_.list(outboxes);
  if (!streams.ok()) return streams.status();
  for (const DirectoryEntry& stream : *streams) {
    if (!stream.directory) continue;
    places.push_back({absl::StrCat(outboxes, "/", stream.name), LogKind::kOutbox});
  }
  for (const LogPlace& place : places) {
    auto segments = glance_at_segments(files_, place);
    if (absl::IsNotFound(segments.status())) continue;
    if (!segments.ok()) return segments.status();
    for (const SegmentGlance& segment : *segments) {
      if (absl::IsFailedPrecondition(segment.header.status())) return segment.header.status();
    }
  }
  return absl::OkStatus();
}

RevisionStore::Options Durability::store_options(std::string folder) const {
  return {location_, std::to_string(kDefaultTenant), std::move(folder),
          settings_.persistence.revisions_to_keep};
}

absl::Status Durability::look_at_states() {
  std::string tenant = absl::StrCat(location_, "/", kDefaultTenant);
  if (absl::Status made = files_.make_directories(tenant); !made.ok()) return made;
  auto entries = files_.list(tenant);
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    if (!entry.directory) continue;
    if (absl::Status looked = look_at_folder(entry.name); !looked.ok()) return looked;
  }
  return read_node_state();
}

absl::Status Durability::look_at_folder(const std::string& folder) {
  Found found;
  auto store = RevisionStore::open(files_, store_options(folder));
  if (!store.ok()) return store.status();
  auto listed = (*store)->list();
  if (!listed.ok()) return listed.status();
  for (const ListedRevision& revision : *listed) {
    // Going on from an older state would be a step back that nobody ordered.
    if (absl::IsUnimplemented(revision.info.status())) {
      return absl::FailedPreconditionError(std::string(revision.info.status().message()));
    }
    if (!revision.info.ok()) continue;
    found.newest = std::max(found.newest, revision.info->header.at);
  }
  epoch_seen_ = std::max(epoch_seen_, found.newest.epoch);
  found.store = *std::move(store);
  found_.insert_or_assign(folder, std::move(found));
  return absl::OkStatus();
}

/// The last entry that brought about a result which stands in an outbox: it was committed.
absl::Status Durability::look_at_results() {
  const std::string outboxes = settings_.data_dir + "/outbox";
  auto streams = files_.list(outboxes);
  if (!streams.ok()) return streams.status();
  for (const DirectoryEntry& stream : *streams) {
    if (!stream.directory || stream.name.find(kRottenSuffix) != std::string::npos) continue;
    OutboxOptions options;
    options.directory = absl::StrCat(outboxes, "/", stream.name);
    auto last = read_last_ids(files_, options.directory);
    if (last.ok()) {
      for (const auto& [plan, row] : *last) {
        reached_by_results_ = std::max(reached_by_results_, row.cause);
      }
    }
    auto outbox = OutboxLog::open(files_, options);
    // What has rotted is judged when the stream's plan is there.
    if (absl::IsDataLoss(outbox.status())) continue;
    if (!outbox.ok()) return outbox.status();
    OutboxReader reader(files_, (*outbox)->index(), (*outbox)->first());
    while (true) {
      auto slice = reader.next();
      if (absl::IsDataLoss(slice.status()) || (slice.ok() && !*slice)) break;
      if (!slice.ok()) return slice.status();
      reached_by_results_ = std::max(reached_by_results_, (*slice)->cause);
    }
    if (absl::Status closed = (*outbox)->close(); !closed.ok()) return closed;
  }
  return absl::OkStatus();
}

absl::Status Durability::read_node_state() {
  auto found = found_.find(std::string(kNodeStateFolder));
  if (found == found_.end()) return absl::OkStatus();
  Found own = std::move(found->second);
  found_.erase(found);
  ProducerTable none(settings_.producers.forget_after.count(), NodeOptions{}.producers_max);
  uint64_t before_ms = UINT64_MAX;
  while (true) {
    auto newest = own.store->newest_valid(before_ms);
    if (!newest.ok()) return newest.status();
    for (const absl::Status& why : newest->passed_over) {
      ++recovered_.fallbacks;
      log_.error("a state of the node is passed over", {{"error", why.message()}});
    }
    if (!newest->revision) return absl::OkStatus();
    auto state = decode_node_state(newest->revision->state(), none);
    if (state.ok()) {
      node_state_ = std::make_unique<NodeCut>(*std::move(state));
      return absl::OkStatus();
    }
    ++recovered_.fallbacks;
    log_.error("a state of the node is passed over",
               {{"file", newest->path}, {"error", state.status().message()}});
    before_ms = newest->timestamp_ms;
  }
}

/// What all states have taken in.
EntryId Durability::covered_by_states() const {
  if (node_state_ == nullptr) return {};
  EntryId covered = node_state_->at;
  for (const CataloguePlan& plan : node_state_->plans) {
    auto found = found_.find(state_folder_of(plan.deploy.plan));
    EntryId has{plan.entry.epoch, {plan.entry.position.value - 1}};
    if (found != found_.end()) has = std::max(has, found->second.newest);
    covered = std::min(covered, has);
  }
  return covered;
}

/// What some state has taken in.
EntryId Durability::reached_by_states() const {
  EntryId reached = node_state_ == nullptr ? EntryId{} : node_state_->at;
  for (const auto& [folder, found] : found_) reached = std::max(reached, found.newest);
  return reached;
}

absl::StatusOr<std::unique_ptr<Journal>> Durability::open_journal_at(EntryId covered,
                                                                     EntryId reached) const {
  JournalOptions options;
  options.directory = settings_.data_dir + "/journal";
  options.bytes_max = settings_.persistence.journal_bytes_max + kJournalReserve;
  options.bytes_reserved = kJournalReserve;
  // The nodes of a pair say with each commit whether it is to last.
  options.sync_commits =
      !settings_.pair.enabled && settings_.persistence.sync == SyncMode::kEveryCommit;
  options.covered = covered;
  options.reached = reached;
  return Journal::open(files_, options);
}

absl::Status Durability::open_journal() {
  auto journal = open_journal_at(covered_by_states(), reached_by_states());
  if (absl::IsDataLoss(journal.status()) && orders_.forget_rotten_journal) {
    if (absl::Status aside = set_journal_aside(journal.status()); !aside.ok()) return aside;
    journal = open_journal_at(reached_by_states(), reached_by_states());
  }
  if (absl::IsDataLoss(journal.status())) {
    return absl::DataLossError(absl::StrCat(
        std::string(journal.status().message()),
        "; nothing was changed. Started once with --forget-rotten-journal, the node sets the "
        "journal aside and goes on from the states of entry ",
        text_of(reached_by_states()), ", without the events behind it"));
  }
  if (!journal.ok()) return journal.status();
  const RecoveryReport& report = (*journal)->report();
  recovered_.torn_bytes = report.torn_bytes;
  if (report.torn_bytes != 0) {
    log_.warning("the journal's end was torn and is cut; nothing of it was acknowledged",
                 {{"file", report.torn_file}, {"bytes", report.torn_bytes}});
  }
  for (const RecoveryReport::RottenFile& rotten : report.rot) {
    log_.error("the journal has rotted where no state needs it any more", {{"file", rotten.path}});
  }
  journal_index_ = (*journal)->index();
  journal_first_ = (*journal)->first();
  journal_last_ = (*journal)->last().position;
  epoch_seen_ = std::max(epoch_seen_, (*journal)->last().epoch);
  journal_ = *std::move(journal);
  return absl::OkStatus();
}

std::unique_ptr<Journal> Durability::give_journal(EntryLog& log) {
  entry_log_ = &log;
  return std::move(journal_);
}

Position Durability::applied_at_start() const {
  Position last = known_committed();
  for (const ApplyMarks::Deaths& known : marks_->to_tell()) {
    bool suspected = known.deaths < ApplyMarks::kDeathsMax && known.entry.position <= last;
    if (suspected) last = {known.entry.position.value - 1};
  }
  return std::max(last, reached_by_states().position);
}

absl::StatusOr<Timestamp> Durability::last_timestamp() const {
  Timestamp last;
  if (journal_last_ < journal_first_) return last;
  JournalReader reader(files_, journal_index_, journal_last_);
  auto entry = reader.next();
  if (!entry.ok()) return entry.status();
  if (*entry) last = (*entry)->timestamp;
  return last;
}

absl::Status Durability::set_journal_aside(const absl::Status& why) {
  std::string directory = settings_.data_dir + "/journal";
  std::string aside = absl::StrCat(directory, kRottenSuffix, wall_clock_ms());
  if (absl::Status renamed = files_.rename(directory, aside); !renamed.ok()) return renamed;
  log_.error(
      "the journal is set aside, and its events behind the states are not in them",
      {{"journal", aside}, {"states_at", text_of(reached_by_states())}, {"error", why.message()}});
  return files_.sync_directory(settings_.data_dir);
}

void Durability::begin_committing() {
  CommitterOptions options;
  options.journal_bytes_max = settings_.persistence.journal_bytes_max;
  if (settings_.persistence.sync == SyncMode::kInterval) {
    options.sync_interval = settings_.persistence.sync_interval;
  }
  options.failed = [this](const absl::Status& status) {
    log_.error("the journal has failed; nothing is taken until the next start",
               {{"error", status.message()}});
    with_node([&](Node& node) {
      node.refuse_all(absl::UnavailableError(
          absl::StrCat("the journal has failed: ", std::string(status.message()))));
    });
  };
  options.stuck = [this](const absl::Status& status) {
    log_.error("the journal has no room; events wait for some", {{"error", status.message()}});
  };
  options.trimmed = [this] { with_node([](Node& node) { node.room_made(); }); };
  committer_ = std::make_unique<Committer>(std::move(journal_), std::move(options));
  entry_log_ = committer_.get();
}

void Durability::equip(NodeOptions& options) {
  if (entry_log_ == nullptr) begin_committing();
  options.replays = true;
  options.log = entry_log_;
  options.shared = settings_.pair.enabled;
  options.marks = marks_.get();
  options.open_log = [this](const SchemaPtr& schema) { return open_log(schema); };
  options.persist_ordered = [this](NodeCut cut) {
    return persister_ != nullptr && persister_->begin_ordered(std::move(cut));
  };
  options.persist = [this](Shard& shard, const Engine& engine, const Entry& entry) {
    persister_->cut(shard, engine, entry);
  };
  options.warn = [this](const absl::Status& status) {
    log_.warning("the node", {{"error", status.message()}});
  };
  options.journal_full = [this] { persister_->make_room(); };
}

/// A stream whose attributes change gets a log of its own.
absl::StatusOr<std::shared_ptr<ResultLog>> Durability::open_log(const SchemaPtr& schema) {
  ResultLogOptions options;
  options.directory = absl::StrCat(settings_.data_dir, "/outbox/", state_folder_of(schema->name()),
                                   ".", absl::Hex(schema_hash(*schema), absl::kZeroPad16));
  options.log_bytes_max = settings_.results.log_bytes_max;
  options.outbox_bytes_max =
      std::max(settings_.persistence.outbox_bytes_max, settings_.results.log_bytes_max);
  options.on_error = [this, stream = schema->name()](const absl::Status& status) {
    log_.error("results of a stream can no longer be kept; the plans that write it wait",
               {{"stream", stream}, {"error", status.message()}});
  };
  std::lock_guard lock(logs_mutex_);
  std::weak_ptr<ResultLog>& known = logs_[options.directory];
  // A sink may still read a log that no plan writes at present.
  if (auto there = known.lock()) return there;
  auto opened = ResultLog::open(files_, schema, options);
  if (absl::IsDataLoss(opened.status())) {
    std::string aside = absl::StrCat(options.directory, kRottenSuffix, wall_clock_ms());
    log_.error("results that were not delivered have rotted; they are set aside",
               {{"folder", aside}, {"error", opened.status().message()}});
    if (absl::Status moved = files_.rename(options.directory, aside); !moved.ok()) return moved;
    opened = ResultLog::open(files_, schema, options);
  }
  if (!opened.ok()) return opened;
  known = *opened;
  for (const std::string& note : (*opened)->recovery_notes()) {
    log_.warning("the results of a stream", {{"stream", schema->name()}, {"note", note}});
  }
  return opened;
}

absl::Status Durability::recover(Node& node) {
  auto begun = Clock::now();
  std::set<std::string> poisoned_plans;
  for (const ApplyMarks::Poisoned& poisoned : marks_->poisoned()) {
    poisoned_plans.insert(poisoned.plan);
    log_.error("processes died while a plan was at an entry; the plan will be suspended there",
               {{"plan", poisoned.plan}, {"entry", text_of(poisoned.entry)}});
  }
  recovered_.poisoned = poisoned_plans.size();
  if (settings_.persistence.sync != SyncMode::kEveryCommit) {
    log_.warning("acknowledged events may be lost with the power, by persistence.sync");
  }
  Position place{journal_first_.value - 1};
  SenderState senders(node.no_producers());
  int64_t clock_ms = 0;
  if (node_state_ != nullptr) {
    place = std::max(place, node_state_->at.position);
    senders = node_state_->senders;
    clock_ms = node_state_->timestamp.ms;
  }
  node.begin_replay({place, clock_ms}, std::move(senders));
  uint64_t from = place.value + 1;
  if (absl::Status restored = restore_states(node, from); !restored.ok()) return restored;
  if (absl::Status replayed = replay(node, from); !replayed.ok()) return replayed;
  if (absl::Status all = judge_unbuilt(); !all.ok()) return all;

  PersisterOptions options;
  options.location = location_;
  options.tenant = std::to_string(kDefaultTenant);
  options.revisions_to_keep = settings_.persistence.revisions_to_keep;
  options.workers = settings_.persistence.persister_pool_size;
  options.interval = settings_.persistence.persistence_interval;
  options.journal_bytes = settings_.persistence.persistence_journal_bytes;
  options.done = [this](const PersistReport& report) {
    for (const PersistedPlan& plan : report.plans) {
      if (plan.status.ok()) continue;
      log_.error("the state of a plan was not written",
                 {{"plan", plan.plan}, {"error", plan.status.message()}});
    }
    log_.info(
        "states written",
        {{"entry", text_of(report.at)}, {"plans", report.plans.size()}, {"ms", report.took_ms}});
  };
  options.failed = [this](const absl::Status& why) {
    log_.log_limited(LogLevel::kError, "persist", "states could not be written",
                     {{"error", why.message()}});
  };
  persister_ = std::make_unique<Persister>(files_, node, *entry_log_, std::move(options));
  {
    std::lock_guard lock(node_mutex_);
    node_ = &node;
  }
  node.end_replay();
  recovered_.took_ms = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun).count());
  log_.info("recovered", {{"plans", recovered_.plans},
                          {"entries", recovered_.entries},
                          {"events", recovered_.events},
                          {"position", journal_last_.value},
                          {"ms", recovered_.took_ms}});
  return absl::OkStatus();
}

absl::Status Durability::restore_states(Node& node, uint64_t& replay_from) {
  std::map<std::string, const CataloguePlan*> known;
  if (node_state_ != nullptr) {
    for (const CataloguePlan& plan : node_state_->plans) {
      known.emplace(state_folder_of(plan.deploy.plan), &plan);
    }
  }
  for (const auto& [folder, plan] : known) {
    if (absl::Status restored = restore_plan(node, folder, plan, replay_from); !restored.ok()) {
      return restored;
    }
  }
  // Where the node's own state is older than those of plans: plans that came in between.
  EntryId own = node_state_ == nullptr ? EntryId{} : node_state_->at;
  for (const auto& [folder, found] : found_) {
    if (known.contains(folder) || found.newest <= own) continue;
    absl::Status restored = restore_plan(node, folder, nullptr, replay_from);
    if (!restored.ok()) return restored;
  }
  return absl::OkStatus();
}

/// From its newest state that is valid and fits; without one by its entry in the journal, or not
/// at all, and then it stands there suspended.
absl::Status Durability::restore_plan(Node& node, const std::string& folder,
                                      const CataloguePlan* known, uint64_t& replay_from) {
  auto passed_over = [&](std::string_view file, const std::string& why) {
    ++recovered_.fallbacks;
    log_.error(
        "a state of a plan is passed over",
        {{"plan", known != nullptr ? known->deploy.plan : folder}, {"file", file}, {"error", why}});
  };
  auto found = found_.find(folder);
  uint64_t before_ms = UINT64_MAX;
  while (found != found_.end()) {
    auto newest = found->second.store->newest_valid(before_ms);
    if (!newest.ok()) return newest.status();
    for (const absl::Status& why : newest->passed_over)
      passed_over(folder, std::string(why.message()));
    if (!newest->revision) break;
    bool falls_back = before_ms != UINT64_MAX || !newest->passed_over.empty();
    absl::Status taken;
    if (falls_back) taken = look_behind(newest->revision->info.header.at);
    if (taken.ok()) taken = take_revision(node, *newest->revision, replay_from);
    if (!absl::IsFailedPrecondition(taken)) return taken;
    passed_over(newest->path, std::string(taken.message()));
    before_ms = newest->timestamp_ms;
  }
  if (known == nullptr) return absl::OkStatus();
  absl::StatusOr<std::optional<uint64_t>> from = built_from(*known);
  if (!from.ok()) return from.status();
  if (*from) {
    replay_from = std::min(replay_from, **from);
    return absl::OkStatus();
  }
  return put_lost(node, *known,
                  "its state is lost: no revision can be used, and the journal no longer "
                  "reaches back to where it was deployed; deploy it again");
}

/// The plan goes on from it, or cannot be built at all. kFailedPrecondition: it cannot go on from
/// it, but perhaps from an older one.
absl::Status Durability::take_revision(Node& node, const Revision& revision,
                                       uint64_t& replay_from) {
  auto plan = decode_plan_revision(revision.state());
  if (!plan.ok()) return absl::FailedPreconditionError(std::string(plan.status().message()));
  EntryId at = revision.info.header.at;
  uint64_t next = at.position.value + 1;
  bool gap = next < journal_first_.value;
  if (gap && !orders_.forget_rotten_journal) {
    return absl::FailedPreconditionError(
        absl::StrCat("the journal begins with entry ", journal_first_.value,
                     ", and the state ends with ", at.position.value));
  }
  absl::Status restored = node.restore(plan->record.plan, at, revision.info.header.timestamp,
                                       plan->state, plan->record.suspended_because);
  if (absl::IsInvalidArgument(restored)) {
    unbuilt_[plan->record.plan.deploy.plan] = std::string(restored.message());
    return absl::OkStatus();
  }
  if (!restored.ok()) return restored;
  ++recovered_.plans;
  if (gap) {
    log_.error("a plan goes on without events that the journal no longer has",
               {{"plan", plan->record.plan.deploy.plan}, {"state_at", text_of(at)}});
  }
  replay_from = std::min(replay_from, std::max(next, journal_first_.value));
  return absl::OkStatus();
}

/// Rot that the newest states have taken in hurts a plan which falls back behind it, and only that
/// one: kFailedPrecondition.
absl::Status Durability::look_behind(EntryId at) const {
  uint64_t next = std::max(at.position.value + 1, journal_first_.value);
  JournalReader reader(files_, journal_index_, {next});
  while (true) {
    auto entry = reader.next();
    if (absl::IsDataLoss(entry.status())) {
      return absl::FailedPreconditionError(
          absl::StrCat("the journal behind it has rotted: ", entry.status().message()));
    }
    if (!entry.ok()) return entry.status();
    if (!*entry) return absl::OkStatus();
  }
}

/// The entry from which the journal builds the plan again; nothing when it does not reach back that
/// far, or has rotted since. A plan that replaced another has some of its state: it is built from
/// the first of them.
absl::StatusOr<std::optional<uint64_t>> Durability::built_from(const CataloguePlan& plan) const {
  std::optional<uint64_t> from;
  if (plan.entry.position < journal_first_) return from;
  JournalReader reader(files_, journal_index_, journal_first_);
  while (true) {
    auto entry = reader.next();
    if (absl::IsDataLoss(entry.status())) return std::optional<uint64_t>();
    if (!entry.ok()) return entry.status();
    if (!*entry) return from;
    const auto* deploy = std::get_if<DeployPayload>(&(*entry)->payload);
    bool first = deploy != nullptr && deploy->plan == plan.deploy.plan && !deploy->replace;
    if (first && (*entry)->id.position <= plan.entry.position) from = (*entry)->id.position.value;
  }
}

absl::Status Durability::put_lost(Node& node, const CataloguePlan& plan, const std::string& why) {
  ++recovered_.lost_plans;
  log_.error("a plan cannot be restored", {{"plan", plan.deploy.plan}, {"reason", why}});
  absl::Status there = node.restore(plan, node_state_->at, node_state_->timestamp, {}, why);
  if (!absl::IsInvalidArgument(there)) return there;
  unbuilt_[plan.deploy.plan] = std::string(there.message());
  return absl::OkStatus();
}

absl::Status Durability::replay(Node& node, uint64_t from) {
  // What stands behind that on a node of a pair may yet turn out never to have been.
  const uint64_t last = settings_.pair.enabled ? applied_at_start().value : journal_last_.value;
  JournalReader reader(files_, journal_index_, {std::max(from, journal_first_.value)});
  while (true) {
    auto entry = reader.next();
    if (!entry.ok()) return entry.status();
    if (!*entry || (*entry)->id.position.value > last) return absl::OkStatus();
    ++recovered_.entries;
    if (const auto* events = std::get_if<EventsPayload>(&(*entry)->payload)) {
      recovered_.events += events->batch->rows();
    }
    if (absl::Status replayed = replay_entry(node, **entry); !replayed.ok()) return replayed;
  }
}

/// A plan that cannot be built may be gone or another one by the end of the journal.
absl::Status Durability::replay_entry(Node& node, const Entry& entry) {
  absl::Status replayed = node.replay(entry);
  if (const auto* deploy = std::get_if<DeployPayload>(&entry.payload)) {
    unbuilt_.erase(deploy->plan);
    if (absl::IsInvalidArgument(replayed)) {
      unbuilt_[deploy->plan] = std::string(replayed.message());
      return absl::OkStatus();
    }
  } else if (const auto* undeploy = std::get_if<UndeployPayload>(&entry.payload)) {
    unbuilt_.erase(undeploy->plan);
  }
  return replayed;
}

/// Going on without a plan would drop it, and its state, with the next states written.
absl::Status Durability::judge_unbuilt() {
  std::string refused;
  for (const auto& [plan, why] : unbuilt_) {
    bool ordered = std::find(orders_.forget_plans.begin(), orders_.forget_plans.end(), plan) !=
                   orders_.forget_plans.end();
    if (ordered) {
      ++recovered_.lost_plans;
      log_.error("a plan cannot be built and is forgotten, as ordered",
                 {{"plan", plan}, {"reason", why}});
    } else {
      absl::StrAppend(&refused, "plan '", plan, "' cannot be built: ", why,
                      "; give back what it needs, or start once with --forget-plan ", plan, "\n");
    }
  }
  absl::StripTrailingAsciiWhitespace(&refused);
  return refused.empty() ? absl::OkStatus() : absl::FailedPreconditionError(refused);
}

void Durability::persist_at_end(std::chrono::milliseconds at_most) {
  if (persister_ == nullptr) return;
  auto written = persister_->persist(at_most);
  if (written.ok()) return;
  log_.warning("states were not written at the end; the next start replays the journal",
               {{"error", written.status().message()}});
}

void Durability::close() {
  {
    std::lock_guard lock(node_mutex_);
    node_ = nullptr;
  }
  if (persister_ != nullptr) persister_->stop();
  if (committer_ != nullptr) committer_->stop();
}

}  // namespace pollux
