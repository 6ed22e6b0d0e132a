// Runs seeds of the persistence simulation; the last line is JSON.
//
// With a mutant it stops at the first seed that catches it. Exit code 1: a seed broke a promise, or
// no seed caught the mutant.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/persistence/sim/checksum_seam.h"
#include "tests/persistence/sim/simulation.h"

namespace pollux {
namespace {

struct Options {
  uint64_t seeds = 1000;
  uint64_t first_seed = 1;
  uint32_t jobs = 1;
  uint32_t violations_shown = 5;
  NamedMutant mutant = kMutants[0];
  Profile profile = kProfiles[0];
};

/// The seeds of all threads.
class Runner {
 public:
  explicit Runner(const Options& options) : options_(options) {}

  void run() {
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < options_.jobs; ++i) threads.emplace_back([this] { run_seeds(); });
    for (std::thread& thread : threads) thread.join();
  }
  uint64_t seeds() const { return done_; }
  const std::vector<uint64_t>& violations() const { return violations_; }
  const SimulationCounts& counts() const { return counts_; }

 private:
  void run_seeds() {
    while (!stop_) {
      uint64_t index = begun_++;
      if (index >= options_.seeds) return;
      run_seed(options_.first_seed + index);
      ++done_;
    }
  }
  void run_seed(uint64_t seed) {
    try {
      SimulationOptions options;
      options.seed = seed;
      options.profile = options_.profile;
      options.mutant = options_.mutant.mutant;
      SimulationCounts counts = Simulation(options).run();
      std::lock_guard lock(mutex_);
      counts_.entries += counts.entries;
      counts_.faults += counts.faults;
      counts_.starts += counts.starts;
      counts_.rot_told += counts.rot_told;
      counts_.cuts += counts.cuts;
      counts_.snapshots += counts.snapshots;
    } catch (const std::exception& broken) {
      std::lock_guard lock(mutex_);
      violations_.push_back(seed);
      if (violations_.size() <= options_.violations_shown) {
        std::cout << "seed " << seed << ": " << broken.what() << std::endl;
      }
      if (options_.mutant.mutant != Mutant::kNone) stop_ = true;
    }
  }

  const Options& options_;
  std::atomic<uint64_t> begun_ = 0;
  std::atomic<uint64_t> done_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::vector<uint64_t> violations_;
  SimulationCounts counts_;
};

int run(const Options& options) {
  bool mutated = options.mutant.mutant != Mutant::kNone;
  skip_checksums(options.mutant.mutant == Mutant::kSkipCrc);
  auto begin = std::chrono::steady_clock::now();
  Runner runner(options);
  runner.run();
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  bool caught = !runner.violations().empty();
  std::cout << "{\"profile\": \"" << options.profile.name << "\", \"mutant\": \""
            << options.mutant.name << "\", \"seeds\": " << runner.seeds()
            << ", \"violations\": " << runner.violations().size()
            << ", \"first\": " << (caught ? std::to_string(runner.violations()[0]) : "null")
            << ", \"entries\": " << runner.counts().entries
            << ", \"faults\": " << runner.counts().faults
            << ", \"starts\": " << runner.counts().starts
            << ", \"rot_told\": " << runner.counts().rot_told
            << ", \"cuts\": " << runner.counts().cuts
            << ", \"snapshots\": " << runner.counts().snapshots << ", \"seeds_per_second_a_job\": "
            << static_cast<uint64_t>(static_cast<double>(runner.seeds()) / took.count() /
                                     options.jobs)
            << "}" << std::endl;
  return caught == mutated ? 0 : 1;
}

}  // namespace
}  // namespace pollux

int main(int argc, char** argv) {
  using namespace pollux;
  CLI::App app("Runs the journal, states and outboxes of a node on a disk that fails, from seeds.");
  Options options;
  std::string mutant = "none";
  std::string profile;
  app.add_option("--seeds", options.seeds, "How many")->check(CLI::PositiveNumber);
  app.add_option("--first-seed", options.first_seed, "Where to begin");
  app.add_option("--jobs", options.jobs, "Threads")->check(CLI::Range(1, 64));
  app.add_option("--profile", profile,
                 "Which faults: mixed, power, rot, revisions, full; default: the mutant's");
  app.add_option("--mutant", mutant, "A known-wrong variant that must be caught");
  CLI11_PARSE(app, argc, argv);
  auto chosen = find_mutant(mutant);
  if (!chosen) {
    std::cerr << "no mutant '" << mutant << "'; there are:";
    for (const NamedMutant& one : kMutants) std::cerr << ' ' << one.name;
    std::cerr << std::endl;
    return 2;
  }
  options.mutant = *chosen;
  auto faults = find_profile(profile.empty() ? chosen->profile : std::string_view(profile));
  if (!faults) {
    std::cerr << "no profile '" << profile << "'" << std::endl;
    return 2;
  }
  options.profile = *faults;
  return run(options);
}
