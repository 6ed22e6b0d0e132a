// How the process of the simulation comes back from its disk, keeps states there, and takes those
// of the other node in their place.
#include <algorithm>
#include <utility>

#include "engine/state/state_archive.h"
#include "ha/pair/pair_start.h"
#include "persistence/codec/crc32c.h"
#include "persistence/journal/journal_reader.h"
#include "tests/ha/sim/pair_process.h"
#include "tests/ha/sim/sim_plan.h"

namespace pollux {
namespace {

constexpr char kStates[] = "data/states";
constexpr char kStatesOfPlan[] = "data/states/-1234/Guard";
constexpr char kJournal[] = "data/journal";
constexpr char kOutbox[] = "data/outbox";
constexpr uint64_t kSegmentBytes = 6 << 10;

struct NoResults : ResultSink {
  void on_result(const ResultBatch&) override {}
};

absl::Status remove_files(FileSystem& files, const std::string& directory) {
  auto found = files.list(directory);
  if (absl::IsNotFound(found.status())) return absl::OkStatus();
  if (!found.ok()) return found.status();
  for (const DirectoryEntry& entry : *found) {
    if (entry.directory || entry.name == "lock") continue;
    if (absl::Status gone = files.remove(directory + "/" + entry.name); !gone.ok()) return gone;
  }
  return files.sync_directory(directory);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PairProcess>> PairProcess::start(SimWorld& world, Place node,
                                                                SimulatedFileSystem& disk,
                                                                uint64_t serial, bool power_lost,
                                                                ProcessCounts& counts) {
  std::unique_ptr<PairProcess> process(new PairProcess(world, node, disk, serial, counts));
  if (absl::Status recovered = process->recover(power_lost); !recovered.ok()) return recovered;
  return process;
}

absl::Status PairProcess::recover(bool power_lost) {
  for (const char* directory : {kData, kStatesOfPlan, kJournal, kOutbox}) {
    if (absl::Status made = disk_.make_directories(directory); !made.ok()) return made;
  }
  auto own = file_.read();
  if (!own.ok()) return own.status();
  bool half_installed = *own && (*own)->installing;
  if (half_installed) {
    if (absl::Status gone = wipe(true); !gone.ok()) return gone;
  }
  if (absl::Status loaded = load(); !loaded.ok()) return loaded;
  if (absl::Status opened = open_journal(); !opened.ok()) return opened;
  if (absl::Status opened = open_outbox(); !opened.ok()) return opened;
  Position committed = std::max(applied_, last_result_.cause.position);
  auto state = begin_pair_state(file_, *journal_, power_lost && !is(PairMutant::kNoNewIdForPower),
                                committed, [this] { return new_journal_id(); });
  if (!state.ok()) return state.status();
  if (half_installed) {
    state->installing = false;
    if (absl::Status written = file_.write(*state); !written.ok()) return written;
  }
  Timestamp last = applied_timestamp_;
  if (journal_->last().position > applied_) {
    auto entry = JournalReader(disk_, journal_->index(), journal_->last().position).next();
    if (!entry.ok()) return entry.status();
    if (*entry) last = std::max(last, (*entry)->timestamp);
  }
  ReplicaOptions options;
  options.recent_bytes = 8 << 10;
  options.message_bytes = 2 << 10;
  options.window_bytes = 32 << 10;
  options.sync_every_commit = world_.sync_every_commit;
  replica_ = std::make_unique<Replica>(disk_, *journal_, file_, *state, world_.rules, options,
                                       ReplicaStart{applied_, committed, last}, *this);
  source_.emplace(replica_->journal().entries_from({applied_.value + 1}));
  note_syncs();
  replica_->tick(now_ms());
  return absl::OkStatus();
}

absl::Status PairProcess::open_journal() {
  JournalOptions options;
  options.directory = kJournal;
  options.segment_bytes = kSegmentBytes;
  options.bytes_max = 4 << 20;
  options.bytes_reserved = 1 << 20;
  options.sync_commits = false;  // the replica says when
  options.covered = applied_id_;
  options.new_id = [this] { return LogId{world_.chance.next(), 2}; };
  auto journal = Journal::open(journal_disk_, options);
  if (!journal.ok()) return journal.status();
  journal_ = *std::move(journal);
  return absl::OkStatus();
}

/// The newest state, or none.
absl::Status PairProcess::load() {
  RevisionStore::Options options;
  options.location = kStates;
  options.folder = kSimPlan;
  auto store = RevisionStore::open(disk_, options);
  if (!store.ok()) return store.status();
  revisions_ = *std::move(store);
  engine_ = std::make_unique<Engine>(sim_engine_options());
  results_hash_ = ResultsHash(kResultsInterval);
  producers_ = ProducerTable(kProducersForgottenMs, kProducersMax);
  applied_ = {};
  applied_id_ = {};
  applied_timestamp_ = {};
  may_apply_ = {};
  kept_.clear();
  auto newest = revisions_->newest_valid();
  if (!newest.ok()) return newest.status();
  if (!newest->revision) return absl::OkStatus();
  if (!read_state(newest->revision->state(), *newest->revision)) {
    throw Violation("a state cannot be read");
  }
  ++counts_.restored;
  applied_id_ = newest->revision->info.header.at;
  applied_ = applied_id_.position;
  applied_timestamp_ = newest->revision->info.header.timestamp;
  kept_ = {applied_};
  results_hash_.restored(applied_);
  return absl::OkStatus();
}

std::string PairProcess::state_bytes() const {
  std::string bytes;
  StateArchive archive([&](std::string_view piece) { bytes += piece; });
  uint8_t deployed = engine_->plans().empty() ? 0 : 1;
  archive(deployed);
  ProducerTable producers = producers_;
  producers.archive(archive);
  archive.flush();
  uint64_t size = bytes.size();
  bytes.insert(0, reinterpret_cast<const char*>(&size), sizeof(size));
  return bytes + engine_->save_state(kSimPlan);
}

uint64_t PairProcess::state_hash() const { return revision_state_hash(state_bytes()); }

bool PairProcess::read_state(std::string_view bytes, const Revision& revision) {
  uint64_t size = 0;
  if (bytes.size() < sizeof(size)) return false;
  std::memcpy(&size, bytes.data(), sizeof(size));
  if (bytes.size() < sizeof(size) + size) return false;
  StateArchive archive(bytes.substr(sizeof(size), size));
  uint8_t deployed = 0;
  archive(deployed);
  producers_.archive(archive);
  if (archive.failed() || !archive.at_end()) return false;
  if (deployed == 0) return true;
  DeployPayload deploy;
  deploy.plan = kSimPlan;
  deploy.text = kSimPlanText;
  NoResults none;
  engine_->apply({revision.info.header.at, revision.info.header.timestamp, deploy}, none);
  return engine_->restore_state(kSimPlan, bytes.substr(sizeof(size) + size)).empty();
}

absl::Status PairProcess::open_outbox() {
  auto places = ReaderPlaces::read(disk_, kOutbox);
  if (!places.ok()) return places.status();
  places_ = *std::move(places);
  OutboxOptions options;
  options.directory = kOutbox;
  options.segment_bytes = kSegmentBytes;
  options.confirmed_below = places_->confirmed_below();
  options.new_id = [this] { return LogId{world_.chance.next(), 3}; };
  auto outbox = OutboxLog::open(disk_, options);
  if (!outbox.ok()) return outbox.status();
  outbox_ = *std::move(outbox);
  if (absl::Status settled = places_->settle(outbox_->first(), outbox_->next()); !settled.ok()) {
    return settled;
  }
  auto last_ids = read_last_ids(disk_, kOutbox);
  if (!last_ids.ok()) return last_ids.status();
  last_result_ = {};
  if (auto known = last_ids->find(kSimPlan); known != last_ids->end()) last_result_ = known->second;
  OutboxReader reader(disk_, outbox_->index(), outbox_->first());
  while (true) {
    auto slice = reader.next();
    if (!slice.ok()) return slice.status();
    if (!*slice) break;
    last_result_ = std::max(last_result_, PlanRow{(*slice)->cause, (*slice)->ordinals.back()});
  }
  PlanRow webhook_mark, store_mark;
  if (webhook_ == nullptr) {
    webhook_ = std::make_unique<WebhookSender>(disk_, sink_link(), world_.witness, node_);
    store_ = std::make_unique<StoreSender>(disk_, sink_link(), world_.store);
  }
  for (SinkCursor* cursor : {&webhook_->cursor, &store_->cursor}) {
    if (absl::Status opened = cursor->open(*outbox_, *places_); !opened.ok()) return opened;
  }
  return absl::OkStatus();
}

absl::Status PairProcess::persist(const Entry& entry) {
  ++counts_.persisted;
  entries_since_persist_ = 0;
  persist_ordered_ = false;
  std::string state = state_bytes();
  world_.witness.state_at(entry.id, crc32c(state));
  replica_->note_hash({kSimPlan, HashKind::kState, entry.id.position, revision_state_hash(state)},
                      now_ms());
  // What the state moves past can not be made again.
  absl::Status lasts = outbox_->sync();
  if (absl::IsResourceExhausted(lasts)) return absl::OkStatus();
  if (!lasts.ok()) return lasts;
  RevisionHeader header;
  header.at = entry.id;
  header.timestamp = entry.timestamp;
  auto writer = revisions_->begin(header);
  if (absl::IsResourceExhausted(writer.status())) return absl::OkStatus();
  if (!writer.ok()) return writer.status();
  absl::Status written = (*writer)->append(state);
  if (written.ok()) written = (*writer)->finish().status();
  if (written.ok()) written = revisions_->prune();
  if (absl::IsResourceExhausted(written)) return absl::OkStatus();
  if (!written.ok()) return written;
  kept_.push_back(entry.id.position);
  if (kept_.size() > 1) {
    Position needed{kept_[kept_.size() - 2].value + 1};
    if (absl::Status trimmed = journal_->trim(needed); !trimmed.ok()) return trimmed;
  }
  uint64_t confirmed = std::min(webhook_->cursor.offset(), store_->cursor.offset());
  if (is(PairMutant::kTrimBeforeConfirmed)) confirmed = outbox_->next();
  LastIds last_ids;
  raise_last_id(last_ids, kSimPlan, last_result_);
  if (absl::Status noted = write_last_ids(disk_, kOutbox, last_ids); !noted.ok()) {
    return absl::IsResourceExhausted(noted) ? absl::OkStatus() : noted;
  }
  note_syncs();
  return outbox_->trim(confirmed);
}

// ---- snapshots ----

std::optional<SnapshotData> PairProcess::snapshot() const {
  const auto& lead = replica_->lead();
  if (!lead || !lead->solo_ok()) return std::nullopt;
  auto newest = revisions_->newest_valid();
  if (!newest.ok() || !newest->revision) return std::nullopt;
  SnapshotData data;
  data.at = newest->revision->info.header.at;
  data.timestamp = newest->revision->info.header.timestamp;
  data.state = std::string(newest->revision->state());
  OutboxReader reader(disk_, outbox_->index(), outbox_->first());
  while (true) {
    auto slice = reader.next();
    if (!slice.ok()) return std::nullopt;
    if (!*slice) break;
    if ((*slice)->cause.position <= data.at.position) data.results.push_back(**slice);
  }
  data.confirmed.sinks["webhook"][kSimPlan] = webhook_->cursor.mark();
  data.confirmed.sinks["store"][kSimPlan] = store_->cursor.mark();
  return data;
}

void PairProcess::on_snapshot(const SnapshotData& data) { arrived_ = data; }

absl::Status PairProcess::wipe(bool journal_too) {
  if (journal_too) {
    if (absl::Status gone = remove_files(disk_, kJournal); !gone.ok()) return gone;
  }
  if (!is(PairMutant::kStateOfAnotherFork)) {
    if (absl::Status gone = remove_files(disk_, kStatesOfPlan); !gone.ok()) return gone;
  }
  return remove_files(disk_, kOutbox);
}

/// R8. What is half done when the process ends is void at the next start.
absl::Status PairProcess::install(const SnapshotData& data) {
  if (absl::Status begun = replica_->begin_install(data.at, now_ms()); !begun.ok()) return begun;
  ++counts_.installed;
  source_.reset();
  outbox_.reset();
  places_.reset();
  revisions_.reset();
  if (absl::Status gone = wipe(false); !gone.ok()) return gone;
  if (absl::Status opened = open_outbox(); !opened.ok()) return opened;
  for (const OutboxSlice& slice : data.results) {
    ResultBatch results{slice.plan, kSimResults, slice.cause, slice.batch, slice.ordinals};
    if (absl::Status put = outbox_->append(results); !put.ok()) return put;
    last_result_ = {slice.cause, slice.ordinals.back()};
  }
  if (absl::Status lasts = outbox_->sync(); !lasts.ok()) return lasts;
  if (!data.state.empty()) {
    RevisionStore::Options options;
    options.location = kStates;
    options.folder = kSimPlan;
    auto store = RevisionStore::open(disk_, options);
    if (!store.ok()) return store.status();
    RevisionHeader header;
    header.at = data.at;
    header.timestamp = data.timestamp;
    auto writer = (*store)->begin(header);
    if (!writer.ok()) return writer.status();
    absl::Status written = (*writer)->append(data.state);
    if (written.ok()) written = (*writer)->finish().status();
    if (!written.ok()) return written;
  }
  if (absl::Status loaded = load(); !loaded.ok()) return loaded;
  // Results of entries in the state are there, all that were not confirmed.
  LastIds last_ids;
  raise_last_id(last_ids, kSimPlan, {data.at, UINT32_MAX});
  if (absl::Status noted = write_last_ids(disk_, kOutbox, last_ids); !noted.ok()) return noted;
  last_result_ = std::max(last_result_, PlanRow{data.at, UINT32_MAX});
  confirmed(data.confirmed);
  source_.emplace(replica_->journal().entries_from({applied_.value + 1}));
  return replica_->end_install(applied_, now_ms());
}

}  // namespace pollux
