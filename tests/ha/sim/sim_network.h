// What lies between the two nodes, their clients, sinks and the arbiter: it loses, delays, repeats
// and reorders, and can be cut in one direction. Without faults what is sent arrives in order.
// Thread: one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <utility>

#include "tests/ha/sim/chance.h"
#include "tests/ha/sim/virtual_time.h"

namespace pollux {

/// Who talks. The nodes come first.
enum class Place : uint8_t { kNodeA, kNodeB, kArbiter, kClients, kSinks };
inline constexpr size_t kPlaces = 5;

constexpr const char* name_of(Place place) {
  constexpr const char* kNames[] = {"A", "B", "arbiter", "clients", "sinks"};
  return kNames[static_cast<size_t>(place)];
}

struct NetworkFaults {
  uint32_t lost_permille = 0;
  uint32_t twice_permille = 0;
  uint32_t late_permille = 0;  ///< by up to `late_us`
  int64_t late_us = 0;
};

class SimNetwork {
 public:
  SimNetwork(VirtualTime& time, Chance& chance) : time_(time), chance_(chance) {}

  /// `arrive` happens once, twice, or never. `after_us`: it is sent only so much later.
  void send(Place from, Place to, std::function<void()> arrive, int64_t after_us = 0) {
    if (chance_.permille(faults_.lost_permille)) return;
    bool twice = chance_.permille(faults_.twice_permille);
    for (int copies = twice ? 2 : 1; copies > 0; --copies) {
      int64_t delay = chance_.between(kFastestUs, kSlowestUs);
      int64_t at = time_.now_us() + after_us + delay;
      int64_t& last = last_us_[static_cast<size_t>(from)][static_cast<size_t>(to)];
      if (chance_.permille(faults_.late_permille)) {
        at += chance_.between(0, faults_.late_us);  // others may overtake it
      } else {
        at = last = std::max(at, last);
      }
      time_.at_us(at, [this, from, to, arrive] {
        if (is_open(from, to)) arrive();
      });
    }
  }
  bool is_open(Place from, Place to) const { return !cut(from, to); }
  void set_cut(Place from, Place to, bool cut) {
    cut_[static_cast<size_t>(from)][static_cast<size_t>(to)] = cut;
  }
  void set_faults(const NetworkFaults& faults) { faults_ = faults; }
  void heal() {
    cut_ = {};
    faults_ = {};
  }

 private:
  static constexpr int64_t kFastestUs = 50;
  static constexpr int64_t kSlowestUs = 400;

  bool cut(Place from, Place to) const {
    return cut_[static_cast<size_t>(from)][static_cast<size_t>(to)];
  }

  VirtualTime& time_;
  Chance& chance_;
  NetworkFaults faults_;
  std::array<std::array<bool, kPlaces>, kPlaces> cut_{};
  std::array<std::array<int64_t, kPlaces>, kPlaces> last_us_{};  // when what was sent last arrives
};

}  // namespace pollux
