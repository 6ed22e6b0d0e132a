// A selector behind a sliding window whose leaving rows nobody sees: it keeps what it must take out
// of its aggregates again, and nothing else of the rows. Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/ring.h"
#include "engine/operators/held_values.h"
#include "engine/operators/selector.h"

namespace pollux {

class SlidingSelector final : public Selector {
 public:
  struct Window {
    enum class Kind : uint8_t { kLength, kExternalTime, kTime };
    Kind kind = Kind::kLength;
    int64_t extent = 0;      ///< rows, or milliseconds
    ExpressionPtr external;  ///< kExternalTime: the time attribute
  };

  SlidingSelector(SelectorPlan plan, Window window, PlanContext& context, SelectedReceiver& next);

  void receive(const Chunk& chunk) override;
  size_t state_bytes() const override;
  void archive_state(StateArchive& archive) override;

 private:
  /// The rows' steps: each row's coming, after the leaving of those that it drives out.
  void take_steps(const Chunk& chunk, const std::vector<uint32_t>& groups);
  void leave_one();

  Window window_;
  Ring<uint32_t> held_groups_;
  Ring<int64_t> held_times_;
  std::vector<std::unique_ptr<HeldValues>> held_values_;  ///< by aggregate; null for count()
  std::vector<uint32_t> step_groups_, step_of_row_;
  std::vector<uint8_t> step_removes_;
};

}  // namespace pollux
