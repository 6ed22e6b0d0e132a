// Between a query and its target, in plans whose streams feed themselves.
//
// What the query puts out is handed on as a copy that belongs to no operator, since the query may
// run again before its readers are through; the guard bounds how often. While the gate is closed
// what comes is held back.
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/operators/loop_guard.h"
#include "engine/operators/selector.h"

namespace pollux {

class OutputGate final : public SelectedReceiver {
 public:
  OutputGate(LoopGuard& guard, SelectedReceiver& next) : guard_(guard), next_(next) {}

  void receive(const Selected& selected) override;
  void close() { closed_ = true; }
  /// Lets out what was held back, each as it came.
  void open();

 private:
  struct Held {
    explicit Held(const Selected& selected);
    Selected selected() const;

    EventBatchPtr batch;
    bool one_chunk;
    bool strings_shared;
    std::vector<uint8_t> kinds;
    std::vector<uint32_t> chunk_ids, output_ids, keys, causes;
  };

  LoopGuard& guard_;
  SelectedReceiver& next_;
  bool closed_ = false;
  std::vector<Held> held_;
};

}  // namespace pollux
