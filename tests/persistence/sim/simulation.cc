#include "tests/persistence/sim/simulation.h"

#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

constexpr char kFailedSyncWords[] = "input/output error";

}  // namespace

Simulation::Simulation(const SimulationOptions& options)
    : options_(options),
      random_(options.seed * 0x9E3779B97F4A7C15 + 1),
      disk_(options.seed),
      files_(disk_, options.mutant) {
  node_options_.mutant = options.mutant;
  node_options_.id_seed = options.seed;
  node_options_.segment_bytes = 2048 + below(8192);
  node_options_.journal_bytes_max = (80 << 10) + below(160 << 10);
  foreign_ = {{std::string(SimNode::kJournal) + "/notes.txt", "of the operator"},
              {std::string(SimNode::kJournal) + "/00000000000000000001.journal.bak", "a copy"},
              {std::string(SimNode::kOutbox) + "/1.outbox", "too short a name"},
              {std::string(SimNode::kStates) + "/-1234/plan/1493101044948_other", "foreign"}};
  for (const auto& [path, bytes] : foreign_) disk_.put(path, bytes);
  next_fault_ = below(100);
}

SimulationCounts Simulation::run() {
  start();
  while (counts_.entries < options_.entries_min || counts_.faults < options_.faults_min) step();
  // It heals, goes down cleanly, and comes up once more with all that it has promised.
  disk_.heal();
  absl::Status closed = node_->close();
  bool failed_before = absl::StrContains(closed.message(), kFailedSyncWords);
  if (!closed.ok() && !absl::IsResourceExhausted(closed) && !failed_before) {
    throw Violation(absl::StrCat("a clean end: ", closed.ToString()));
  }
  end(Crash::kPower);
  start();
  check_journal();
  take_results();
  check_foreign();
  return counts_;
}

void Simulation::step() {
  if (counts_.entries >= next_fault_) {
    inject();
    next_fault_ = counts_.entries + 20 + below(130);
  }
  handle(write_group());
  if (one_in(options_.profile.persist_one_in)) handle(persist());
  if (one_in(20)) handle(take_back());
  if (one_in(60)) handle(install_snapshot());
  if (one_in(16)) take_results();
}

absl::Status Simulation::write_group() {
  uint64_t many = 1 + below(8);
  if (slow_groups_ > 0) {
    --slow_groups_;
    many *= 6;
  }
  for (uint64_t i = 0; i < many; ++i) {
    absl::Status taken = offer(some_entry(node_->last() + 1, epoch_, below(1000)));
    if (!taken.ok()) return taken;
    if (options_.mutant == Mutant::kAckBeforeCommit) model_.acknowledge();
  }
  return commit();
}

absl::Status Simulation::offer(const Entry& entry, JournalSpace space) {
  if (absl::Status taken = node_->append(entry, space); !taken.ok()) return taken;
  model_.offer(entry);
  ++counts_.entries;
  return absl::OkStatus();
}

absl::Status Simulation::commit() {
  if (absl::Status lasts = node_->commit(); !lasts.ok()) return lasts;
  model_.acknowledge();
  if (node_->state() != model_.state(model_.offered())) {
    throw Violation("the state is not that of the entries");
  }
  return absl::OkStatus();
}

absl::Status Simulation::persist() {
  uint64_t position = node_->state().at.position.value;
  if (position == 0 || (!whole_.empty() && position <= whole_.back())) return absl::OkStatus();
  if (absl::Status written = node_->persist(confirmed_below_); !written.ok()) return written;
  whole_.push_back(position);
  if (whole_.size() > 2) whole_.erase(whole_.begin());  // pruned
  return absl::OkStatus();
}

/// The disk or the journal is full: state goes to disk, and entries that it covers go.
absl::Status Simulation::relieve() {
  if (!commit().ok()) {
    absl::Status written = persist();
    return written.ok() ? commit() : written;
  }
  if (absl::Status written = persist(); !written.ok()) return written;
  Entry entry = some_entry(node_->last() + 1, epoch_, below(1000));
  if (absl::Status taken = offer(entry, JournalSpace::kReserve); !taken.ok()) return taken;
  if (absl::Status lasts = commit(); !lasts.ok()) return lasts;
  return persist();
}

void Simulation::handle(absl::Status status) {
  for (uint32_t tries = 0; !status.ok(); ++tries) {
    bool sync_failed = absl::StrContains(status.message(), kFailedSyncWords);
    if (disk_.crashed() || sync_failed) {
      end(sync_failed && one_in(2) ? Crash::kProcess : inside_);
      return start();
    }
    if (!absl::IsResourceExhausted(status) || tries == 5) {
      throw Violation(absl::StrCat("at work: ", status.ToString()));
    }
    if (tries == 2) disk_.set_capacity(SimulatedFileSystem::kNever);
    status = relieve();
  }
}

void Simulation::end(Crash crash) {
  disk_.restart(crash);
  node_ = nullptr;
}

void Simulation::start() {
  bool crash_again = options_.profile.weights[static_cast<size_t>(Fault::kPowerInside)] > 0;
  for (uint32_t tries = 0; tries < 20; ++tries) {
    if (crash_again && one_in(6)) disk_.crash_after(below(20));
    auto started = SimNode::start(files_, node_options_, confirmed_below_);
    ++counts_.starts;
    if (started.ok()) {
      node_ = *std::move(started);
      return check_recovered();
    }
    const absl::Status& why = started.status();
    if (disk_.crashed()) {
      // With the power goes what proves that a record was whole before a bit of it turned over;
      // from then on it looks torn.
      bool killed = one_in(3) || (flipped_ && !flipped_->revision);
      disk_.restart(killed ? Crash::kProcess : Crash::kPower);
    } else if (absl::IsPermissionDenied(why)) {
      if (!disk_.read_only()) throw Violation(absl::StrCat("at the start: ", why.ToString()));
      disk_.set_read_only(false);
    } else if (absl::IsResourceExhausted(why)) {
      disk_.set_capacity(SimulatedFileSystem::kNever);
    } else if (absl::StrContains(why.message(), kFailedSyncWords)) {
      disk_.restart(Crash::kProcess);
    } else if (tells_of_rot(why)) {
      flip_back();
    } else {
      throw Violation(absl::StrCat("at the start: ", why.ToString()));
    }
  }
  throw Violation("it does not start any more");
}

void Simulation::inject() {
  const auto& weights = options_.profile.weights;
  uint64_t drawn = below(std::accumulate(weights.begin(), weights.end(), uint64_t{0}));
  size_t fault = 0;
  for (; drawn >= weights[fault]; ++fault) drawn -= weights[fault];
  ++counts_.faults;
  switch (static_cast<Fault>(fault)) {
    case Fault::kKill:
      end(Crash::kProcess);
      return start();
    case Fault::kPowerCut:
      end(Crash::kPower);
      return start();
    case Fault::kKillInside:
      inside_ = Crash::kProcess;
      return disk_.crash_after(below(16));
    case Fault::kPowerInside:
      inside_ = Crash::kPower;
      return disk_.crash_after(below(16));
    case Fault::kFailedSync:
      return disk_.fail_sync_after(below(6));
    case Fault::kFullDisk:
      return disk_.set_capacity(disk_.bytes_used() + below(3000));
    case Fault::kSlowDisk:
      slow_groups_ = 4;
      return;
    case Fault::kReadOnly:
      end(Crash::kProcess);
      disk_.set_read_only(true);
      return start();
    case Fault::kRotJournal:
    case Fault::kRotRevision:
    case Fault::kRotOutbox:
      return inject_rot(static_cast<Fault>(fault));
  }
}

}  // namespace pollux
