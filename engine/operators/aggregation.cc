#include "engine/operators/aggregation.h"

#include <algorithm>
#include <utility>

namespace pollux {

Aggregation::Aggregation(AggregationPlan plan, PlanContext& context)
    : plan_(std::move(plan)), context_(context) {
  for (const AggregationPlan::Unit& unit : plan_.units) {
    units_.emplace_back(plan_, unit.unit, context.strings());
  }
}

void Aggregation::receive(const Chunk& chunk) {
  for (uint32_t begin = 0; begin < chunk.rows;) {
    purge(context_.clock_at(chunk, begin));
    uint32_t end = begin + 1;
    while (end < chunk.rows && context_.clock_at(chunk, end) < next_purge_ms_) ++end;
    take(chunk.part(begin, end));
    begin = end;
  }
}

int64_t Aggregation::last_purge(int64_t clock) const {
  int64_t begin = context_.started_at();
  return clock - (clock - begin) % plan_.purge_interval_ms;
}

void Aggregation::purge(int64_t clock) {
  if (clock < next_purge_ms_) return;
  if (plan_.purge_interval_ms == 0) {
    next_purge_ms_ = INT64_MAX;
    return;
  }
  next_purge_ms_ = last_purge(clock) + plan_.purge_interval_ms;
  for (size_t u = 0; u < units_.size(); ++u) {
    if (auto from = kept_from(plan_.units[u], clock)) units_[u].purge(*from);
  }
}

std::optional<int64_t> Aggregation::kept_from(const AggregationPlan::Unit& unit,
                                              int64_t clock) const {
  if (unit.retention_ms < 0) return std::nullopt;
  int64_t at = last_purge(clock);
  if (plan_.stored.schema == nullptr) return at - unit.retention_ms;
  // What is stored must not be let go while events of its time still come, however old they are:
  // they would be lost.
  std::optional<int64_t> latest;
  for (const AggregationBuckets& each : units_) latest = std::max(latest, each.latest_bucket());
  return latest ? std::optional(std::min(at, *latest) - unit.retention_ms) : std::nullopt;
}

void Aggregation::pick_timed(const Chunk& chunk) {
  rows_.clear();
  times_.clear();
  Vec time;
  if (plan_.time) {
    FrameSource source = chunk.source();
    time = plan_.time->evaluate({chunk.rows, &source, context_.now()});
  }
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    bool timed = !plan_.time || !time.is_null(i);
    int64_t ms = 0;
    if (timed) ms = plan_.time ? time.at<int64_t>(i) : context_.clock_at(chunk, i);
    if (!timed || ms < -kCalendarMsMax || ms > kCalendarMsMax) {
      ++context_.counts().rows_without_time;
      continue;
    }
    rows_.push_back(chunk.row(i));
    times_.push_back(ms);
  }
}

void Aggregation::take(const Chunk& chunk) {
  pick_timed(chunk);
  if (rows_.empty()) return;
  if (plan_.stored.schema == nullptr || !take_apart(*chunk.batch)) {
    take_picked(*chunk.batch, nullptr);
  }
}

bool Aggregation::take_apart(const EventBatch& batch) {
  int64_t earliest = *std::min_element(times_.begin(), times_.end());
  auto goes_in = [](const AggregationBuckets& unit, int64_t time) {
    return span_of(unit.unit(), time).from_ms >= unit.whole_from();
  };
  if (std::all_of(units_.begin(), units_.end(),
                  [&](const AggregationBuckets& unit) { return goes_in(unit, earliest); })) {
    return false;
  }
  const std::vector<uint32_t> rows = rows_;
  const std::vector<int64_t> times = times_;
  for (AggregationBuckets& unit : units_) {
    rows_.clear();
    times_.clear();
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!goes_in(unit, times[i])) continue;
      rows_.push_back(rows[i]);
      times_.push_back(times[i]);
    }
    context_.counts().rows_too_old += rows.size() - rows_.size();
    if (!rows_.empty()) take_picked(batch, &unit);
  }
  return true;
}

void Aggregation::take_picked(const EventBatch& batch, AggregationBuckets* only) {
  AggregationBuckets::Events events;
  events.count = static_cast<uint32_t>(rows_.size());
  FrameSource source{&batch, rows_.data(), 0, false};
  Frame frame{events.count, &source, context_.now()};
  auto evaluate = [&frame](const std::vector<ExpressionPtr>& expressions, std::vector<Vec>& to) {
    to.clear();
    for (const ExpressionPtr& expression : expressions) to.push_back(expression->evaluate(frame));
  };
  evaluate(plan_.group_by, keys_);
  evaluate(plan_.kept, kept_);
  arguments_.clear();
  for (const AggregationPlan::Measure& measure : plan_.measures) {
    arguments_.push_back(measure.argument ? measure.argument->evaluate(frame) : Vec{});
  }
  events.times = times_.data();
  if (keys_.empty()) {
    no_keys_.resize(events.count);
    events.keys = no_keys_.data();
  } else {
    events.keys = encoder_.encode(keys_, events.count);
  }
  events.kept = kept_.data();
  events.arguments = arguments_.data();
  for (AggregationBuckets& unit : units_) {
    if (only == nullptr || only == &unit) unit.take(events);
  }
}

const AggregationBuckets* Aggregation::buckets(CalendarUnit unit) const {
  auto at = std::find_if(units_.begin(), units_.end(), [unit](const AggregationBuckets& buckets) {
    return buckets.unit() == unit;
  });
  return at == units_.end() ? nullptr : &*at;
}

TimeRange Aggregation::visible(CalendarUnit unit, TimeRange range, int64_t clock) const {
  if (plan_.purge_interval_ms == 0 || clock < next_purge_ms_) return range;
  for (const AggregationPlan::Unit& each : plan_.units) {
    auto from = each.unit == unit ? kept_from(each, clock) : std::nullopt;
    if (from) range.from_ms = std::max(range.from_ms, *from);
  }
  return range;
}

void Aggregation::archive_state(StateArchive& archive) {
  archive(next_purge_ms_);
  for (AggregationBuckets& unit : units_) {
    unit.archive(archive);
    if (plan_.stored.schema) unit.archive_changes(archive);
  }
}

size_t Aggregation::state_bytes() const {
  size_t bytes = 0;
  for (const AggregationBuckets& unit : units_) bytes += unit.state_bytes();
  return bytes;
}

}  // namespace pollux
