#include "tests/ha/sim/pair_simulation.h"

#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/ha/sim/over_wire.h"

namespace pollux {
namespace {

constexpr std::array<Place, 2> kNodes = {Place::kNodeA, Place::kNodeB};

size_t index_of(Place place) { return static_cast<size_t>(place); }

}  // namespace

PairSimulation::PairSimulation(const PairSimulationOptions& options)
    : options_(options),
      rules_(options.mutant),
      chance_(options.seed),
      network_(time_, chance_),
      store_(witness_, options.mutant != PairMutant::kNoWatermarkCheck),
      arbiter_(time_, network_, chance_,
               [this](const ArbiterRecord& record) { note_record(record); }),
      world_{time_,
             network_,
             arbiter_,
             chance_,
             witness_,
             store_,
             options.mutant,
             rules_,
             options.profile.sync_every_commit,
             [this](Place from, PeerMessage message, int64_t after_us) {
               Place to = other(from);
               network_.send(
                   from, to,
                   [this, to, message = over_wire(message)] {
                     node(to).deliver(
                         [message](PairProcess& process) { process.on_message(message); });
                   },
                   after_us);
             },
             [this](Place from, BatchRequest request) {
               Place to = other(from);
               auto answer = request.answer;
               request.answer = [this, from, to, answer](const BatchAnswer& given) {
                 network_.send(to, from, [answer, given] { answer(given); });
               };
               network_.send(from, to, [this, to, request] {
                 node(to).deliver([request](PairProcess& process) { process.on_batch(request); });
               });
             },
             [this](Place from) {
               Place to = other(from);
               network_.send(from, to, [this, from, to] {
                 node(to).deliver([this, from, to](PairProcess& process) {
                   std::optional<SnapshotData> data = process.snapshot();
                   if (!data) return;
                   network_.send(to, from, [this, from, data = *data] {
                     node(from).deliver([data](PairProcess& joiner) { joiner.on_snapshot(data); });
                   });
                 });
               });
             },
             [this](Epoch epoch, const EpochHistory& journal) {
               if (!forced_epoch_ || epoch < *forced_epoch_) return;
               forced_epoch_.reset();
               witness_.forced(journal);
             },
             options.trace ? [this](const std::string& what) { trace(what); }
                           : std::function<void(const std::string&)>(),
             [this](Place place, uint64_t serial, std::function<void(PairProcess&)> call) {
               node(place).wake(serial, std::move(call));
             }},
      nodes_{std::make_unique<PairNode>(world_, Place::kNodeA, [this] { ended(Place::kNodeA); }),
             std::make_unique<PairNode>(world_, Place::kNodeB, [this] { ended(Place::kNodeB); })},
      clients_(
          time_, network_, chance_,
          [this](Place place, BatchRequest request) {
            node(place).deliver([request](PairProcess& process) { process.on_batch(request); });
          },
          3) {}

void PairSimulation::trace(const std::string& what) const {
  if (options_.trace) options_.trace(absl::StrCat(time_.now_ms(), " ms ", what));
}

void PairSimulation::start() {
  for (Place place : kNodes) node(place).start();
  connect();
  clients_.start();
  next_fault_ms_ = 1000;
}

PairSimulationCounts PairSimulation::run() {
  start();
  auto enough = [this] {
    return time_.now_ms() >= options_.seconds_min * 1000 &&
           witness_.entries() >= options_.entries_min && faults_ >= options_.faults_min;
  };
  int64_t seconds_max = options_.seconds_min * 20;
  while (!enough() || powered_off_) {
    if (time_.now_ms() > seconds_max * 1000) throw Violation("nothing goes on under these faults");
    step(time_.now_us() + 20'000);
    if (time_.now_ms() >= next_fault_ms_ && !powered_off_) inject_some();
  }
  finish();
  disturb_rest();
  finish();
  return counts();
}

/// Everything that happens up to that time.
void PairSimulation::step(int64_t until_us) {
  while (time_.step(until_us)) {
  }
  check_in_sync();
}

void PairSimulation::run_for_ms(int64_t ms) {
  int64_t until = time_.now_us() + ms * 1000;
  while (time_.now_us() < until) step(std::min(until, time_.now_us() + 20'000));
}

void PairSimulation::run_until(const std::string& what, const std::function<bool()>& reached,
                               int64_t seconds_max) {
  int64_t until_ms = time_.now_ms() + seconds_max * 1000;
  while (!reached()) {
    if (time_.now_ms() > until_ms) {
      throw Violation(absl::StrCat("L1 no progress: not ", what, " within ", seconds_max, " s"));
    }
    step(time_.now_us() + 20'000);
  }
}

void PairSimulation::heal() {
  trace("everything heals");
  healing_ = true;
  ++while_;
  network_.heal();
  arbiter_.set_silent(false);
  arbiter_.set_unknown_permille(0);
  for (Place place : kNodes) {
    node(place).disk().heal();
    node(place).set_slow_disk(false);
    node(place).set_slow_plan(false);
    if (!node(place).is_up()) node(place).start();
  }
}

bool PairSimulation::at_rest() const {
  if (!is_paired() || !clients_.all_acknowledged()) return false;
  for (const auto& one : nodes_) {
    const PairProcess* process = one->process_or_null();
    if (process == nullptr) return false;
    const Replica& replica = process->replica();
    Position all = witness_.history().last().position;
    if (replica.tail().position != all || process->applied() != all) return false;
    if (!process->is_quiet()) return false;
  }
  return true;
}

void PairSimulation::finish() {
  restarts_ = true;
  heal();
  clients_.finish();
  run_until(
      "at rest", [this] { return at_rest(); }, 90);
  if (!diverged_ && counts().process.divergences != 0) {
    throw Violation("nodes that are equal were taken to differ");
  }
  settle_states();
  witness_.judge();
}

bool PairSimulation::states_agree() const {
  return nodes_[0]->process_or_null()->state_hash() == nodes_[1]->process_or_null()->state_hash();
}

void PairSimulation::settle_states() {
  if (at_rest() && states_agree()) return;
  if (!diverged_) throw Violation("the nodes' states differ at rest");
  node(active()).deliver([](PairProcess& process) { process.order_persist(); });
  run_until(
      "equal again", [this] { return at_rest() && states_agree(); }, 60);
}

PairSimulationCounts PairSimulation::counts() const {
  PairSimulationCounts counts;
  counts.entries = witness_.entries();
  counts.acknowledged = clients_.acknowledged();
  counts.faults = faults_;
  counts.virtual_ms = static_cast<uint64_t>(time_.now_ms());
  counts.rows = witness_.rows();
  counts.repeated_rows = witness_.repeated_rows();
  counts.late_successes = arbiter_.late_successes();
  for (const auto& one : nodes_) {
    add_counters(counts.replica, one->replica_counts());
    add_counters(counts.process, one->counts());
  }
  return counts;
}

// ---- who is connected, who leads ----

void PairSimulation::ended(Place place) {
  trace(absl::StrCat(name_of(place), " has ended"));
  connected_to_[index_of(place)] = 0;
  if (powered_off_ == place || (!restarts_ && !healing_)) return;
  bool at_once = chance_.one_in(2);
  time_.after_us(at_once ? chance_.between(2'000, 100'000) : chance_.between(20'000, 1'500'000),
                 [this, place] {
                   bool may = (restarts_ || healing_) && powered_off_ != place;
                   if (!node(place).is_up() && may) node(place).start();
                 });
}

/// A connection ends with the process at its other end, which is noticed only where its machine can
/// still say so, or says so when it is up again.
void PairSimulation::connect() {
  constexpr int64_t kEveryUs = 10'000;
  constexpr int64_t kDialEvery = 10;
  for (Place place : kNodes) {
    PairNode& mine = node(place);
    PairNode& theirs = node(other(place));
    uint64_t& to = connected_to_[index_of(place)];
    bool open = network_.is_open(place, other(place)) && network_.is_open(other(place), place);
    if (!mine.is_up()) {
      to = 0;
      continue;
    }
    bool gone = !theirs.is_up() || theirs.serial() != to;
    if (to != 0 && gone && open && (theirs.is_up() || !theirs.lost_power())) {
      to = 0;
      mine.deliver([](PairProcess& process) { process.on_disconnected(); });
    } else if (to == 0 && theirs.is_up() && open && chance_.one_in(kDialEvery)) {
      to = theirs.serial();
      mine.deliver([](PairProcess& process) { process.on_connected(); });
    }
  }
  time_.after_us(kEveryUs, [this] { connect(); });
}

void PairSimulation::note_record(const ArbiterRecord& record) {
  bool named = record.active == record_.active || record.active == record_.in_sync;
  if (record_.exists() && !named) forced_epoch_ = record.epoch;
  record_ = record;
  trace(absl::StrCat("record ", record.version, ": epoch ", record.epoch.value, " active ",
                     record.active.high % 1000, " in sync ",
                     record.in_sync ? absl::StrCat(record.in_sync->high % 1000) : "nobody"));
}

/// I5, of the node that is up; of one that is down its lead tells.
void PairSimulation::check_in_sync() {
  const ArbiterRecord& record = arbiter_.record();
  for (const auto& one : nodes_) {
    const PairProcess* process = one->process_or_null();
    if (process == nullptr) continue;
    const Replica& replica = process->replica();
    if (replica.leads()) {
      witness_.committed(replica.journal().history(), replica.committed());
    }
  }
  for (const auto& one : nodes_) {
    const PairProcess* process = one->process_or_null();
    if (process == nullptr || !record.exists()) continue;
    const Replica& replica = process->replica();
    if (record.in_sync == replica.own().journal) {
      Position holds =
          replica.own().unsynced ? replica.journal().written() : replica.journal().lasting();
      witness_.in_sync_holds(replica.journal().history(), holds);
    }
  }
}

bool PairSimulation::leads(Place place) const {
  const PairProcess* process = nodes_[index_of(place)]->process_or_null();
  return process != nullptr && process->replica().leads();
}

Place PairSimulation::active() const {
  for (Place place : kNodes) {
    const PairProcess* process = nodes_[index_of(place)]->process_or_null();
    if (process != nullptr && process->replica().own().journal == arbiter_.record().active) {
      return place;
    }
  }
  return Place::kNodeA;
}

bool PairSimulation::is_paired() const {
  const ArbiterRecord& record = arbiter_.record();
  if (!record.exists() || !record.in_sync) return false;
  bool active = false;
  bool passive = false;
  for (const auto& one : nodes_) {
    const PairProcess* process = one->process_or_null();
    if (process == nullptr) return false;
    const Replica& replica = process->replica();
    active = active || replica.role() == Role::kActivePaired;
    passive =
        passive || (replica.role() == Role::kPassive && record.in_sync == replica.own().journal);
  }
  return active && passive;
}

}  // namespace pollux
