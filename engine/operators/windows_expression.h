// Windows whose extent is a condition over the rows they hold.
//
// The condition is a constant of the plan, or comes as a text with each row: where the text
// changes, the rows held are looked at again, one by one, as if they came anew. A row whose text is
// no condition is dropped and changes nothing but that.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/operators/held_condition.h"
#include "engine/operators/window.h"

namespace pollux {

/// The condition that is in force, by partition instance.
class ConditionInForce {
 public:
  explicit ConditionInForce(const WindowPlan& plan);

  enum class Change : uint8_t { kNone, kOther, kNoCondition };
  /// The row brings the condition that holds from now on; kNoCondition: the row is to be dropped.
  Change take(uint32_t key, const RowStore& store, Slot row, int64_t clock);

  bool holds_with(uint32_t key, const RowStore& store, HeldCondition::Rows rows, int64_t clock);
  bool holds_without(uint32_t key, const RowStore& store, HeldCondition::Rows rows, int64_t clock);
  /// The rows held so far went: only the row in hand counts.
  void begin_with(uint32_t key, const RowStore& store, Slot row, int64_t clock);
  void release(uint32_t key);
  size_t state_bytes() const;
  void archive(StateArchive& archive);

 private:
  struct Own {
    bool has_text = false;
    std::string text;
    std::unique_ptr<HeldCondition> condition;  ///< null: the text is none

    void archive(StateArchive& archive) { archive(has_text, text); }
  };

  HeldCondition& of(uint32_t key);
  uint32_t group(uint32_t key) const { return common_ != nullptr ? key : 0; }

  std::shared_ptr<HeldCondition> common_;
  ExpressionPtr text_;
  HeldConditions* maker_;
  EventBatch row_;
  KeyedState<Own> own_;
};

/// expression(condition): rows leave, the oldest first, until it holds again.
class ExpressionWindow final : public WindowOperator {
 public:
  ExpressionWindow(WindowPlan plan, PlanContext& context, Receiver& next);
  void contents(uint32_t key, std::vector<Slot>& slots) override;
  size_t state_bytes() const override;

 private:
  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;
  void hold(uint32_t key, Slot slot, int64_t clock);

  ConditionInForce condition_;
  KeyedState<Ring<Slot>> held_;
};

/// expressionBatch(condition [, include [, stream.current.event]]): the rows held go on as a batch
/// when a row comes with which the condition does not hold; that row begins the next batch or, if
/// it is to be included, ends this one. Without a batch to end, such a row comes and leaves at
/// once.
class ExpressionBatchWindow final : public WindowOperator {
 public:
  ExpressionBatchWindow(WindowPlan plan, PlanContext& context, Receiver& next);
  void contents(uint32_t key, std::vector<Slot>& slots) override;
  size_t state_bytes() const override;

 private:
  struct State {
    std::vector<Slot> held;      ///< the batch that is being filled
    std::vector<Slot> previous;  ///< the batch that went on last; not where rows go on at once
    std::vector<Slot> leaving;   ///< go on as expired with the next row that goes on

    void archive(StateArchive& archive) { archive(held, previous, leaving); }
  };

  void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) override;
  void release_key(uint32_t key) override;
  void archive_held(StateArchive& archive) override;
  bool cuts_go_alone() const override { return true; }
  bool includes(Slot slot, int64_t clock);
  void look_again(uint32_t key, int64_t clock);
  void hold(uint32_t key, Slot slot, int64_t clock);
  void flush(uint32_t key, Slot slot, int64_t clock);
  void pass(uint32_t key, Slot slot, int64_t clock);
  void expire(uint32_t key, std::vector<Slot>& slots, int64_t clock);
  void stream(uint32_t key, Slot slot, int64_t clock);
  void stream_again(uint32_t key, Slot slot, int64_t clock);
  bool holds_with(uint32_t key, Slot slot, int64_t clock);

  ConditionInForce condition_;
  EventBatch row_;
  KeyedState<State> states_;
};

}  // namespace pollux
