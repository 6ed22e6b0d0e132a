// One seed: two nodes, their clients, arbiter and sinks, and what goes wrong; in the end all heals,
// and everything that was promised must hold. Everything follows from the seed. Thread: one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/ha/sim/mutant_rules.h"
#include "tests/ha/sim/pair_node.h"
#include "tests/ha/sim/pair_profile.h"
#include "tests/ha/sim/sim_client.h"

namespace pollux {

struct PairSimulationOptions {
  uint64_t seed = 0;
  PairProfile profile = kPairProfiles[0];
  PairMutant mutant = PairMutant::kNone;
  int64_t seconds_min = 30;
  uint64_t entries_min = 500;
  uint32_t faults_min = 3;
  std::function<void(const std::string&)> trace;
};

/// What came about, so that a run can tell that no path was left out.
struct PairSimulationCounts {
  uint64_t entries = 0;
  uint64_t acknowledged = 0;
  uint64_t faults = 0;
  uint64_t virtual_ms = 0;
  uint64_t rows = 0;
  uint64_t repeated_rows = 0;
  uint64_t late_successes = 0;
  ReplicaCounts replica;
  ProcessCounts process;
};

class PairSimulation {
 public:
  explicit PairSimulation(const PairSimulationOptions& options);

  /// Throws a Violation.
  PairSimulationCounts run();

  // ---- for named scenarios ----

  void start();
  /// Until that is so. Throws a Violation after so many virtual seconds.
  void run_until(const std::string& what, const std::function<bool()>& reached,
                 int64_t seconds_max = 60);
  void run_for_ms(int64_t ms);
  void heal();
  /// Everything heals, comes to rest, and is judged.
  void finish();
  /// The nodes' states are equal, or become so once states are written.
  void settle_states();
  void inject(PairFault fault, Place node);
  /// The node's plan is another from here on, as often as it is called.
  void diverge(Place place);

  PairNode& node(Place place) { return *nodes_[static_cast<size_t>(place)]; }
  static Place other(Place place) { return place == Place::kNodeA ? Place::kNodeB : Place::kNodeA; }
  /// Whom the record names; node A while there is no record.
  Place active() const;
  bool is_paired() const;
  bool leads(Place place) const;
  SimNetwork& network() { return network_; }
  SimArbiter& arbiter() { return arbiter_; }
  SimClients& clients() { return clients_; }
  Witness& witness() { return witness_; }
  VirtualTime& time() { return time_; }
  /// Processes that end are not started again.
  void set_restarts(bool restarts) { restarts_ = restarts; }
  PairSimulationCounts counts() const;

 private:
  void step(int64_t until_us);
  void ended(Place place);
  void connect();
  void note_record(const ArbiterRecord& record);
  void check_in_sync();
  void inject_some();
  /// One thing more goes wrong, while nobody sends: no entry to come brings it to light.
  void disturb_rest();
  bool may_replace(Place place) const;
  bool at_rest() const;
  bool states_agree() const;
  void force(Place place);
  void go_on_forcing(Place place, int64_t until_ms);
  void for_a_while(int64_t ms, std::function<void()> end);
  void trace(const std::string& what) const;

  const PairSimulationOptions options_;
  const MutantRules rules_;
  Chance chance_;
  VirtualTime time_;
  SimNetwork network_;
  Witness witness_;
  SimStore store_;
  SimArbiter arbiter_;
  SimWorld world_;
  std::array<std::unique_ptr<PairNode>, 2> nodes_;
  SimClients clients_;
  /// To whose process each node is connected; 0: to nobody's.
  std::array<uint64_t, 2> connected_to_{};
  bool restarts_ = true;
  bool healing_ = false;
  bool diverged_ = false;
  std::optional<Place> powered_off_;   // until the other one leads by force
  std::optional<Epoch> forced_epoch_;  // which begins with a loss, by order
  ArbiterRecord record_;               // the last
  uint64_t faults_ = 0;
  int64_t next_fault_ms_ = 0;
  uint64_t while_ = 0;  // which faults still have an end to come: those of before heal() have not
};

}  // namespace pollux
