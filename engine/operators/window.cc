#include "engine/operators/window.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/operators/batch_selector.h"
#include "engine/operators/windows_batch.h"
#include "engine/operators/windows_delay.h"
#include "engine/operators/windows_expression.h"
#include "engine/operators/windows_frequent.h"
#include "engine/operators/windows_reorder.h"
#include "engine/operators/windows_session.h"
#include "engine/operators/windows_sliding.h"
#include "engine/operators/windows_sorted.h"
#include "engine/operators/windows_unique.h"

namespace pollux {

namespace {

/// How soon after a row a window may ask to be woken; 0: it never asks.
int64_t least_delay(const WindowPlan& plan) {
  switch (plan.kind) {
    case WindowPlan::Kind::kTime:
    case WindowPlan::Kind::kTimeLength:
    case WindowPlan::Kind::kDelay:
    case WindowPlan::Kind::kSession:
    case WindowPlan::Kind::kUniqueTime:
      return plan.extent;
    case WindowPlan::Kind::kTimeBatch:
      return plan.has_start ? 1 : plan.extent;  // the first batch of an aligned one may be short
    case WindowPlan::Kind::kExternalTimeBatch:
    case WindowPlan::Kind::kReorder:
      return plan.timeout_ms;
    case WindowPlan::Kind::kCron:
      return 1;
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
    case WindowPlan::Kind::kCron:
      return std::make_unique<CronWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kDelay:
      return std::make_unique<DelayWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kSort:
      return std::make_unique<SortWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kBatch:
      return std::make_unique<ChunkBatchWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kTime:
    case WindowPlan::Kind::kTimeLength:
      return std::make_unique<TimeWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kTimeBatch:
      return std::make_unique<TimeBatchWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kExternalTime:
      return std::make_unique<ExternalTimeWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kExternalTimeBatch:
      return std::make_unique<ExternalTimeBatchWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kExpression:
      return std::make_unique<ExpressionWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kExpressionBatch:
      return std::make_unique<ExpressionBatchWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kFrequent:
      return std::make_unique<FrequentWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kLossyFrequent:
      return std::make_unique<LossyFrequentWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kSession:
      return std::make_unique<SessionWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kUnique:
    case WindowPlan::Kind::kFirstUnique:
      return std::make_unique<UniqueWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kUniqueLength:
    case WindowPlan::Kind::kUniqueTime:
      return std::make_unique<UniqueSlidingWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kReorder:
      return std::make_unique<ReorderWindow>(std::move(plan), context, next);
    case WindowPlan::Kind::kDeduplicate:
      return std::make_unique<DeduplicateWindow>(std::move(plan), context, next);
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
  if (!plan_.row_keys.empty()) find_row_keys(chunk);
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    if (i > 0 && !chunk.continues(i)) {
      end_chunk(chunk.key(i - 1), context_.clock_at(chunk, i - 1));
      cut_chunk();
      ++output_id_;
    }
    in_row_ = true;
    row_in_hand_ = i;
    cause_ = chunk.cause(i);
    int64_t time = chunk.timestamp(i);
    if (plan_.time) {
      if (external.is_null(i)) {  // a row without a time has no place in the window
        ++context_.counts().rows_without_time;
        continue;
      }
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

void WindowOperator::find_row_keys(const Chunk& chunk) {
  FrameSource source = chunk.source();
  Frame frame{chunk.rows, &source, context_.now()};
  key_values_.clear();
  for (const ExpressionPtr& key : plan_.row_keys) key_values_.push_back(key->evaluate(frame));
  row_keys_ = encoder_.encode(key_values_, chunk.rows);
}

void WindowOperator::fold_row(Slot row) { plan_.fold->take(row); }

void WindowOperator::end_fold() {
  if (in_row_) {
    plan_.fold->end_batch(*in_hand_, cause_, output_id_);
    if (several_rows_) plan_.fold->hand_on();
  } else {
    plan_.fold->end_batch_between_chunks(context_.timer_cause());
  }
}

void WindowOperator::emit(uint32_t key, Slot slot, uint8_t kind, int64_t timestamp) {
  if (reset_pending_) kind |= EventKind::kResetBefore;
  reset_pending_ = false;
  emitted_.slots.push_back(slot);
  emitted_.kinds.push_back(kind);
  emitted_.chunk_ids.push_back(chunk_id_);
  emitted_.output_ids.push_back(output_id_);
  emitted_.keys.push_back(key);
  emitted_.causes.push_back(in_row_ ? cause_ : context_.timer_cause());
  emitted_.times.push_back(timestamp);
}

void WindowOperator::emit_current(uint32_t key, Slot slot) {
  emit(key, slot, EventKind::kCurrent, store_.timestamp(slot));
}

void WindowOperator::emit_current_at(uint32_t key, Slot slot, int64_t clock) {
  emit(key, slot, EventKind::kCurrent, clock);
}

void WindowOperator::emit_expired(uint32_t key, Slot slot, int64_t clock) {
  if (plan_.expired_wanted) emit(key, slot, EventKind::kExpired, clock);
}

void WindowOperator::emit_reset_at_once(uint32_t key, Slot slot) {
  if (emitted_.slots.empty()) {
    emit(key, slot, EventKind::kExpired | EventKind::kOnlyReset, store_.timestamp(slot));
  }
  emit_reset();
}

void WindowOperator::cut_chunk() {
  if (reset_pending_ && !emitted_.kinds.empty()) {
    emitted_.kinds.back() |= EventKind::kResetAfter;
    reset_pending_ = false;
  }
  ++chunk_id_;
}

void WindowOperator::Emitted::clear() {
  slots.clear();
  kinds.clear();
  chunk_ids.clear();
  output_ids.clear();
  keys.clear();
  causes.clear();
  times.clear();
}

void WindowOperator::hand_on() {
  if (plan_.fold != nullptr) plan_.fold->hand_on();
  cut_chunk();
  chunk_id_ = 0;
  output_id_ = 0;
  if (emitted_.slots.empty()) return release();
  if (context_.loops()) return hand_on_in_loop();
  out_.clear();
  store_.gather(emitted_.slots, out_);
  out_.mutable_timestamps() = emitted_.times;
  hand_on(emitted_, out_);
  emitted_.clear();
  release();
}

/// The window may be given rows again before those in hand are through.
void WindowOperator::hand_on_in_loop() {
  Emitted emitted = std::exchange(emitted_, {});
  EventBatch out(plan_.schema);
  store_.gather(emitted.slots, out);
  own_strings(out);
  out.mutable_timestamps() = emitted.times;
  release();
  hand_on(emitted, out);
}

void WindowOperator::hand_on(const Emitted& emitted, const EventBatch& batch) {
  Chunk all;
  all.batch = &batch;
  all.rows = static_cast<uint32_t>(emitted.slots.size());
  all.kinds = emitted.kinds.data();
  all.chunk_ids = emitted.chunk_ids.data();
  all.output_ids = emitted.output_ids.data();
  all.keys = emitted.keys.data();
  all.causes = emitted.causes.data();
  if (!several_rows_ || !cuts_go_alone()) return next_.receive(all);
  for (uint32_t begin = 0, end = 0; begin < all.rows; begin = end) {
    while (end < all.rows && all.chunk_ids[end] == all.chunk_ids[begin]) ++end;
    next_.receive(all.part(begin, end));
  }
}

void WindowOperator::release() {
  for (Slot slot : released_) store_.release(slot);
  released_.clear();
}

void WindowOperator::drop_key(uint32_t key) {
  release_key(key);
  release();
}

void WindowOperator::archive_state(StateArchive& archive) {
  archive(store_);
  if (timer_) archive(*timer_);
  archive(reset_pending_);
  archive_held(archive);
}

size_t WindowOperator::state_bytes() const { return store_.bytes(); }

}  // namespace pollux
