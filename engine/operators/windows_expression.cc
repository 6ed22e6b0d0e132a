#include "engine/operators/windows_expression.h"

#include <utility>

namespace pollux {

ConditionInForce::ConditionInForce(const WindowPlan& plan)
    : common_(plan.condition),
      text_(plan.condition_text),
      maker_(plan.conditions),
      row_(plan.schema) {}

HeldCondition& ConditionInForce::of(uint32_t key) {
  return common_ != nullptr ? *common_ : *own_.at(key).condition;
}

ConditionInForce::Change ConditionInForce::take(uint32_t key, const RowStore& store, Slot row,
                                                int64_t clock) {
  if (common_ != nullptr) return Change::kNone;
  row_.clear();
  store.gather({row}, row_);
  FrameSource source{&row_, nullptr, 0, false};
  Vec text = text_->evaluate({1, &source, clock});
  if (text.is_null(0)) return Change::kNoCondition;
  std::string_view given = text.at<StringRef>(0).view();
  Own& own = own_.at(key);
  if (!own.has_text || own.text != given) {
    own.has_text = true;
    own.text = given;
    own.condition = maker_->make(given);
    if (own.condition != nullptr) return Change::kOther;
  }
  return own.condition != nullptr ? Change::kNone : Change::kNoCondition;
}

bool ConditionInForce::holds_with(uint32_t key, const RowStore& store, HeldCondition::Rows rows,
                                  int64_t clock) {
  return of(key).holds_with(group(key), store, rows, clock);
}

bool ConditionInForce::holds_without(uint32_t key, const RowStore& store, HeldCondition::Rows rows,
                                     int64_t clock) {
  return of(key).holds_without(group(key), store, rows, clock);
}

void ConditionInForce::begin_with(uint32_t key, const RowStore& store, Slot row, int64_t clock) {
  of(key).reset(group(key));
  of(key).holds_with(group(key), store, {row, row, row}, clock);
}

void ConditionInForce::release(uint32_t key) {
  if (common_ != nullptr) {
    common_->release(key);
  } else {
    own_.at(key) = Own{};
  }
}

size_t ConditionInForce::state_bytes() const {
  size_t bytes = common_ != nullptr ? common_->state_bytes() : 0;
  for (const Own& own : own_.all()) {
    bytes += own.text.capacity();
    if (own.condition != nullptr) bytes += own.condition->state_bytes();
  }
  return bytes;
}

void ConditionInForce::archive(StateArchive& archive) {
  if (common_ != nullptr) archive(*common_);
  archive(own_);
  for (Own& own : own_.all()) {
    if (own.has_text && maker_ == nullptr) return archive.fail();
    if (archive.loads() && own.has_text) own.condition = maker_->make(own.text);
    if (own.condition != nullptr) archive(*own.condition);
  }
}

ExpressionWindow::ExpressionWindow(WindowPlan plan, PlanContext& context, Receiver& next)
    : WindowOperator(std::move(plan), context, next), condition_(this->plan()) {}

void ExpressionWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  const Ring<Slot>& held = held_.at(key);
  for (uint32_t i = 0; i < held.size(); ++i) slots.push_back(held[i]);
}

size_t ExpressionWindow::state_bytes() const {
  return WindowOperator::state_bytes() + condition_.state_bytes();
}

void ExpressionWindow::enter(uint32_t key, Slot slot, int64_t, int64_t clock) {
  ConditionInForce::Change change = condition_.take(key, rows(), slot, clock);
  if (change == ConditionInForce::Change::kNoCondition) return drop(slot);
  if (change == ConditionInForce::Change::kOther) {
    Ring<Slot> again = std::exchange(held_.at(key), {});
    while (!again.empty()) hold(key, again.pop(), clock);
  }
  hold(key, slot, clock);
  emit_current(key, slot);
  if (held_.at(key).empty()) emit_reset();  // the row itself left before it went on
}

void ExpressionWindow::hold(uint32_t key, Slot slot, int64_t clock) {
  Ring<Slot>& held = held_.at(key);
  held.push(slot);
  bool holds = condition_.holds_with(key, rows(), {slot, held.front(), slot}, clock);
  while (!holds && !held.empty()) {
    Slot gone = held.pop();
    emit_expired(key, gone, clock);
    release_later(gone);
    Slot first = held.empty() ? gone : held.front();
    holds = condition_.holds_without(key, rows(), {gone, first, slot}, clock);
  }
}

void ExpressionWindow::archive_held(StateArchive& archive) {
  archive(condition_, held_);
  for (const Ring<Slot>& held : held_.all()) {
    for (uint32_t i = 0; i < held.size(); ++i) check_slot(archive, held[i]);
  }
}

void ExpressionWindow::release_key(uint32_t key) {
  Ring<Slot>& held = held_.at(key);
  while (!held.empty()) release_later(held.pop());
  held = {};
  condition_.release(key);
}

ExpressionBatchWindow::ExpressionBatchWindow(WindowPlan plan, PlanContext& context, Receiver& next)
    : WindowOperator(std::move(plan), context, next),
      condition_(this->plan()),
      row_(this->plan().schema) {}

void ExpressionBatchWindow::contents(uint32_t key, std::vector<Slot>& slots) {
  const std::vector<Slot>& held = states_.at(key).held;
  slots.insert(slots.end(), held.begin(), held.end());
}

size_t ExpressionBatchWindow::state_bytes() const {
  return WindowOperator::state_bytes() + condition_.state_bytes();
}

void ExpressionBatchWindow::enter(uint32_t key, Slot slot, int64_t, int64_t clock) {
  ConditionInForce::Change change = condition_.take(key, rows(), slot, clock);
  if (change == ConditionInForce::Change::kNoCondition) return drop(slot);
  if (change == ConditionInForce::Change::kOther) look_again(key, clock);
  if (plan().stream_current) {
    stream(key, slot, clock);
  } else {
    hold(key, slot, clock);
  }
}

void ExpressionBatchWindow::look_again(uint32_t key, int64_t clock) {
  std::vector<Slot> again = std::exchange(states_.at(key).held, {});
  for (Slot slot : again) {
    if (plan().stream_current) {
      stream_again(key, slot, clock);
    } else {
      hold(key, slot, clock);
    }
  }
}

bool ExpressionBatchWindow::holds_with(uint32_t key, Slot slot, int64_t clock) {
  const std::vector<Slot>& held = states_.at(key).held;
  Slot first = held.empty() ? slot : held.front();
  if (condition_.holds_with(key, rows(), {slot, first, slot}, clock)) return true;
  condition_.begin_with(key, rows(), slot, clock);
  return false;
}

bool ExpressionBatchWindow::includes(Slot slot, int64_t clock) {
  if (!plan().include_last) return false;
  row_.clear();
  rows().gather({slot}, row_);
  FrameSource source{&row_, nullptr, 0, false};
  Vec value = plan().include_last->evaluate({1, &source, clock});
  return !value.is_null(0) && value.at<uint8_t>(0) != 0;
}

void ExpressionBatchWindow::expire(uint32_t key, std::vector<Slot>& slots, int64_t clock) {
  for (Slot slot : slots) {
    emit_expired(key, slot, clock);
    release_later(slot);
  }
  slots.clear();
}

/// The row comes and leaves: nothing is held behind it.
void ExpressionBatchWindow::pass(uint32_t key, Slot slot, int64_t clock) {
  emit_expired(key, slot, clock);
  emit_current_at(key, slot, clock);
  emit_reset();
  release_later(slot);
}

void ExpressionBatchWindow::hold(uint32_t key, Slot slot, int64_t clock) {
  if (holds_with(key, slot, clock)) return states_.at(key).held.push_back(slot);
  cut_output();
  flush(key, slot, clock);
  cut_output();
}

void ExpressionBatchWindow::flush(uint32_t key, Slot slot, int64_t clock) {
  State& state = states_.at(key);
  expire(key, state.previous, clock);
  if (state.held.empty()) return pass(key, slot, clock);
  bool ends_batch = includes(slot, clock);
  for (Slot held : state.held) emit_current_at(key, held, clock);
  state.previous.swap(state.held);
  if (ends_batch) {
    emit_current(key, slot);
    state.previous.push_back(slot);
  } else {
    state.held.push_back(slot);
  }
  if (plan().expired_wanted) return;
  for (Slot gone : state.previous) release_later(gone);
  state.previous.clear();
}

void ExpressionBatchWindow::stream(uint32_t key, Slot slot, int64_t clock) {
  State& state = states_.at(key);
  cut_chunk();
  expire(key, state.leaving, clock);
  if (holds_with(key, slot, clock)) {
    state.held.push_back(slot);
    emit_current(key, slot);
  } else if (state.held.empty()) {
    pass(key, slot, clock);
  } else if (includes(slot, clock)) {
    emit_current(key, slot);
    state.held.push_back(slot);
    expire(key, state.held, clock);
  } else {
    expire(key, state.held, clock);
    emit_current(key, slot);
    state.held.push_back(slot);
  }
  cut_chunk();
}

/// A row that went on already: it may only leave.
void ExpressionBatchWindow::stream_again(uint32_t key, Slot slot, int64_t clock) {
  State& state = states_.at(key);
  if (holds_with(key, slot, clock)) return state.held.push_back(slot);
  bool leaves = state.held.empty() || includes(slot, clock);
  state.leaving.insert(state.leaving.end(), state.held.begin(), state.held.end());
  state.held.clear();
  (leaves ? state.leaving : state.held).push_back(slot);
}

void ExpressionBatchWindow::archive_held(StateArchive& archive) {
  archive(condition_, states_);
  for (const State& state : states_.all()) {
    check_slots(archive, state.held);
    check_slots(archive, state.previous);
    check_slots(archive, state.leaving);
  }
}

void ExpressionBatchWindow::release_key(uint32_t key) {
  State& state = states_.at(key);
  for (Slot slot : state.held) release_later(slot);
  for (Slot slot : state.previous) release_later(slot);
  for (Slot slot : state.leaving) release_later(slot);
  state = State{};
  condition_.release(key);
}

}  // namespace pollux
