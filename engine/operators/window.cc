#include "engine/operators/window.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/operators/batch_selector.h"
#include "engine/operators/windows_batch.h"
#include "engine/operators/windows_sliding.h"

namespace pollux {

namespace {

/// How soon after a row a window may ask to be woken; 0: it never asks.
int64_t least_delay(const WindowPlan& plan) {
  switch (plan.kind) {
    case WindowPlan::Kind::kTime:
      return plan.extent;
    case WindowPlan::Kind::kTimeBatch:
      return plan.has_start ? 1 : plan.extent;  // the first batch of an aligned one may be short
    case WindowPlan::Kind::kExternalTimeBatch:
      return plan.timeout_ms;
    default:
      return 0;
  }
}

}  // namespace

class WindowOperator::Timer final : public TimerOperator {
 public:
  Timer(WindowOperator& owner, PlanContext& context, int64_t least_delay_ms)
      : TimerOperator(context, least_delay_ms), owner_(owner) {}
  using TimerOperator::schedule;

 private:
  void on_timer(uint32_t key) override {
    owner_.on_deadline(key);
    owner_.hand_on();
  }

  WindowOperator& owner_;
};

WindowOperator::~WindowOperator() = default;

WindowOperator::WindowOperator(WindowPlan plan, PlanContext& context, Receiver& next)
    : plan_(std::move(plan)),
      context_(context),
      next_(next),
      store_(plan_.schema, plan_.kept, context.strings()),
      out_(plan_.schema) {
  int64_t delay = least_delay(plan_);
  if (delay > 0) timer_ = std::make_unique<Timer>(*this, context, delay);
}

void WindowOperator::schedule(uint32_t key, int64_t deadline_ms) {
  timer_->schedule(key, deadline_ms);
}

std::unique_ptr<WindowOperator> WindowOperator::make(WindowPlan plan, PlanContext& context,
                                                     Receiver& next) {
  switch (plan.kind) {
    case WindowPlan::Kind::kNone:
      return std::make_unique<NoWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kLength:
      return std::make_unique<LengthWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kLengthBatch:
      return std::make_unique<LengthBatchWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kTime:
      return std::make_unique<TimeWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kTimeBatch:
      return std::make_unique<TimeBatchWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kExternalTime:
      return std::make_unique<ExternalTimeWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kExternalTimeBatch:
      return std::make_unique<ExternalTimeBatchWindow>(std::move(plan), context, next);
  }
  fail_assertion("a window of a known kind", __FILE__, __LINE__);
}

void WindowOperator::receive(const Chunk& chunk) {
  several_rows_ = !chunk.single_row_chunks();
  in_hand_ = &chunk;
  Vec external;
  if (plan_.time) {
    FrameSource source = chunk.source();
    external = plan_.time->evaluate({chunk.rows, &source, context_.now()});
  }
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    if (i > 0 && !chunk.continues(i)) {
      end_chunk(chunk.key(i - 1), context_.clock_at(chunk, i - 1));
      cut_chunk();
      ++output_id_;
    }
    in_row_ = true;
    cause_ = chunk.cause(i);
    int64_t time = chunk.timestamp(i);
    if (plan_.time) {
      if (external.is_null(i)) continue;  // a row without a time has no place in the window
      time = external.at<int64_t>(i);
    }
    Slot slot = plan_.fold != nullptr ? i : store_.insert(chunk, i);
    enter(chunk.key(i), slot, time, context_.clock_at(chunk, i));
  }
  if (chunk.rows > 0) {
    end_chunk(chunk.key(chunk.rows - 1), context_.clock_at(chunk, chunk.rows - 1));
  }
  in_row_ = false;
  if (plan_.fold != nullptr) plan_.fold->end_chunk(chunk);
  hand_on();
}

void WindowOperator::fold_row(Slot row) { plan_.fold->take(row); }

void WindowOperator::end_fold() {
  if (in_row_) {
    plan_.fold->end_batch(*in_hand_, cause_, output_id_);
  } else {
    plan_.fold->end_batch_between_chunks(context_.timer_cause());
  }
}

void WindowOperator::emit(uint32_t key, Slot slot, uint8_t kind, int64_t timestamp) {
  if (reset_pending_) kind |= EventKind::kResetBefore;
  reset_pending_ = false;
  slots_.push_back(slot);
  kinds_.push_back(kind);
  chunk_ids_.push_back(chunk_id_);
  output_ids_.push_back(output_id_);
  keys_.push_back(key);
  causes_.push_back(in_row_ ? cause_ : context_.timer_cause());
  times_.push_back(timestamp);
}

void WindowOperator::emit_current(uint32_t key, Slot slot) {
  emit(key, slot, EventKind::kCurrent, store_.timestamp(slot));
}

void WindowOperator::emit_expired(uint32_t key, Slot slot, int64_t clock) {
  if (plan_.expired_wanted) emit(key, slot, EventKind::kExpired, clock);
}

void WindowOperator::cut_chunk() {
  if (reset_pending_ && !kinds_.empty()) {
    kinds_.back() |= EventKind::kResetAfter;
    reset_pending_ = false;
  }
  ++chunk_id_;
}

void WindowOperator::hand_on() {
  if (plan_.fold != nullptr) plan_.fold->hand_on();
  cut_chunk();
  if (!slots_.empty()) {
    out_.clear();
    store_.gather(slots_, out_);
    out_.mutable_timestamps() = times_;
    Chunk chunk;
    chunk.batch = &out_;
    chunk.rows = static_cast<uint32_t>(slots_.size());
    chunk.kinds = kinds_.data();
    chunk.chunk_ids = chunk_ids_.data();
    chunk.output_ids = output_ids_.data();
    chunk.keys = keys_.data();
    chunk.causes = causes_.data();
    next_.receive(chunk);
    slots_.clear();
    kinds_.clear();
    chunk_ids_.clear();
    output_ids_.clear();
    keys_.clear();
    causes_.clear();
    times_.clear();
  }
  chunk_id_ = 0;
  output_id_ = 0;
  for (Slot slot : released_) store_.release(slot);
  released_.clear();
}

void WindowOperator::drop_key(uint32_t key) {
  release_key(key);
  for (Slot slot : released_) store_.release(slot);
  released_.clear();
}

size_t WindowOperator::state_bytes() const { return store_.bytes(); }

}  // namespace pollux
