// A selector behind a batch window whose rows nobody else sees: it aggregates rows as they come and
// keeps of each group the one row that will stand for it, so the window holds no rows.
//
// What is selected must depend on the row and the aggregates alone, since it is computed before the
// batch ends. Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/operators/row_store.h"
#include "engine/operators/selector.h"

namespace pollux {

class BatchSelector final : public Selector {
 public:
  BatchSelector(SelectorPlan plan, PlanContext& context, SelectedReceiver& next);

  /// Row i of the chunk belongs to the batch that is being filled.
  void take(uint32_t i) { taken_.push_back(i); }
  /// The batch ends behind the rows taken so far. `output_id`: batches that go on as one.
  void end_batch(const Chunk& chunk, uint32_t cause, uint32_t output_id);
  /// The same, for want of time: no chunk is in hand.
  void end_batch_between_chunks(uint32_t cause) { put_out(cause, 0); }
  /// No more rows of the chunk will be taken.
  void end_chunk(const Chunk& chunk);
  /// Batches that ended go on.
  void hand_on();

  size_t state_bytes() const override;
  void archive_state(StateArchive& archive) override;

 private:
  void fold(const Chunk& chunk);
  void keep(uint32_t group, int64_t timestamp);
  void put_out(uint32_t cause, uint32_t output_id);

  std::vector<uint32_t> taken_;       ///< rows of the chunk in hand that are still to be folded
  std::vector<uint32_t> taken_rows_;  ///< the same as rows of the chunk's batch
  RowStore kept_;                     ///< by group: what its last row that passed selects
  std::vector<Slot> slot_of_group_;
  std::vector<uint32_t> groups_in_order_;  ///< in which they first passed

  EventBatch gathered_;
  std::vector<Slot> gathered_slots_;
  std::shared_ptr<EventBatch> ready_;
  std::vector<uint32_t> ready_causes_, ready_ids_;
};

}  // namespace pollux
