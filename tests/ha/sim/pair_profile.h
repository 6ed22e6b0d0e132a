// What goes wrong in a seed of the pair's simulation, and how often each. Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pollux {

enum class PairFault : uint8_t {
  kKill,        ///< a process ends; what it wrote can still be read
  kKillInside,  ///< in the middle of an operation of its disk
  kPower,       ///< a machine ends: what was not synced is lost, or torn
  kPowerInside,
  kPowerOfBoth,
  kPause,  ///< a process stands still for a while
  kCut,    ///< the nodes do not reach each other
  kCutOneWay,
  kCutFromArbiter,  ///< one node
  kIsolate,         ///< one node reaches nobody but its clients and sinks
  kArbiterSilent,
  kArbiterUnknown,  ///< for a while nobody knows what becomes of requests
  kLossy,           ///< messages are lost, come twice and late
  kSinksAway,
  kSlowDisk,
  kFullDisk,
  kReplacedDisk,
  kClockJump,
  kSlowPlan,
  kSwitchOver,
  kForce,    ///< the active goes for good, and the operator forces the other one
  kDiverge,  ///< a node's plan takes something that is no entry; once a seed
};
inline constexpr size_t kPairFaults = 22;

constexpr std::array<std::string_view, kPairFaults> kPairFaultNames = {
    "kill",         "kill inside",    "power",
    "power inside", "power of both",  "pause",
    "cut",          "cut one way",    "cut from arbiter",
    "isolate",      "arbiter silent", "arbiter unknown",
    "lossy",        "sinks away",     "slow disk",
    "full disk",    "replaced disk",  "clock jump",
    "slow plan",    "switch over",    "force",
    "diverge"};

struct PairProfile {
  std::string_view name;
  std::array<uint32_t, kPairFaults> weights;  ///< of each fault
  int64_t gap_ms;                             ///< between two faults, on average
  bool sync_every_commit = true;
};

inline constexpr std::array<PairProfile, 10> kPairProfiles = {{
    {"mixed", {3, 3, 2, 3, 1, 3, 2, 2, 2, 2, 2, 3, 3, 2, 2, 1, 2, 1, 2, 3}, 1500},
    {"power", {1, 1, 3, 8, 4, 1, 0, 0, 0, 0, 0, 1, 1, 2, 1, 0, 0, 0, 1, 1}, 1200},
    {"partition", {1, 0, 0, 0, 0, 4, 5, 4, 3, 5, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1}, 1200},
    {"arbiter", {3, 1, 0, 1, 0, 3, 4, 2, 3, 2, 3, 9, 1, 0, 0, 0, 0, 0, 0, 2}, 800},
    {"rejoin", {6, 3, 2, 2, 0, 3, 3, 1, 1, 2, 0, 1, 1, 2, 2, 1, 0, 0, 3, 2}, 900},
    {"replaced", {3, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 8, 0, 0, 1}, 1300},
    {"reorder", {3, 1, 3, 6, 0, 3, 1, 1, 0, 1, 0, 0, 9, 1, 1, 0, 0, 0, 1, 1}, 700},
    {"force", {2, 1, 1, 1, 0, 2, 2, 1, 1, 2, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 5}, 1500},
    {"diverging", {2, 2, 1, 2, 0, 2, 2, 1, 1, 1, 1, 2, 3, 1, 1, 1, 1, 0, 1, 3, 0, 6}, 1200},
    {"unsynced", {3, 3, 7, 0, 0, 3, 2, 2, 2, 2, 1, 3, 1, 1, 2, 1, 1, 0, 1, 3, 0}, 1000, false},
}};

inline std::optional<PairProfile> find_pair_profile(std::string_view name) {
  for (const PairProfile& one : kPairProfiles) {
    if (one.name == name) return one;
  }
  return std::nullopt;
}

}  // namespace pollux
