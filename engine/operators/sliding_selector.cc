#include <cstring>
#include <utility>

#include "engine/base/check.h"
#include "engine/operators/selector.h"

namespace pollux {

SlidingSelector::SlidingSelector(SelectorPlan plan, Window window, PlanContext& context,
                                 SelectedReceiver& next)
    : Selector(std::move(plan), context, next), window_(std::move(window)) {
  for (const SelectorPlan::Aggregate& aggregate : this->plan().aggregates) {
    arguments_.push_back(aggregate.argument ? std::make_unique<Argument>(aggregate.argument->type(),
                                                                         context.strings())
                                            : nullptr);
  }
}

void SlidingSelector::receive(const Chunk& chunk) {
  if (chunk.rows == 0) return;
  const std::vector<uint32_t>& groups = groups_of(chunk);
  const std::vector<Vec>& values = arguments_of(chunk);
  Vec times;
  if (window_.kind == Window::Kind::kExternalTime) {
    FrameSource source = chunk.source();
    times = window_.external->evaluate({chunk.rows, &source, context().now()});
  }
  step_groups_.clear();
  step_removes_.clear();
  step_of_row_.resize(chunk.rows);
  // Each row comes in once and, at most, everything that is held goes out once.
  for (auto& argument : arguments_) {
    if (argument) argument->begin_steps(2 * chunk.rows + held_groups_.size());
  }
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    int64_t entered = 0;
    switch (window_.kind) {
      case Window::Kind::kLength:
        if (held_groups_.size() >= static_cast<uint64_t>(window_.extent)) leave_one();
        break;
      case Window::Kind::kExternalTime:
        entered = times.at<int64_t>(i);
        while (!held_times_.empty() && held_times_.front() + window_.extent <= entered) leave_one();
        break;
      case Window::Kind::kTime: {
        entered = chunk.timestamp(i);
        int64_t now = context().clock_at(chunk, i);
        while (!held_times_.empty() && held_times_.front() + window_.extent <= now) leave_one();
        break;
      }
    }
    step_of_row_[i] = static_cast<uint32_t>(step_groups_.size());
    step_groups_.push_back(groups[i]);
    step_removes_.push_back(0);
    held_groups_.push(groups[i]);
    if (window_.kind != Window::Kind::kLength) held_times_.push(entered);
    for (size_t a = 0; a < arguments_.size(); ++a) {
      if (arguments_[a]) arguments_[a]->hold(values[a], i);
    }
  }
  clear_results();
  auto steps = static_cast<uint32_t>(step_groups_.size());
  for (size_t a = 0; a < arguments_.size(); ++a) {
    run_aggregate(a, {steps, step_groups_.data(), step_removes_.data(),
                      arguments_[a] ? arguments_[a]->steps() : Vec{}});
  }
  if (!plan().group_by.empty()) {
    for (uint32_t s = 0; s < steps; ++s) count_live(step_groups_[s], step_removes_[s] != 0);
  }
  emit(chunk, step_of_row_.data(), groups);
  release_idle_groups();
}

void SlidingSelector::leave_one() {
  step_groups_.push_back(held_groups_.pop());
  step_removes_.push_back(1);
  if (window_.kind != Window::Kind::kLength) held_times_.pop();
  for (auto& argument : arguments_) {
    if (argument) argument->leave();
  }
}

size_t SlidingSelector::state_bytes() const {
  size_t bytes = Selector::state_bytes() + held_groups_.bytes() + held_times_.bytes();
  for (const auto& argument : arguments_) {
    if (argument) bytes += argument->bytes();
  }
  return bytes;
}

void SlidingSelector::Argument::begin_steps(uint32_t steps) {
  for (const StringRef& text : left_texts_) strings_.release(text);
  left_texts_.clear();
  steps_taken_ = 0;
  any_null_step_ = false;
  step_nulls_.resize(steps);
  if (width_of(type_) == sizeof(StringRef)) {
    step_values_.values<StringRef>(steps);
  } else {
    step_values_.values<uint64_t>(steps);
  }
}

void SlidingSelector::Argument::add_step(uint64_t word, bool null) {
  switch (width_of(type_)) {
    case 1:
      step_values_.values<uint8_t>(0)[steps_taken_] = static_cast<uint8_t>(word);
      break;
    case 4:
      step_values_.values<uint32_t>(0)[steps_taken_] = static_cast<uint32_t>(word);
      break;
    default:
      step_values_.values<uint64_t>(0)[steps_taken_] = word;
  }
  step_nulls_[steps_taken_++] = null ? 1 : 0;
  any_null_step_ = any_null_step_ || null;
}

void SlidingSelector::Argument::add_text_step(const StringRef& text, bool null) {
  step_values_.values<StringRef>(0)[steps_taken_] = text;
  step_nulls_[steps_taken_++] = null ? 1 : 0;
  any_null_step_ = any_null_step_ || null;
}

void SlidingSelector::Argument::hold(const Vec& values, uint32_t row) {
  bool null = values.is_null(row);
  nulls_.push(null ? 1 : 0);
  switch (width_of(type_)) {
    case 1:
      words_.push(values.at<uint8_t>(row));
      break;
    case 4:
      words_.push(values.at<uint32_t>(row));
      break;
    case 8:
      words_.push(values.at<uint64_t>(row));
      break;
    default:
      texts_.push(null ? StringRef() : strings_.store(values.at<StringRef>(row)));
      return add_text_step(texts_.back(), null);
  }
  add_step(words_.back(), null);
}

void SlidingSelector::Argument::leave() {
  bool null = nulls_.pop() != 0;
  if (width_of(type_) == sizeof(StringRef)) {
    StringRef text = texts_.pop();
    left_texts_.push_back(text);
    return add_text_step(text, null);
  }
  add_step(words_.pop(), null);
}

Vec SlidingSelector::Argument::steps() const {
  Vec vec;
  vec.type = type_;
  vec.data = const_cast<VecBuffer&>(step_values_).values<uint64_t>(0);
  vec.nulls = any_null_step_ ? step_nulls_.data() : nullptr;
  return vec;
}

}  // namespace pollux
