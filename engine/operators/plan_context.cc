#include "engine/operators/plan_context.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace pollux {

TimerOperator::TimerOperator(PlanContext& context, int64_t least_delay_ms)
    : timer_context_(context) {
  context.timers_.push_back(this);
  context.least_delay_ms_ = std::min(context.least_delay_ms_, least_delay_ms);
}

void TimerOperator::schedule(uint32_t key, int64_t deadline_ms) {
  deadlines_.push({deadline_ms, timer_context_.next_sequence_++, key});
  latest_ms_ = std::max(latest_ms_, deadline_ms);
}

void TimerOperator::archive(StateArchive& archive) {
  std::vector<Deadline> waiting;
  for (; !deadlines_.empty(); deadlines_.pop()) waiting.push_back(deadlines_.top());
  archive(waiting, latest_ms_);
  deadlines_ = std::priority_queue<Deadline>(std::less<Deadline>(), std::move(waiting));
  if (archive.loads()) begun_ = timer_context_.started_;
}

std::optional<int64_t> PlanContext::next_deadline() const {
  std::optional<int64_t> next;
  for (const TimerOperator* timer : timers_) {
    if (timer->deadlines_.empty()) continue;
    int64_t at = timer->deadlines_.top().at_ms;
    if (!next || at < *next) next = at;
  }
  return next;
}

std::optional<int64_t> PlanContext::last_deadline() const {
  std::optional<int64_t> last;
  for (const TimerOperator* timer : timers_) {
    // Deadlines come in order, so while one waits the latest does.
    if (timer->deadlines_.empty()) continue;
    if (!last || timer->latest_ms_ > *last) last = timer->latest_ms_;
  }
  return last;
}

void PlanContext::advance_to(int64_t now, uint32_t cause) {
  if (now > now_) now_ = now;
  timer_cause_ = cause;
  if (!started_) {
    started_ = true;
    started_at_ = now_;
  }
  if (!all_begun_) {
    all_begun_ = true;
    for (TimerOperator* timer : timers_) {
      if (!std::exchange(timer->begun_, true)) timer->on_start();
    }
  }
  while (true) {
    TimerOperator* first = nullptr;
    for (TimerOperator* timer : timers_) {
      if (timer->deadlines_.empty() || timer->deadlines_.top().at_ms > now_) continue;
      // The queue's order is reversed: "less" is later.
      if (first == nullptr || first->deadlines_.top() < timer->deadlines_.top()) first = timer;
    }
    if (first == nullptr) return;
    uint32_t key = first->deadlines_.top().key;
    due_ms_ = first->deadlines_.top().at_ms;
    first->deadlines_.pop();
    first->on_timer(key);
  }
}

}  // namespace pollux
