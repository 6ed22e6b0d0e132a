#include "engine/operators/aggregation_buckets.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/operators/aggregator_table.h"

namespace pollux {
namespace {

SchemaPtr kept_schema(const AggregationPlan& plan) {
  std::vector<Attribute> attributes;
  for (const ExpressionPtr& expression : plan.kept) attributes.push_back({{}, expression->type()});
  return std::make_shared<Schema>(plan.schema->name(), std::move(attributes));
}

template <class Sum>
void append_means(const Column& sums, const Column& counts, uint32_t rows, Column& means) {
  for (uint32_t i = 0; i < rows; ++i) {
    if (sums.is_null(i)) {
      means.append_null();
    } else {
      means.append(static_cast<double>(sums.data<Sum>()[i]) /
                   static_cast<double>(counts.data<int64_t>()[i]));
    }
  }
}

}  // namespace

AggregationBuckets::AggregationBuckets(const AggregationPlan& plan, CalendarUnit unit,
                                       StringPool& strings)
    : plan_(plan),
      unit_(unit),
      groups_(strings),
      kept_(kept_schema(plan), std::vector<bool>(plan.kept.size(), true), strings) {
  for (const AggregationPlan::Measure& measure : plan.measures) {
    std::vector<ExpressionPtr> arguments;
    if (measure.argument) arguments.push_back(measure.argument);
    AggregateResult made = find_aggregator("", measure.function)
                               ->make({std::move(arguments), strings, true, Dialect::k51});
    POLLUX_CHECK(std::holds_alternative<MadeAggregate>(made));
    measures_.push_back(std::move(std::get<MadeAggregate>(made).function));
    unread_.emplace_back(measures_.back()->result_type());
  }
}

AggregationBuckets::Bucket& AggregationBuckets::bucket_at(int64_t from_ms) {
  auto [at, fresh] = buckets_.try_emplace(from_ms);
  if (fresh && free_numbers_.empty()) {
    at->second.number = next_number_++;
  } else if (fresh) {
    at->second.number = free_numbers_.back();
    free_numbers_.pop_back();
  }
  return at->second;
}

void AggregationBuckets::take(const Events& events) {
  rows_.resize(events.count);
  numbers_.resize(events.count);
  buckets_of_.resize(events.count);
  froms_.resize(events.count);
  TimeRange span{0, 0};
  for (uint32_t i = 0; i < events.count; ++i) {
    int64_t time = events.times[i];
    if (i == 0 || time < span.from_ms || time >= span.to_ms) {
      span = span_of(unit_, time);
      buckets_of_[i] = &bucket_at(span.from_ms);
    } else {
      buckets_of_[i] = buckets_of_[i - 1];
    }
    numbers_[i] = buckets_of_[i]->number;
    froms_[i] = span.from_ms;
  }
  groups_.find_or_insert_many(events.keys, numbers_.data(), events.count, rows_.data());
  if (groups_.capacity() > slots_.size()) slots_.resize(groups_.capacity(), RowStore::kNoSlot);
  for (uint32_t i = 0; i < events.count; ++i) {
    Slot& slot = slots_[rows_[i]];
    if (plan_.stored.schema) note_change(froms_[i], rows_[i]);
    if (slot != RowStore::kNoSlot) continue;
    slot = kept_.insert_blank();
    kept_.set_timestamp(slot, INT64_MIN);
    buckets_of_[i]->rows.push_back(rows_[i]);
  }
  keep(events);
  for (size_t m = 0; m < measures_.size(); ++m) {
    AggregateSteps steps;
    steps.count = events.count;
    steps.groups = rows_.data();
    steps.argument = events.arguments[m];
    unread_[m].clear();
    measures_[m]->run(steps, unread_[m]);
  }
}

void AggregationBuckets::keep(const Events& events) {
  for (uint32_t i = 0; i < events.count; ++i) {
    Slot slot = slots_[rows_[i]];
    if (events.times[i] < kept_.timestamp(slot)) continue;
    kept_.set_timestamp(slot, events.times[i]);
    for (size_t c = 0; c < plan_.kept.size(); ++c) kept_.set(slot, c, events.kept[c], i);
  }
}

void AggregationBuckets::purge(int64_t from_ms) {
  let_leave(from_ms);
  for (auto at = buckets_.begin(); at != buckets_.end() && at->first < from_ms;) {
    for (uint32_t row : at->second.rows) {
      groups_.release(row);
      kept_.release(slots_[row]);
      slots_[row] = RowStore::kNoSlot;
      for (const auto& measure : measures_) measure->release(row);
    }
    free_numbers_.push_back(at->second.number);
    set_whole_from(at->first + 1);
    at = buckets_.erase(at);
  }
}

void AggregationBuckets::find(const TimeRange& range, std::vector<Found>& found) const {
  for (auto at = buckets_.lower_bound(range.from_ms);
       at != buckets_.end() && at->first < range.to_ms; ++at) {
    for (uint32_t row : at->second.rows) found.push_back({at->first, row});
  }
}

void AggregationBuckets::gather(const Found* found, uint32_t count,
                                const std::vector<AggregationPlan::Output>& outputs,
                                EventBatch& out) const {
  std::vector<uint32_t> rows;
  std::vector<Slot> slots;
  for (uint32_t i = 0; i < count; ++i) {
    rows.push_back(found[i].row);
    slots.push_back(slots_[found[i].row]);
    out.column(0).append(found[i].from_ms);
    out.mutable_timestamps().push_back(found[i].from_ms);
  }
  auto read = [&](size_t measure, Column& to) { measures_[measure]->read(rows.data(), count, to); };
  for (size_t o = 0; o < outputs.size(); ++o) {
    const AggregationPlan::Output& output = outputs[o];
    Column& to = out.column(1 + o);
    switch (output.source) {
      case AggregationPlan::Output::Source::kKept:
        kept_.gather_column(slots.data(), count, output.index, to);
        break;
      case AggregationPlan::Output::Source::kMeasure:
        read(output.index, to);
        break;
      case AggregationPlan::Output::Source::kLatest:
        for (Slot slot : slots) to.append(kept_.timestamp(slot));
        break;
      case AggregationPlan::Output::Source::kCount32: {
        Column counts(AttributeType::kLong);
        read(output.index, counts);
        for (uint32_t i = 0; i < count; ++i) {
          to.append(static_cast<int32_t>(counts.data<int64_t>()[i]));
        }
        break;
      }
      case AggregationPlan::Output::Source::kMean: {
        Column sums(measures_[output.index]->result_type());
        Column counts(AttributeType::kLong);
        read(output.index, sums);
        read(output.count, counts);
        if (sums.type() == AttributeType::kLong) {
          append_means<int64_t>(sums, counts, count, to);
        } else {
          append_means<double>(sums, counts, count, to);
        }
      }
    }
  }
}

void AggregationBuckets::archive(StateArchive& archive) {
  archive(buckets_, free_numbers_, next_number_, groups_, kept_);
  archive.list(slots_, [&](Slot& slot) { kept_.archive_slot(archive, slot); });
  for (const auto& measure : measures_) measure->archive_state(archive);
  if (archive.loads() && !is_whole()) archive.fail();
}

bool AggregationBuckets::is_whole() const {
  if (slots_.size() < groups_.capacity()) return false;
  if (next_number_ != buckets_.size() + free_numbers_.size()) return false;
  std::vector<bool> seen(slots_.size(), false);
  std::vector<bool> numbered(next_number_, false);
  size_t rows = 0;
  for (const auto& [from_ms, bucket] : buckets_) {
    if (bucket.number >= next_number_ || numbered[bucket.number]) return false;
    numbered[bucket.number] = true;
    for (uint32_t row : bucket.rows) {
      bool there = row < groups_.capacity() && !seen[row] && slots_[row] != RowStore::kNoSlot;
      if (!there || groups_.instance(row) != bucket.number) return false;
      seen[row] = true;
      ++rows;
    }
  }
  for (uint32_t number : free_numbers_) {
    if (number >= next_number_ || numbered[number]) return false;
    numbered[number] = true;
  }
  return rows == groups_.size() && rows == kept_.size();
}

size_t AggregationBuckets::state_bytes() const {
  size_t bytes = groups_.bytes() + kept_.bytes() + slots_.capacity() * sizeof(Slot);
  for (const auto& [from_ms, bucket] : buckets_) {
    bytes += sizeof(from_ms) + sizeof(bucket) + bucket.rows.capacity() * sizeof(uint32_t);
  }
  for (const auto& measure : measures_) bytes += measure->state_bytes();
  return bytes;
}

}  // namespace pollux
