// An arbiter as the protocol assumes it: linearizable, never forgets a success, and may be slow,
// silent, or do what was asked long after who asked has given up. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "ha/arbiter/arbiter_record.h"
#include "tests/ha/sim/chance.h"
#include "tests/ha/sim/sim_network.h"
#include "tests/ha/sim/virtual_time.h"

namespace pollux {

class SimArbiter {
 public:
  /// Nothing: the call timed out.
  using Answer = std::function<void(std::optional<ArbiterRecord>)>;
  using Changed = std::function<void(const ArbiterRecord&)>;

  SimArbiter(VirtualTime& time, SimNetwork& network, Chance& chance, Changed changed)
      : time_(time), network_(network), chance_(chance), changed_(std::move(changed)) {}

  /// `next`: nothing for a read. `answer` is called exactly once.
  void ask(Place from, std::optional<ArbiterRecord> next, Answer answer);

  /// A request is done, but its answer is lost; or it is done late; or never.
  void set_unknown_permille(uint32_t permille) { unknown_permille_ = permille; }
  void set_silent(bool silent) { silent_ = silent; }
  const ArbiterRecord& record() const { return record_; }
  uint64_t late_successes() const { return late_successes_; }
  /// A request may still change the record.
  bool is_pending() const { return time_.now_us() < pending_until_us_; }

 private:
  static constexpr int64_t kTimeoutUs = 500'000;
  static constexpr int64_t kLatestUs = 4'000'000;
  static constexpr int64_t kOnTheWayUs = 2'000'000;

  void apply(const std::optional<ArbiterRecord>& next);

  VirtualTime& time_;
  SimNetwork& network_;
  Chance& chance_;
  const Changed changed_;
  ArbiterRecord record_;
  uint32_t unknown_permille_ = 0;
  bool silent_ = false;
  uint64_t late_successes_ = 0;
  int64_t pending_until_us_ = 0;
};

}  // namespace pollux
