#include "engine/operators/sliding_selector.h"

#include <utility>

namespace pollux {

SlidingSelector::SlidingSelector(SelectorPlan plan, Window window, PlanContext& context,
                                 SelectedReceiver& next)
    : Selector(std::move(plan), context, next), window_(std::move(window)) {
  for (const SelectorPlan::Aggregate& aggregate : this->plan().aggregates) {
    held_values_.push_back(aggregate.argument ? std::make_unique<HeldValues>(
                                                    aggregate.argument->type(), context.strings())
                                              : nullptr);
  }
}

void SlidingSelector::receive(const Chunk& chunk) {
  if (chunk.rows == 0) return;
  const std::vector<uint32_t>& groups = groups_of(chunk);
  const std::vector<Vec>& values = arguments_of(chunk);
  take_steps(chunk, groups);
  clear_results();
  AggregateSteps steps{.count = static_cast<uint32_t>(step_groups_.size()),
                       .groups = step_groups_.data(),
                       .removes = step_removes_.data(),
                       .argument = {},
                       .removes_seen = false};
  for (size_t a = 0; a < held_values_.size(); ++a) {
    if (held_values_[a]) {
      steps.argument = held_values_[a]->take_steps(values[a], steps.removes, steps.count);
    }
    run_aggregate(a, steps);
  }
  if (!plan().group_by.empty()) {
    for (uint32_t s = 0; s < steps.count; ++s) count_live(step_groups_[s], step_removes_[s] != 0);
  }
  emit(chunk, step_of_row_.data(), groups);
  release_idle_groups();
}

void SlidingSelector::take_steps(const Chunk& chunk, const std::vector<uint32_t>& groups) {
  Vec times;
  if (window_.kind == Window::Kind::kExternalTime) {
    FrameSource source = chunk.source();
    times = window_.external->evaluate({chunk.rows, &source, context().now()});
  }
  step_groups_.clear();
  step_removes_.clear();
  step_of_row_.resize(chunk.rows);
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
  }
}

void SlidingSelector::leave_one() {
  step_groups_.push_back(held_groups_.pop());
  step_removes_.push_back(1);
  if (window_.kind != Window::Kind::kLength) held_times_.pop();
}

void SlidingSelector::archive_state(StateArchive& archive) {
  Selector::archive_state(archive);
  archive(held_groups_, held_times_);
  for (const auto& values : held_values_) {
    if (values) archive(*values);
  }
}

size_t SlidingSelector::state_bytes() const {
  size_t bytes = Selector::state_bytes() + held_groups_.bytes() + held_times_.bytes();
  for (const auto& values : held_values_) {
    if (values) bytes += values->bytes();
  }
  return bytes;
}

}  // namespace pollux
