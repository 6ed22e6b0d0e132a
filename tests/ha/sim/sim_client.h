// Producers that number their batches, send each until it is acknowledged, and turn to the other
// node when one does not answer. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/ha/sim/pair_process.h"

namespace pollux {

class SimClients {
 public:
  /// A batch for a node, which may be down.
  using Send = std::function<void(Place node, BatchRequest)>;

  SimClients(VirtualTime& time, SimNetwork& network, Chance& chance, Send send, size_t producers)
      : time_(time), network_(network), chance_(chance), send_(std::move(send)) {
    for (size_t i = 0; i < producers; ++i) producers_.push_back({"p" + std::to_string(i), {}, {}});
  }

  void start();
  /// Nothing new is begun; what was is brought to its end.
  void finish() { finishing_ = true; }
  bool all_acknowledged() const;
  uint64_t acknowledged() const { return acknowledged_; }
  /// How far apart batches are begun, on average, by each producer.
  void set_pace_us(int64_t pace) { pace_us_ = pace; }

 private:
  static constexpr size_t kUnansweredMax = 3;
  static constexpr int64_t kPatienceUs = 700'000;

  struct Batch {
    EventBatchPtr batch;
    int64_t sent_us = 0;
    uint64_t attempt = 0;
  };
  struct Producer {
    std::string name;
    std::map<uint64_t, Batch> unanswered;
    Place node = Place::kNodeA;
    uint64_t next = 1;
    uint64_t name_changes = 0;
  };

  void begin(size_t producer);
  void send(size_t producer, uint64_t number);
  void answered(size_t producer, uint64_t number, uint64_t attempt, const BatchAnswer& answer);
  void look_for_silence();
  void begin_anew(size_t producer);

  VirtualTime& time_;
  SimNetwork& network_;
  Chance& chance_;
  const Send send_;
  std::vector<Producer> producers_;
  bool finishing_ = false;
  uint64_t acknowledged_ = 0;
  int64_t pace_us_ = 120'000;
};

}  // namespace pollux
