// A machine of the simulated pair: its disk, and the process on it while it is up. Whatever comes
// is taken in turns; a turn takes as long as the disk does. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/ha/sim/pair_process.h"
#include "tests/persistence/sim/simulated_file_system.h"

namespace pollux {

/// Adds up structs that consist of counters.
template <class Counters>
void add_counters(Counters& sum, const Counters& more) {
  static_assert(sizeof(Counters) % sizeof(uint64_t) == 0);
  auto* into = reinterpret_cast<uint64_t*>(&sum);
  const auto* from = reinterpret_cast<const uint64_t*>(&more);
  for (size_t i = 0; i < sizeof(Counters) / sizeof(uint64_t); ++i) into[i] += from[i];
}

class PairNode {
 public:
  /// `ended`: the process has ended, by itself or in the middle of a turn.
  PairNode(SimWorld& world, Place place, std::function<void()> ended);

  // ---- what happens to it ----

  void start();
  void end(Crash crash);
  /// In the middle of an operation of its disk, some time soon.
  void end_inside(Crash crash);
  /// Another disk, which is blank. It must be down.
  void replace_disk();
  void pause_until(int64_t us);
  bool is_paused() const { return world_.time.now_us() < paused_until_us_; }

  /// For whatever process is up; else it is lost.
  void deliver(std::function<void(PairProcess&)> call);
  /// For that process only.
  void wake(uint64_t serial, std::function<void(PairProcess&)> call);

  /// Its last process ended with the machine's power.
  bool lost_power() const { return power_lost_; }
  bool is_up() const { return process_ != nullptr; }
  PairProcess& process() { return *process_; }
  const PairProcess* process_or_null() const { return process_.get(); }
  uint64_t serial() const { return serial_; }
  SimulatedFileSystem& disk() { return *disk_; }
  const ProcessCounts& counts() const { return counts_; }
  ReplicaCounts replica_counts() const;
  void set_skew_ms(int64_t skew) {
    skew_ms_ = skew;
    if (process_) process_->set_clock_skew_ms(skew);
  }
  void set_slow_disk(bool slow) {
    slow_disk_ = slow;
    if (process_) equip();
  }
  void set_slow_plan(bool slow) {
    slow_plan_ = slow;
    if (process_) equip();
  }

 private:
  static constexpr int64_t kTickUs = 20'000;

  void equip();
  void schedule();
  void turn();
  void tick(uint64_t serial);
  void finish_process();
  void judge(const absl::Status& status) const;

  SimWorld& world_;
  const Place place_;
  const std::function<void()> ended_;
  std::unique_ptr<SimulatedFileSystem> disk_;
  std::unique_ptr<PairProcess> process_;
  uint64_t serial_ = 0;
  bool power_lost_ = false;
  Crash inside_ = Crash::kPower;
  std::vector<std::function<void(PairProcess&)>> inbox_;
  bool scheduled_ = false;
  int64_t busy_until_us_ = 0;
  int64_t paused_until_us_ = 0;
  int64_t skew_ms_ = 0;
  bool slow_disk_ = false;
  bool slow_plan_ = false;
  ProcessCounts counts_;
  ReplicaCounts replica_counts_;  // of processes that have ended
};

}  // namespace pollux
