#include "engine/runtime/plan.h"

#include <algorithm>

#include "engine/planner/anonymous_streams.h"

namespace pollux {

Junction* Plan::input(std::string_view stream) {
  Stream* found = find_stream(stream);
  return found != nullptr && found->defined ? found->junction.get() : nullptr;
}

Junction* Plan::inferred_input(std::string_view stream) {
  Stream* found = find_stream(stream);
  return found != nullptr && !found->defined ? found->junction.get() : nullptr;
}

void Plan::apply_idle_time(int64_t entry_clock_ms) {
  if (!idle_clock_) return;
  constexpr int64_t kFarFuture = int64_t{1} << 61;  // deadlines behind it still fit
  idle_clock_->advance_to(entry_clock_ms, [this](int64_t ms) {
    int64_t now = context_.now();
    context_.advance_to(now > kFarFuture - ms ? kFarFuture : now + ms, 0);
  });
}

Plan::Stream* Plan::find_stream(std::string_view name) {
  for (Stream& stream : streams_) {
    if (stream.name == name) return &stream;
  }
  return nullptr;
}

NamedWindow* Plan::find_window(const std::string& name) {
  auto at = windows_.find(name);
  return at == windows_.end() ? nullptr : at->second.get();
}

Aggregation* Plan::find_aggregation(std::string_view name) const {
  auto at = aggregations_.find(std::string(name));
  return at == aggregations_.end() ? nullptr : at->second.get();
}

Aggregation& Plan::add_aggregation(std::unique_ptr<Aggregation> aggregation) {
  std::string name = aggregation->schema()->name();
  add_state(*aggregation);
  return *(aggregations_[name] = std::move(aggregation));
}

Plan::Stream& Plan::add_stream(SchemaPtr schema, bool defined) {
  Stream stream;
  stream.name = schema->name();
  stream.junction = std::make_unique<Junction>(std::move(schema));
  stream.defined = defined;
  streams_.push_back(std::move(stream));
  return streams_.back();
}

void Plan::make_result(Stream& stream) {
  stream.junction->make_result(static_cast<uint32_t>(result_streams_.size()), results_);
  result_streams_.push_back(stream.name);
}

Partition& Plan::add_partition(std::unique_ptr<Partition> partition) {
  partitions_.push_back(std::move(partition));
  add_state(*partitions_.back());
  return *partitions_.back();
}

void Plan::make_results_of_changes(
    const std::function<bool(const std::string& stream)>& is_result) {
  for (StoredPart& part : stored_) {
    for (StoredPart::Holder& holder : part.holders) {
      if (holder.changes == nullptr || !is_result(holder.changes->name())) continue;
      holder.result = static_cast<uint32_t>(result_streams_.size());
      result_streams_.push_back(holder.changes->name());
    }
  }
}

/// Behind all other results of the entry.
void Plan::put_out_changes(Changes which) {
  std::vector<uint32_t> causes;
  for (StoredPart& part : stored_) {
    bool any = false;
    bool must = which == Changes::kAll;
    for (const StoredPart::Holder& holder : part.holders) {
      any = any || holder.content->has_changes();
      must = must || holder.content->must_go();
    }
    if (!any || (part.pacer != nullptr && !part.pacer->lets_pass(must))) continue;
    for (StoredPart::Holder& holder : part.holders) {
      if (!holder.content->has_changes()) continue;
      holder.content->take_changes(holder.changes, context_.now(), [&](const EventBatchPtr& rows) {
        causes.assign(rows->rows(), UINT32_MAX);
        if (holder.result) results_.take_result(*holder.result, rows, causes.data());
      });
    }
  }
}

/// In virtual time a row's clock is the greatest timestamp so far; true when that is simply its
/// own.
bool Plan::set_row_clocks(const EventBatch& batch) {
  row_clocks_.resize(batch.rows());
  int64_t clock = context_.now();
  bool own = true;
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    int64_t timestamp = batch.timestamps()[row];
    if (timestamp < clock) {
      own = false;
      ++context_.counts().rows_late;
    }
    clock = std::max(clock, timestamp);
    row_clocks_[row] = clock;
  }
  return own;
}

/// How far rows can be worked on before a deadline may come between two of them, or the time that
/// an expression reads is another.
uint32_t Plan::end_of_run(const EventBatch& batch, uint32_t begin) const {
  if (row_by_row_) return begin + 1;
  if (context_.reads_clock()) {
    auto later =
        std::upper_bound(row_clocks_.begin() + begin, row_clocks_.end(), row_clocks_[begin]);
    return std::min(end_before_deadline(batch, begin),
                    static_cast<uint32_t>(later - row_clocks_.begin()));
  }
  return end_before_deadline(batch, begin);
}

uint32_t Plan::end_before_deadline(const EventBatch& batch, uint32_t begin) const {
  if (!context_.has_timers()) return batch.rows();
  if (!clocks_are_timestamps_) return begin + 1;
  int64_t limit = row_clocks_[begin];
  limit =
      context_.least_delay_ms() > INT64_MAX - limit ? INT64_MAX : limit + context_.least_delay_ms();
  if (auto deadline = context_.next_deadline()) limit = std::min(limit, *deadline);
  auto end = std::lower_bound(row_clocks_.begin() + begin + 1, row_clocks_.end(), limit);
  return static_cast<uint32_t>(end - row_clocks_.begin());
}

void Plan::apply_chunk(Junction& input, const EventBatch& batch, int64_t now_ms) {
  if (batch.rows() == 0) return;
  context_.advance_to(now_ms, 0);
  one_cause_.assign(batch.rows(), 1);  // a chunk goes through one query after the other
  Chunk chunk;
  chunk.batch = &batch;
  chunk.rows = batch.rows();
  chunk.strings_shared = true;
  chunk.one_chunk = true;
  chunk.causes = one_cause_.data();
  input.receive(chunk);
}

void Plan::apply_events(Junction& input, const EventBatch& batch, bool row_clock, int64_t now_ms) {
  if (batch.rows() == 0) return;
  if (idle_clock_) {
    int64_t latest = *std::max_element(batch.timestamps().begin(), batch.timestamps().end());
    if (latest >= context_.now()) idle_clock_->restart(now_ms);
  }
  if (batch.one_chunk()) {
    int64_t now = now_ms;
    if (row_clock) now = *std::max_element(batch.timestamps().begin(), batch.timestamps().end());
    return apply_chunk(input, batch, now);
  }
  Chunk chunk;
  chunk.batch = &batch;
  chunk.strings_shared = true;
  if (row_clock) {
    clocks_are_timestamps_ = set_row_clocks(batch);
    context_.set_row_clocks(row_clocks_.data());
  } else {
    context_.advance_to(now_ms, 0);
  }
  for (uint32_t begin = 0; begin < batch.rows();) {
    uint32_t end = row_by_row_ ? begin + 1 : batch.rows();
    if (row_clock) {
      context_.advance_to(row_clocks_[begin], 2 * begin);
      end = end_of_run(batch, begin);
    }
    chunk.begin = begin;
    chunk.rows = end - begin;
    input.receive(chunk);
    begin = end;
  }
  if (row_clock) {
    context_.set_row_clocks(nullptr);
    context_.set_now(row_clocks_.back());
  }
}

std::vector<StreamInfo> Plan::streams() const {
  std::vector<StreamInfo> infos;
  for (const Stream& stream : streams_) {
    if (is_anonymous_stream(stream.name)) continue;
    infos.push_back({stream.junction->schema(), stream.defined, stream.written,
                     stream.written && stream.junction->readers() == 0});
  }
  for (const StoredPart& part : stored_) {
    for (const StoredPart::Holder& holder : part.holders) {
      if (holder.changes != nullptr) infos.push_back({holder.changes, false, true, true});
    }
  }
  return infos;
}

std::vector<TableInfo> Plan::tables() const {
  std::vector<TableInfo> infos;
  for (const auto& [name, table] : tables_) {
    TableInfo info{table->schema(), {}, table->size(), table->state_bytes()};
    for (size_t column : table->primary_key()) {
      info.primary_key.push_back((*table->schema())[column].name);
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

std::vector<SchemaPtr> Plan::row_holders() const {
  std::vector<SchemaPtr> schemas;
  for (const auto& [name, table] : tables_) schemas.push_back(table->schema());
  for (const auto& [name, window] : windows_) schemas.push_back(window->schema());
  return schemas;
}

bool Plan::read_rows(std::string_view name, const TakeRows& take) const {
  auto is_named = [name](const auto& named) { return named.first == name; };
  auto table = std::find_if(tables_.begin(), tables_.end(), is_named);
  auto window = std::find_if(windows_.begin(), windows_.end(), is_named);
  std::vector<Slot> slots;
  const RowStore* store = nullptr;
  if (table != tables_.end()) {
    table->second->all(slots);
    store = &table->second->store();
  } else if (window != windows_.end()) {
    window->second->window().contents(0, slots);
    store = &window->second->window().store();
  } else {
    return false;
  }
  for (size_t begin = 0; begin < slots.size(); begin += Engine::kTableBatchRows) {
    size_t end = std::min(begin + Engine::kTableBatchRows, slots.size());
    auto rows = std::make_shared<EventBatch>(store->schema());
    store->gather({slots.begin() + static_cast<std::ptrdiff_t>(begin),
                   slots.begin() + static_cast<std::ptrdiff_t>(end)},
                  *rows);
    own_strings(*rows);
    if (!take(rows)) break;
  }
  return true;
}

bool Plan::read_aggregation(std::string_view name, CalendarUnit unit, const TimeRange& range,
                            const TakeRows& take) const {
  const Aggregation* aggregation = find_aggregation(name);
  const AggregationBuckets* buckets = aggregation ? aggregation->buckets(unit) : nullptr;
  if (buckets == nullptr) return false;
  std::vector<AggregationBuckets::Found> found;
  buckets->find(aggregation->visible(unit, range, context_.now()), found);
  for (size_t begin = 0; begin < found.size(); begin += Engine::kTableBatchRows) {
    size_t count = std::min(Engine::kTableBatchRows, found.size() - begin);
    auto rows = std::make_shared<EventBatch>(aggregation->schema());
    buckets->gather(found.data() + begin, static_cast<uint32_t>(count), *rows);
    own_strings(*rows);
    if (!take(rows)) break;
  }
  return true;
}

ExternalPart& Plan::add_external(ExternalPart part) {
  return *external_.emplace_back(std::make_unique<ExternalPart>(std::move(part)));
}

ExternalPart* Plan::find_external(std::string_view name) const {
  for (const auto& part : external_) {
    if (part->description.holder.name == name) return part.get();
  }
  return nullptr;
}

namespace {

bool is_joined(const ExternalTable& table, std::string_view stream) {
  return std::any_of(table.lookups.begin(), table.lookups.end(),
                     [&](const ExternalLookup& lookup) { return lookup.stream == stream; });
}

/// What is wrong with them.
std::string insert_found(const EventBatch& rows, Table& into) {
  if (!rows.schema().same_attributes(*into.schema())) return "are of other attributes";
  Chunk chunk;
  chunk.batch = &rows;
  chunk.rows = rows.rows();
  for (uint32_t row = 0; row < rows.rows(); ++row) {
    if (!into.insert(chunk, row)) return "have a key twice";
  }
  return {};
}

}  // namespace

std::string Plan::take_found(std::string_view stream, const std::vector<FoundRows>& found) {
  for (const auto& part : external_) {
    if (!is_joined(part->description, stream)) continue;
    const std::string& wanted = part->description.holder.stream;
    auto rows = std::find_if(found.begin(), found.end(),
                             [&](const FoundRows& each) { return each.table == wanted; });
    std::string wrong = "were not looked up";
    if (rows != found.end()) wrong = insert_found(*rows->rows, *part->rows);
    if (wrong.empty()) continue;
    return "the rows of external table '" + part->description.holder.name +
           "' for events of stream '" + std::string(stream) + "' " + wrong;
  }
  return {};
}

void Plan::drop_found() {
  std::vector<Slot> slots;
  for (const auto& part : external_) {
    slots.clear();
    part->rows->all(slots);
    for (Slot slot : slots) part->rows->erase(slot);
  }
}

PlanDescription Plan::describe() const {
  PlanDescription description = description_;
  description.name = name_;
  description.playback = playback_;
  description.state_bytes = state_bytes();
  description.tables = tables_.size();
  for (const auto& [name, table] : tables_) description.table_rows += table->size();
  description.partitions = partitions_.size();
  for (const StoredPart& part : stored_) {
    for (const StoredPart::Holder& holder : part.holders) {
      description.stored.push_back(holder.description);
    }
  }
  for (const auto& part : external_) description.external.push_back(part->description);
  for (const auto& partition : partitions_) {
    description.partition_instances += partition->live().size();
  }
  description.counts = context_.counts();
  for (const KeyedOperator* keyed : keyed_) keyed->add_counts(description.counts);
  if (scripts_) {
    description.counts.script_failures = scripts_->failures().count;
    description.last_script_failure = scripts_->failures().last;
  }
  return description;
}

size_t Plan::state_bytes() const {
  size_t bytes = 0;
  for (const KeyedOperator* keyed : keyed_) bytes += keyed->state_bytes();
  for (const auto& [name, table] : tables_) bytes += table->state_bytes();
  for (const auto& [name, window] : windows_) bytes += window->window().state_bytes();
  for (const auto& [name, aggregation] : aggregations_) bytes += aggregation->state_bytes();
  for (const auto& partition : partitions_) bytes += partition->state_bytes();
  return bytes;
}

}  // namespace pollux
