#include "engine/operators/aggregation_search.h"

#include <utility>

#include "engine/expression/time_text.h"

namespace pollux {
namespace {

std::optional<int64_t> time_at(const Vec& values, uint32_t i) {
  if (values.type == AttributeType::kLong) return values.at<int64_t>(i);
  return parse_time_text(values.at<StringRef>(i).view());
}

}  // namespace

std::optional<TimeRange> range_of(const std::vector<Vec>& within, uint32_t i) {
  for (const Vec& values : within) {
    if (values.is_null(i)) return std::nullopt;
  }
  if (within.size() == 1) return parse_time_pattern(within[0].at<StringRef>(i).view());
  std::optional<int64_t> from = time_at(within[0], i);
  std::optional<int64_t> to = time_at(within[1], i);
  if (!from || !to || *from >= *to) return std::nullopt;
  return TimeRange{*from, *to};
}

AggregationSearch::AggregationSearch(const Aggregation& aggregation, AggregationWindow window,
                                     ExpressionPtr condition, PlanContext& context)
    : aggregation_(aggregation),
      window_(std::move(window)),
      condition_(std::move(condition)),
      context_(context),
      filter_(aggregation.schema()),
      store_(aggregation.schema(), std::vector<bool>(aggregation.schema()->size(), true),
             context.strings()),
      rows_(aggregation.schema()) {}

AggregationSearch::Wanted AggregationSearch::wanted_by(const Chunk& chunk, uint32_t i,
                                                       const Vec& per) const {
  std::optional<TimeRange> range = range_of(within_, i);
  if (!range || per.is_null(i)) return {};
  std::optional<CalendarUnit> unit = calendar_unit_from(per.at<StringRef>(i).view());
  if (!unit) return {};
  return {aggregation_.buckets(*unit),
          aggregation_.visible(*unit, *range, context_.clock_at(chunk, i))};
}

void AggregationSearch::copy(const Wanted& wanted) {
  found_.clear();
  rows_.clear();
  slots_.clear();
  wanted.buckets->find(wanted.range, found_);
  auto count = static_cast<uint32_t>(found_.size());
  wanted.buckets->gather(found_.data(), count, rows_);
  Chunk all;
  all.batch = &rows_;
  all.rows = count;
  for (uint32_t row = 0; row < count; ++row) slots_.push_back(store_.insert(all, row));
  stored_.insert(stored_.end(), slots_.begin(), slots_.end());
}

void AggregationSearch::find(const Chunk& chunk, std::vector<Match>& matches) {
  for (Slot slot : stored_) store_.release(slot);
  stored_.clear();
  FrameSource source = chunk.source();
  Frame frame{chunk.rows, &source, context_.now()};
  within_.clear();
  for (const ExpressionPtr& bound : window_.within) within_.push_back(bound->evaluate(frame));
  Vec per = window_.per->evaluate(frame);
  Wanted last;
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    Wanted wanted = wanted_by(chunk, i, per);
    if (wanted.buckets == nullptr) continue;
    if (wanted.buckets != last.buckets || wanted.range != last.range) copy(wanted);
    last = wanted;
    size_t first = matches.size();
    for (Slot slot : slots_) matches.push_back({i, slot});
    if (condition_) {
      filter_.filter(chunk, store_, *condition_, first, context_.now(), matches);
    }
  }
}

}  // namespace pollux
