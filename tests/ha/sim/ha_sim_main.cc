// Runs seeds of the pair's simulation; the last line is JSON.
//
// With a mutant it stops at the first seed that catches it. Exit code 1: a seed broke a promise, or
// no seed caught the mutant.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/ha/sim/pair_simulation.h"

namespace pollux {
namespace {

struct Options {
  uint64_t seeds = 1000;
  uint64_t first_seed = 1;
  uint32_t jobs = 1;
  uint32_t violations_shown = 5;
  NamedPairMutant mutant = kPairMutants[0];
  PairProfile profile = kPairProfiles[0];
};

PairSimulationOptions simulation_options(const Options& options, uint64_t seed) {
  PairSimulationOptions simulation;
  simulation.seed = seed;
  simulation.profile = options.profile;
  simulation.mutant = options.mutant.mutant;
  return simulation;
}

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
  const PairSimulationCounts& counts() const { return counts_; }

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
      PairSimulationCounts counts = PairSimulation(simulation_options(options_, seed)).run();
      std::lock_guard lock(mutex_);
      add_counters(counts_, counts);
    } catch (const std::exception& broken) {
      std::lock_guard lock(mutex_);
      violations_.push_back(seed);
      if (violations_.size() <= options_.violations_shown) {
        std::cout << "seed " << seed << ": " << broken.what() << std::endl;
      }
      if (options_.mutant.mutant != PairMutant::kNone) stop_ = true;
    }
  }

  const Options& options_;
  std::atomic<uint64_t> begun_ = 0;
  std::atomic<uint64_t> done_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::vector<uint64_t> violations_;
  PairSimulationCounts counts_;
};

void print_counts(const PairSimulationCounts& counts) {
  const ReplicaCounts& replica = counts.replica;
  const ProcessCounts& process = counts.process;
  std::cout << ", \"entries\": " << counts.entries << ", \"acknowledged\": " << counts.acknowledged
            << ", \"faults\": " << counts.faults << ", \"virtual_ms\": " << counts.virtual_ms
            << ", \"results\": " << counts.rows << ", \"repeated\": " << counts.repeated_rows
            << ", \"late_successes\": " << counts.late_successes << ", \"leads\": " << replica.leads
            << ", \"lead_ends\": " << replica.lead_ends << ", \"hellos\": " << replica.hellos
            << ", \"welcomes\": " << replica.welcomes
            << ", \"truncations\": " << replica.truncations
            << ", \"truncated_entries\": " << replica.truncated_entries
            << ", \"gaps\": " << replica.gaps << ", \"refused\": " << replica.refused
            << ", \"stalls\": " << replica.stalls
            << ", \"solo_requests\": " << replica.solo_requests
            << ", \"pair_requests\": " << replica.pair_requests
            << ", \"unknown\": " << replica.unknown
            << ", \"unknown_pairings\": " << replica.unknown_pairings
            << ", \"handed_over\": " << replica.handed_over << ", \"applied\": " << process.applied
            << ", \"persisted\": " << process.persisted << ", \"restored\": " << process.restored
            << ", \"installed\": " << process.installed
            << ", \"duplicates\": " << process.duplicates << ", \"voided\": " << process.voided
            << ", \"divergences\": " << process.divergences << ", \"alarms\": " << process.alarms;
}

int run(const Options& options) {
  bool mutated = options.mutant.mutant != PairMutant::kNone;
  auto begin = std::chrono::steady_clock::now();
  Runner runner(options);
  runner.run();
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  bool caught = !runner.violations().empty();
  std::cout << "{\"profile\": \"" << options.profile.name << "\", \"mutant\": \""
            << options.mutant.name << "\", \"seeds\": " << runner.seeds()
            << ", \"violations\": " << runner.violations().size()
            << ", \"first\": " << (caught ? std::to_string(runner.violations()[0]) : "null")
            << ", \"seeds_per_second_a_job\": "
            << static_cast<double>(runner.seeds()) / took.count() / options.jobs;
  print_counts(runner.counts());
  std::cout << "}" << std::endl;
  return caught == mutated ? 0 : 1;
}

int trace(const Options& options, uint64_t seed) {
  PairSimulationOptions simulation = simulation_options(options, seed);
  simulation.trace = [](const std::string& what) { std::cout << what << "\n"; };
  try {
    PairSimulation(simulation).run();
  } catch (const std::exception& broken) {
    std::cout << "VIOLATION " << broken.what() << std::endl;
    return 1;
  }
  std::cout << "no violation" << std::endl;
  return 0;
}

}  // namespace
}  // namespace pollux

int main(int argc, char** argv) {
  using namespace pollux;
  CLI::App app("Runs a pair of nodes in one thread on virtual time, with faults, from seeds.");
  Options options;
  std::string mutant = "none";
  std::string profile;
  std::optional<uint64_t> traced;
  app.add_option("--seeds", options.seeds, "How many")->check(CLI::PositiveNumber);
  app.add_option("--start", options.first_seed, "Where to begin");
  app.add_option("--jobs", options.jobs, "Threads")->check(CLI::Range(1, 64));
  app.add_option(
      "--profile", profile,
      "Which faults: mixed, power, partition, arbiter, rejoin, replaced, reorder, force, unsynced, "
      "diverging; default: the mutant's");
  app.add_option("--mutant", mutant, "A known-wrong variant that must be caught");
  app.add_option("--trace", traced, "Runs this seed only, and tells what happens in it");
  CLI11_PARSE(app, argc, argv);
  auto chosen = find_pair_mutant(mutant);
  if (!chosen) {
    std::cerr << "no mutant '" << mutant << "'; there are:";
    for (const NamedPairMutant& one : kPairMutants) std::cerr << ' ' << one.name;
    std::cerr << std::endl;
    return 2;
  }
  options.mutant = *chosen;
  auto faults = find_pair_profile(profile.empty() ? chosen->profile : std::string_view(profile));
  if (!faults) {
    std::cerr << "no profile '" << profile << "'" << std::endl;
    return 2;
  }
  options.profile = *faults;
  return traced ? trace(options, *traced) : run(options);
}
