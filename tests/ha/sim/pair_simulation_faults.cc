// What goes wrong in the pair's simulation.
#include <array>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/ha/sim/pair_simulation.h"

namespace pollux {

void PairSimulation::for_a_while(int64_t ms, std::function<void()> end) {
  time_.after_us(ms * 1000, [this, end = std::move(end), mine = while_] {
    if (mine == while_) end();
  });
}

void PairSimulation::inject_some() {
  next_fault_ms_ = time_.now_ms() +
                   chance_.between(options_.profile.gap_ms / 4, options_.profile.gap_ms * 7 / 4);
  const auto& weights = options_.profile.weights;
  uint64_t at = chance_.below(std::accumulate(weights.begin(), weights.end(), uint64_t{0}));
  size_t fault = 0;
  for (; at >= weights[fault]; ++fault) at -= weights[fault];
  // Rather the one that leads: there is more to break.
  Place place = chance_.one_in(3) ? other(active()) : active();
  inject(static_cast<PairFault>(fault), place);
}

void PairSimulation::disturb_rest() {
  constexpr std::array kFaults = {PairFault::kKill,      PairFault::kPause,   PairFault::kCut,
                                  PairFault::kCutOneWay, PairFault::kIsolate, PairFault::kLossy};
  Place place = chance_.one_in(2) ? Place::kNodeA : Place::kNodeB;
  inject(kFaults[chance_.below(kFaults.size())], place);
  if (chance_.one_in(2)) inject(PairFault::kArbiterSilent, place);
  run_for_ms(chance_.between(100, 5000));
}

/// One journal that the record names must stay: else nobody has what is committed.
bool PairSimulation::may_replace(Place place) const {
  const PairProcess* left = nodes_[static_cast<size_t>(other(place))]->process_or_null();
  if (left == nullptr || arbiter_.is_pending()) return false;
  const ArbiterRecord& record = arbiter_.record();
  JournalId journal = left->replica().own().journal;
  bool leads = record.active == journal && left->replica().leads();
  return record.exists() && (leads || record.in_sync == journal);
}

void PairSimulation::inject(PairFault fault, Place place) {
  PairNode& target = node(place);
  trace(absl::StrCat("fault: ", std::string(kPairFaultNames[static_cast<size_t>(fault)]), " of ",
                     name_of(place)));
  ++faults_;
  int64_t ms = chance_.between(100, 4000);
  Place peer = other(place);
  switch (fault) {
    case PairFault::kKill:
      target.end(Crash::kProcess);
      break;
    case PairFault::kKillInside:
      target.end_inside(Crash::kProcess);
      break;
    case PairFault::kPower:
      // With it go bytes that are not synced; somebody else must have them.
      if (!options_.profile.sync_every_commit && !may_replace(place)) break;
      target.end(Crash::kPower);
      break;
    case PairFault::kPowerInside:
      target.end_inside(Crash::kPower);
      break;
    case PairFault::kPowerOfBoth:
      target.end(Crash::kPower);
      node(peer).end(Crash::kPower);
      break;
    case PairFault::kPause:
      target.pause_until(time_.now_us() + ms * 1000);
      break;
    case PairFault::kCut:
    case PairFault::kCutOneWay: {
      bool both = fault == PairFault::kCut;
      network_.set_cut(place, peer, true);
      if (both) network_.set_cut(peer, place, true);
      for_a_while(ms, [this, place, peer] {
        network_.set_cut(place, peer, false);
        network_.set_cut(peer, place, false);
      });
      break;
    }
    case PairFault::kCutFromArbiter:
    case PairFault::kIsolate: {
      bool from_peer = fault == PairFault::kIsolate;
      auto cut = [this, place, peer, from_peer](bool is) {
        network_.set_cut(place, Place::kArbiter, is);
        network_.set_cut(Place::kArbiter, place, is);
        if (from_peer) {
          network_.set_cut(place, peer, is);
          network_.set_cut(peer, place, is);
        }
      };
      cut(true);
      for_a_while(ms, [cut] { cut(false); });
      break;
    }
    case PairFault::kArbiterSilent:
      arbiter_.set_silent(true);
      for_a_while(ms, [this] { arbiter_.set_silent(false); });
      break;
    case PairFault::kArbiterUnknown:
      arbiter_.set_unknown_permille(600);
      for_a_while(2 * ms, [this] { arbiter_.set_unknown_permille(0); });
      break;
    case PairFault::kLossy:
      network_.set_faults({static_cast<uint32_t>(chance_.below(80)),
                           static_cast<uint32_t>(chance_.below(200)),
                           static_cast<uint32_t>(chance_.below(300)), chance_.between(1, 900'000)});
      for_a_while(2 * ms, [this] { network_.set_faults({}); });
      break;
    case PairFault::kSinksAway:
      for (Place from : {place, peer}) {
        network_.set_cut(from, Place::kSinks, true);
        if (chance_.one_in(2)) break;
      }
      for_a_while(ms, [this, place, peer] {
        network_.set_cut(place, Place::kSinks, false);
        network_.set_cut(peer, Place::kSinks, false);
      });
      break;
    case PairFault::kSlowDisk:
      target.set_slow_disk(true);
      for_a_while(ms, [this, place] { node(place).set_slow_disk(false); });
      break;
    case PairFault::kFullDisk:
      target.disk().set_capacity(target.disk().bytes_used() + chance_.below(1500));
      for_a_while(ms,
                  [this, place] { node(place).disk().set_capacity(SimulatedFileSystem::kNever); });
      break;
    case PairFault::kReplacedDisk:
      if (!may_replace(place)) break;
      target.end(Crash::kPower);
      target.replace_disk();
      break;
    case PairFault::kClockJump:
      target.set_skew_ms(chance_.between(-20'000, 20'000));
      break;
    case PairFault::kSlowPlan:
      target.set_slow_plan(true);
      for_a_while(ms, [this, place] { node(place).set_slow_plan(false); });
      break;
    case PairFault::kSwitchOver:
      target.deliver([](PairProcess& process) { process.switch_over(); });
      break;
    case PairFault::kDiverge:
      if (!diverged_) diverge(place);
      break;
    case PairFault::kForce:
      force(other(active()));
      break;
  }
}

void PairSimulation::diverge(Place place) {
  diverged_ = true;
  witness_.expect_divergence();
  node(place).deliver([](PairProcess& process) { process.diverge(); });
}

/// The nodes lose sight of each other, so that the active commits alone; then it goes, and does not
/// come back before the other one leads.
void PairSimulation::force(Place place) {
  Place gone = other(place);
  if (!node(place).is_up() || !node(place).process().replica().own().domain.is_set()) return;
  network_.set_cut(place, gone, true);
  network_.set_cut(gone, place, true);
  powered_off_ = gone;  // and nothing else goes wrong until it is back
  time_.after_us(chance_.between(100, 4000) * 1000, [this, place, gone] {
    node(gone).end(Crash::kPower);
    network_.set_cut(place, gone, false);
    network_.set_cut(gone, place, false);
    go_on_forcing(place, time_.now_ms() + 20'000);
  });
}

void PairSimulation::go_on_forcing(Place place, int64_t until_ms) {
  bool over = leads(place) || time_.now_ms() > until_ms;
  if (over && !arbiter_.is_pending()) {
    Place gone = *std::exchange(powered_off_, std::nullopt);
    if (!node(gone).is_up()) node(gone).start();
    return;
  }
  if (!over) {
    node(place).deliver([this](PairProcess& process) {
      // One that has not taken back yet what an earlier force made void is no choice.
      if (!witness_.holds_void(process.replica().journal().history())) process.force();
    });
  }
  time_.after_us(400'000, [this, place, until_ms] { go_on_forcing(place, until_ms); });
}

}  // namespace pollux
