#include "engine/operators/batch_selector.h"

#include <utility>

namespace pollux {

BatchSelector::BatchSelector(SelectorPlan plan, PlanContext& context, SelectedReceiver& next)
    : Selector(std::move(plan), context, next),
      kept_(this->plan().output, std::vector<bool>(this->plan().output->size(), true),
            context.strings()),
      gathered_(this->plan().output) {
  if (!this->plan().having) see_last_of_groups();
}

void BatchSelector::end_batch(const Chunk& chunk, uint32_t cause, uint32_t output_id) {
  fold(chunk);
  put_out(cause, output_id);
}

void BatchSelector::end_chunk(const Chunk& chunk) { fold(chunk); }

/// Runs the taken rows through the aggregates and keeps what they select.
void BatchSelector::fold(const Chunk& chunk) {
  if (taken_.empty()) return;
  Chunk rows = chunk;
  rows.rows = static_cast<uint32_t>(taken_.size());
  if (rows.rows != chunk.rows) {
    taken_rows_.resize(taken_.size());
    for (size_t i = 0; i < taken_.size(); ++i) taken_rows_[i] = chunk.row(taken_[i]);
    rows.index = taken_rows_.data();
  }
  rows.kinds = nullptr;
  rows.chunk_ids = rows.output_ids = rows.keys = rows.causes = nullptr;
  rows.one_chunk = true;
  const std::vector<uint32_t>& groups = groups_of(rows);
  run_rows(rows, groups);
  const std::vector<uint32_t>& standing = choose(rows, nullptr, groups);
  if (!standing.empty()) {
    Frame frame = frame_of(standing, rows, nullptr);
    for (uint32_t row : standing) keep(groups[row], rows.timestamp(row));
    for (size_t c = 0; c < plan().projection.size(); ++c) {
      Vec values = plan().projection[c]->evaluate(frame);
      for (uint32_t i = 0; i < frame.rows; ++i) {
        kept_.set(slot_of_group_[groups[standing[i]]], c, values, i);
      }
    }
  }
  taken_.clear();
}

/// Makes room for a row of the group.
void BatchSelector::keep(uint32_t group, int64_t timestamp) {
  if (group >= slot_of_group_.size()) slot_of_group_.resize(group + 1, RowStore::kNoSlot);
  Slot& slot = slot_of_group_[group];
  if (slot == RowStore::kNoSlot) {
    slot = kept_.insert_blank();
    groups_in_order_.push_back(group);
  }
  kept_.set_timestamp(slot, timestamp);
}

void BatchSelector::put_out(uint32_t cause, uint32_t output_id) {
  if (!groups_in_order_.empty()) {
    gathered_slots_.clear();
    for (uint32_t group : groups_in_order_) gathered_slots_.push_back(slot_of_group_[group]);
    gathered_.clear();
    kept_.gather(gathered_slots_, gathered_);
    if (ready_ == nullptr) ready_ = take_batch();
    for (uint32_t i = 0; i < gathered_.rows(); ++i) append_row(*ready_, gathered_, i);
    for (Slot slot : gathered_slots_) kept_.release(slot);
    for (uint32_t group : groups_in_order_) slot_of_group_[group] = RowStore::kNoSlot;
    groups_in_order_.clear();
    ready_causes_.resize(ready_->rows(), cause);
    ready_ids_.resize(ready_->rows(), output_id);
  }
  reset_groups(0);
  release_idle_groups();
}

void BatchSelector::hand_on() {
  if (ready_ == nullptr) return;
  Selected selected;
  selected.batch = std::move(ready_);
  ready_ = nullptr;
  selected.chunk.batch = selected.batch.get();
  selected.chunk.rows = selected.batch->rows();
  selected.chunk.strings_shared = true;
  // Whoever takes the rows may bring about more of them.
  std::vector<uint32_t> causes = std::exchange(ready_causes_, {});
  std::vector<uint32_t> ids = std::exchange(ready_ids_, {});
  selected.chunk.causes = causes.data();
  selected.chunk.chunk_ids = ids.data();
  put_on(selected);
}

void BatchSelector::archive_state(StateArchive& archive) {
  Selector::archive_state(archive);
  archive(kept_);
  archive.list(slot_of_group_, [&](Slot& slot) { kept_.archive_slot(archive, slot); });
  archive.list(groups_in_order_,
               [&](uint32_t& group) { archive.index(group, slot_of_group_.size()); });
}

size_t BatchSelector::state_bytes() const {
  return Selector::state_bytes() + kept_.bytes() + slot_of_group_.capacity() * sizeof(Slot) +
         groups_in_order_.capacity() * sizeof(uint32_t);
}

}  // namespace pollux
