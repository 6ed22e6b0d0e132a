#include "tests/ha/sim/pair_node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

uint64_t next_serial() {
  thread_local uint64_t last = 0;
  return ++last;
}

}  // namespace

PairNode::PairNode(SimWorld& world, Place place, std::function<void()> ended)
    : world_(world),
      place_(place),
      ended_(std::move(ended)),
      disk_(std::make_unique<SimulatedFileSystem>(world.chance.next())) {}

/// A process ends by itself only of what was done to its disk.
void PairNode::judge(const absl::Status& status) const {
  bool injected = absl::StrContains(status.message(), "input/output error") ||
                  absl::StrContains(status.message(), "the machine") ||
                  absl::IsResourceExhausted(status);
  if (!injected) {
    throw Violation(absl::StrCat(name_of(place_), " ends by itself: ", status.ToString()));
  }
}

void PairNode::start() {
  serial_ = next_serial();
  busy_until_us_ = world_.time.now_us();
  auto process = PairProcess::start(world_, place_, *disk_, serial_, power_lost_, counts_);
  power_lost_ = false;
  if (!process.ok()) {
    judge(process.status());
    if (disk_->crashed()) {
      disk_->restart(inside_);
      power_lost_ = inside_ == Crash::kPower;
    } else {
      disk_->restart(Crash::kProcess);
    }
    ended_();
    return;
  }
  process_ = *std::move(process);
  equip();
  busy_until_us_ += process_->take_disk_us();
  tick(serial_);
}

void PairNode::equip() {
  process_->set_clock_skew_ms(skew_ms_);
  process_->set_entries_at_a_time(slow_plan_ ? 1 : UINT64_MAX);
  if (slow_disk_) {
    process_->set_sync_us(20'000, 400'000);
  } else {
    process_->set_sync_us(100, 4'000);
  }
}

void PairNode::finish_process() {
  add_counters(replica_counts_, process_->replica().counts());
  process_.reset();
  inbox_.clear();
}

void PairNode::end(Crash crash) {
  if (!process_) return;
  finish_process();
  disk_->restart(crash);
  power_lost_ = crash == Crash::kPower;
  ended_();
}

void PairNode::end_inside(Crash crash) {
  inside_ = crash;
  disk_->crash_after(world_.chance.below(12));
}

void PairNode::replace_disk() {
  disk_ = std::make_unique<SimulatedFileSystem>(world_.chance.next());
  power_lost_ = false;
}

void PairNode::pause_until(int64_t us) { paused_until_us_ = std::max(paused_until_us_, us); }

void PairNode::deliver(std::function<void(PairProcess&)> call) {
  if (!process_) return;
  inbox_.push_back(std::move(call));
  schedule();
}

void PairNode::wake(uint64_t serial, std::function<void(PairProcess&)> call) {
  if (serial == serial_) deliver(std::move(call));
}

void PairNode::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  int64_t at = std::max({world_.time.now_us(), busy_until_us_, paused_until_us_});
  world_.time.at_us(at, [this] {
    scheduled_ = false;
    if (!process_) return;
    // It was paused meanwhile.
    if (world_.time.now_us() < paused_until_us_) return schedule();
    turn();
  });
}

void PairNode::turn() {
  std::vector<std::function<void(PairProcess&)>> calls = std::exchange(inbox_, {});
  for (auto& call : calls) call(*process_);
  absl::Status worked = process_->work();
  busy_until_us_ = world_.time.now_us() + process_->take_disk_us();
  if (disk_->crashed()) {
    finish_process();
    disk_->restart(inside_);
    power_lost_ = inside_ == Crash::kPower;
    ended_();
  } else if (!worked.ok()) {
    judge(worked);
    end(Crash::kProcess);
  }
}

void PairNode::tick(uint64_t serial) {
  if (serial != serial_ || !process_) return;
  deliver([](PairProcess& process) { process.tick(); });
  world_.time.after_us(kTickUs, [this, serial] { tick(serial); });
}

ReplicaCounts PairNode::replica_counts() const {
  ReplicaCounts counts = replica_counts_;
  if (process_) add_counters(counts, process_->replica().counts());
  return counts;
}

}  // namespace pollux
