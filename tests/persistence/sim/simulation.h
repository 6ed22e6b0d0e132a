// One seed: a node works on a disk that fails, ends, starts again, and must never break what it
// promised to the world outside. Everything follows from the seed. Thread: one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/persistence/sim/model.h"
#include "tests/persistence/sim/mutant_file_system.h"
#include "tests/persistence/sim/profile.h"
#include "tests/persistence/sim/sim_node.h"
#include "tests/persistence/sim/simulated_file_system.h"

namespace pollux {

struct SimulationOptions {
  uint64_t seed = 0;
  Profile profile;
  Mutant mutant = Mutant::kNone;
  uint64_t entries_min = 500;
  uint32_t faults_min = 3;
};

struct SimulationCounts {
  uint64_t entries = 0;
  uint64_t faults = 0;
  uint64_t starts = 0;
  uint64_t rot_told = 0;
  uint64_t cuts = 0;       ///< of the journal's end
  uint64_t snapshots = 0;  ///< that took the place of all entries
};

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options);

  /// Throws a Violation.
  SimulationCounts run();

 private:
  uint64_t below(uint64_t bound) { return random_() % bound; }
  bool one_in(uint64_t many) { return below(many) == 0; }

  // ---- what the node does ----
  void step();
  absl::Status write_group();
  absl::Status commit();
  absl::Status persist();
  absl::Status relieve();
  absl::Status offer(const Entry& entry, JournalSpace space = JournalSpace::kOrdinary);
  absl::Status take_back();
  absl::Status install_snapshot();
  void end_inside();
  /// Brings the node back to work after that.
  void handle(absl::Status status);
  void start();
  void end(Crash crash);

  // ---- what goes wrong ----
  void inject();
  void inject_rot(Fault fault);
  void rot_log(const std::string& directory, LogKind kind);
  void rot_revision();
  void flip(const std::string& path, uint64_t bytes);
  void flip_back();
  /// True when the status tells of the bit that was turned over.
  bool tells_of_rot(const absl::Status& status) const;

  // ---- what must be true ----
  void check_recovered();
  void check_journal();
  void check_epochs();
  void check_snapshot();
  void check_rotten_log();
  absl::Status read_journal();
  absl::Status read_rest(JournalReader& reader, uint64_t next);
  absl::Status read_results(uint64_t from, std::vector<uint64_t>* ends);
  void check_slice(const OutboxSlice& slice);
  void take_results();
  void check_foreign();

  const SimulationOptions options_;
  std::mt19937_64 random_;
  SimulatedFileSystem disk_;
  MutantFileSystem files_;
  SimNodeOptions node_options_;
  Model model_;
  std::unique_ptr<SimNode> node_;
  SimulationCounts counts_;

  uint64_t epoch_ = 0;
  uint64_t confirmed_below_ = 1;  // of the results
  uint64_t next_fault_ = 0;       // by entries offered
  Crash inside_ = Crash::kPower;  // how the machine ends when it does in an operation
  uint32_t slow_groups_ = 0;
  std::vector<uint64_t> whole_;  // positions of the revisions that must be there, oldest first
  struct Flipped {
    std::string path;
    uint64_t bit = 0;
    bool revision = false;
  };
  std::optional<Flipped> flipped_;
  bool began_rotten_ = false;  // a bit was turned over when the node started last
  std::map<std::string, std::string> foreign_;
};

}  // namespace pollux
