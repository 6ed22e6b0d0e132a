#include "engine/operators/selector.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/number_order.h"

namespace pollux {
namespace {

SchemaPtr results_schema(const SelectorPlan& plan) {
  std::vector<Attribute> columns;
  for (const SelectorPlan::Aggregate& aggregate : plan.aggregates) {
    columns.push_back({"", aggregate.function->result_type()});
  }
  return std::make_shared<Schema>("", std::move(columns));
}

/// Copies of strings are cheaper than another owner below this many rows.
constexpr uint32_t kShareRowsMin = 8;

template <class T>
void gather_to(const Column& from, const uint32_t* rows, uint32_t count, Column& to) {
  const T* values = from.data<T>();
  T* out = to.extend<T>(count);
  for (uint32_t i = 0; i < count; ++i) out[i] = values[rows[i]];
}

/// Rows of a column straight into an output column.
void append_rows(const Column& from, const uint32_t* rows, uint32_t count, EventBatch& batch,
                 size_t column, bool copy_strings) {
  Column& to = batch.column(column);
  uint32_t first = to.size();
  switch (from.width()) {
    case 1:
      gather_to<uint8_t>(from, rows, count, to);
      break;
    case 4:
      gather_to<uint32_t>(from, rows, count, to);
      break;
    case 8:
      gather_to<uint64_t>(from, rows, count, to);
      break;
    default:
      gather_to<StringRef>(from, rows, count, to);
      if (copy_strings) {
        auto* texts = to.mutable_data<StringRef>() + first;
        for (uint32_t i = 0; i < count; ++i) {
          if (!texts[i].is_inline()) texts[i] = batch.arena().store(texts[i].view());
        }
      }
  }
  if (!from.has_nulls()) return;
  for (uint32_t i = 0; i < count; ++i) {
    if (from.is_null(rows[i])) to.set_null(first + i);
  }
  if (!from.has_strays()) return;
  for (uint32_t i = 0; i < count; ++i) {
    StringRef stray = from.stray(rows[i]);
    if (stray.size() != 0) to.set_stray(first + i, batch.arena().store(stray.view()));
  }
}

}  // namespace

Selector::Selector(SelectorPlan plan, PlanContext& context, SelectedReceiver& next)
    : plan_(std::move(plan)),
      context_(context),
      next_(next),
      pool_(plan_.output),
      groups_(context.strings()),
      results_(results_schema(plan_)) {
  POLLUX_CHECK(plan_.projection.size() == plan_.output->size());
  if (plan_.rows_stay && grouped()) {
    bounder_.emplace(context, Sweeper::kPeriodMs, [this](int64_t) { return evict(); });
  }
}

void Selector::receive(const Chunk& chunk) {
  if (chunk.rows == 0) return;
  const std::vector<uint32_t>& groups = groups_of(chunk);
  run_rows(chunk, groups);
  emit(chunk, nullptr, groups);
  release_idle_groups();
}

const std::vector<uint32_t>& Selector::groups_of(const Chunk& chunk) {
  if (!grouped()) {
    if (chunk.keys != nullptr) {
      row_groups_.assign(chunk.keys, chunk.keys + chunk.rows);
    } else if (row_groups_.size() < chunk.rows || chunk.keys != nullptr) {
      row_groups_.assign(chunk.rows, 0);
    }
    return row_groups_;
  }
  FrameSource source = chunk.source();
  Frame frame{chunk.rows, &source, context_.now()};
  vecs_.clear();
  for (const ExpressionPtr& key : plan_.group_by) vecs_.push_back(key->evaluate(frame));
  const StringRef* keys = encoder_.encode(vecs_, chunk.rows);
  row_groups_.resize(chunk.rows);
  groups_.find_or_insert_many(keys, chunk.keys, chunk.rows, row_groups_.data());
  if (live_.size() < groups_.capacity()) live_.resize(groups_.capacity(), kReleased);
  for (uint32_t group : row_groups_) {
    if (live_[group] == kReleased) live_[group] = 0;
  }
  if (bounder_) {
    used_at_.resize(live_.size());
    for (uint32_t group : row_groups_) used_at_[group] = sweeps_;
    bounder_->arm(context_.clock_at(chunk, 0));
  }
  return row_groups_;
}

const std::vector<Vec>& Selector::arguments_of(const Chunk& chunk) {
  FrameSource source = chunk.source();
  Frame frame{chunk.rows, &source, context_.now()};
  arguments_.clear();
  for (SelectorPlan::Aggregate& aggregate : plan_.aggregates) {
    arguments_.push_back(aggregate.argument ? aggregate.argument->evaluate(frame) : Vec{});
  }
  return arguments_;
}

void Selector::clear_results() { results_.clear(); }

void Selector::run_aggregate(size_t index, AggregateSteps steps) {
  steps.last_seen = last_seen_;
  steps.texts = &results_.arena();
  plan_.aggregates[index].function->run(steps, results_.column(index));
}

void Selector::run_rows(const Chunk& chunk, const std::vector<uint32_t>& groups) {
  if (plan_.aggregates.empty() && !grouped()) return;
  clear_results();
  const std::vector<Vec>& arguments = arguments_of(chunk);
  if (chunk.kinds == nullptr) {
    removes_.clear();
    run_range(0, chunk.rows, groups, arguments);
    return;
  }
  removes_.resize(chunk.rows);
  for (uint32_t i = 0; i < chunk.rows; ++i) removes_[i] = chunk.kinds[i] & EventKind::kExpired;
  uint32_t begin = 0;
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    if ((chunk.kinds[i] & EventKind::kResetBefore) != 0) {
      run_range(begin, i, groups, arguments);
      reset_groups(chunk.key(i));
      begin = i;
    }
    if ((chunk.kinds[i] & EventKind::kResetAfter) != 0) {
      run_range(begin, i + 1, groups, arguments);
      reset_groups(chunk.key(i));
      begin = i + 1;
    }
  }
  run_range(begin, chunk.rows, groups, arguments);
}

void Selector::run_range(uint32_t begin, uint32_t end, const std::vector<uint32_t>& groups,
                         const std::vector<Vec>& arguments) {
  if (begin == end) return;
  for (size_t a = 0; a < plan_.aggregates.size(); ++a) {
    Vec argument = arguments[a];
    if (argument.data != nullptr && !argument.constant) {
      argument.data = argument.as<std::byte>() + size_t{begin} * width_of(argument.type);
      if (argument.nulls != nullptr) argument.nulls += begin;
    }
    run_aggregate(a, {end - begin, groups.data() + begin,
                      removes_.empty() ? nullptr : removes_.data() + begin, argument});
  }
  if (!grouped()) return;
  for (uint32_t i = begin; i < end; ++i) {
    count_live(groups[i], !removes_.empty() && removes_[i] != 0);
  }
}

void Selector::count_live(uint32_t group, bool removed) {
  live_[group] += removed ? -1 : 1;
  if (live_[group] == 0) idle_.push_back(group);
}

void Selector::release_idle_groups() {
  for (uint32_t group : idle_) {
    if (live_[group] == 0) release_group(group);
  }
  idle_.clear();
}

void Selector::release_group(uint32_t group) {
  for (const SelectorPlan::Aggregate& aggregate : plan_.aggregates) {
    if (!aggregate.function->is_fresh(group)) return;
  }
  end_group(group);
}

void Selector::reset_groups(uint32_t key) {
  if (!grouped()) {
    for (SelectorPlan::Aggregate& aggregate : plan_.aggregates) aggregate.function->reset(key);
    return;
  }
  for (uint32_t group = 0; group < groups_.capacity(); ++group) {
    if (live_[group] == kReleased || groups_.instance(group) != key) continue;
    for (SelectorPlan::Aggregate& aggregate : plan_.aggregates) aggregate.function->reset(group);
    live_[group] = 0;
    idle_.push_back(group);
  }
}

void Selector::drop_key(uint32_t key) {
  if (!grouped()) {
    for (SelectorPlan::Aggregate& aggregate : plan_.aggregates) aggregate.function->release(key);
    return;
  }
  std::vector<bool> dropped(key + 1, false);
  dropped[key] = true;
  drop_keys(dropped);
}

void Selector::drop_keys(const std::vector<bool>& dropped) {
  if (!grouped()) return KeyedOperator::drop_keys(dropped);
  for (uint32_t group = 0; group < live_.size(); ++group) {
    if (live_[group] == kReleased) continue;
    uint32_t instance = groups_.instance(group);
    if (instance < dropped.size() && dropped[instance]) end_group(group);
  }
}

void Selector::end_group(uint32_t group) {
  for (SelectorPlan::Aggregate& aggregate : plan_.aggregates) aggregate.function->release(group);
  groups_.release(group);
  live_[group] = kReleased;
}

/// Too many groups: those that no row came to for longest end, and some more than need be.
bool Selector::evict() {
  ++sweeps_;
  uint64_t most = context_.limits().groups;
  if (groups_.size() <= most) return false;
  uint64_t many = groups_.size() - most + most / 16;
  std::vector<uint32_t> by_age;
  for (uint32_t group = 0; group < live_.size(); ++group) {
    if (live_[group] != kReleased) by_age.push_back(group);
  }
  auto end = by_age.begin() + static_cast<std::ptrdiff_t>(many);
  std::nth_element(by_age.begin(), end, by_age.end(), [this](uint32_t a, uint32_t b) {
    return std::pair(used_at_[a], a) < std::pair(used_at_[b], b);
  });
  for (auto group = by_age.begin(); group != end; ++group) end_group(*group);
  context_.counts().groups_evicted += many;
  return false;
}

void Selector::archive_state(StateArchive& archive) {
  archive(groups_, live_, sweeps_, used_at_);
  if (bounder_) archive(*bounder_);
  if (live_.size() > groups_.capacity() || used_at_.size() > live_.size()) archive.fail();
  for (SelectorPlan::Aggregate& aggregate : plan_.aggregates) {
    aggregate.function->archive_state(archive);
  }
}

size_t Selector::state_bytes() const {
  size_t bytes = groups_.bytes() + live_.capacity() * sizeof(int64_t);
  for (const SelectorPlan::Aggregate& aggregate : plan_.aggregates) {
    bytes += aggregate.function->state_bytes();
  }
  return bytes;
}

Frame Selector::frame_of(const std::vector<uint32_t>& places, const Chunk& chunk,
                         const uint32_t* step_of_row) {
  frame_rows_.resize(places.size());
  frame_steps_.resize(places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    frame_rows_[i] = chunk.row(places[i]);
    frame_steps_[i] = step_of_row != nullptr ? step_of_row[places[i]] : places[i];
  }
  sources_[SelectorSource::kInput] = {chunk.batch, frame_rows_.data(), 0, false};
  sources_[SelectorSource::kAggregates] = {&results_, frame_steps_.data(), 0, false};
  return {static_cast<uint32_t>(places.size()), sources_, context_.now()};
}

const std::vector<uint32_t>& Selector::choose(const Chunk& chunk, const uint32_t* step_of_row,
                                              const std::vector<uint32_t>& groups) {
  take_candidates(chunk, step_of_row);
  bool one_of_many = grouped() || !plan_.aggregates.empty();
  if (plan_.batching && one_of_many && !chunk.single_row_chunks()) {
    keep_last_of_chunks(chunk, groups);
  }
  return chosen_;
}

void Selector::emit(const Chunk& chunk, const uint32_t* step_of_row,
                    const std::vector<uint32_t>& groups) {
  choose(chunk, step_of_row, groups);
  if (!plan_.order_by.empty() || plan_.limit || plan_.offset) order_and_limit(chunk, step_of_row);
  if (plan_.resets_wanted) note_resets(chunk);
  if (!chosen_.empty()) {
    project(chunk, step_of_row, groups);
  } else if (!resets_.empty()) {
    Selected selected;
    selected.resets = resets_;
    next_.receive(selected);
  }
}

void Selector::note_resets(const Chunk& chunk) {
  resets_.clear();
  if (chunk.kinds == nullptr) return;
  auto chosen_below = [this](uint32_t row) {
    auto below = [row](uint32_t place) { return place < row; };
    return static_cast<uint32_t>(std::count_if(chosen_.begin(), chosen_.end(), below));
  };
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    uint8_t kind = chunk.kinds[i];
    if ((kind & EventKind::kResetBefore) != 0) resets_.push_back({chosen_below(i), chunk.key(i)});
    if ((kind & EventKind::kResetAfter) != 0)
      resets_.push_back({chosen_below(i + 1), chunk.key(i)});
  }
}

void Selector::take_candidates(const Chunk& chunk, const uint32_t* step_of_row) {
  chosen_.clear();
  if (chunk.kinds == nullptr) {
    if (!plan_.current) return;
    chosen_.resize(chunk.rows);
    for (uint32_t i = 0; i < chunk.rows; ++i) chosen_[i] = i;
  } else {
    for (uint32_t i = 0; i < chunk.rows; ++i) {
      bool expired = (chunk.kinds[i] & EventKind::kExpired) != 0;
      if (expired ? plan_.expired : plan_.current) chosen_.push_back(i);
    }
  }
  if (!plan_.having || chosen_.empty()) return;
  picked_.clear();
  select_rows(*plan_.having, frame_of(chosen_, chunk, step_of_row), picked_);
  if (!plan_.having_for_expired && chunk.kinds != nullptr) pick_expired(chunk);
  for (size_t i = 0; i < picked_.size(); ++i) chosen_[i] = chosen_[picked_[i]];
  chosen_.resize(picked_.size());
}

/// Adds the expired rows among the chosen to those picked.
void Selector::pick_expired(const Chunk& chunk) {
  std::vector<uint32_t> passed = std::move(picked_);
  picked_.clear();
  auto next = passed.begin();
  for (uint32_t i = 0; i < chosen_.size(); ++i) {
    bool passes = next != passed.end() && *next == i;
    if (passes) ++next;
    if (passes || (chunk.kinds[chosen_[i]] & EventKind::kExpired) != 0) picked_.push_back(i);
  }
}

void Selector::keep_last_of_chunks(const Chunk& chunk, const std::vector<uint32_t>& groups) {
  auto same_chunk = [&](uint32_t a, uint32_t b) { return chunk.chunk_id(a) == chunk.chunk_id(b); };
  if (grouped()) seen_at_.resize(groups_.capacity(), 0);
  size_t kept = 0;
  size_t chunk_begin = 0;
  uint32_t previous = 0;
  for (size_t i = 0; i < chosen_.size(); ++i) {
    uint32_t row = chosen_[i];
    if (i > 0 && !same_chunk(previous, row)) chunk_begin = kept;
    previous = row;
    size_t at = kept;
    if (!grouped()) {
      at = chunk_begin;
    } else {
      size_t seen = seen_at_[groups[row]];
      if (seen >= chunk_begin && seen < kept && groups[chosen_[seen]] == groups[row]) at = seen;
      seen_at_[groups[row]] = static_cast<uint32_t>(at);
    }
    chosen_[at] = row;
    if (at == kept) ++kept;
  }
  chosen_.resize(kept);
}

namespace {

/// Of two values that are not null: below, at or above 0.
int compare_values(const Vec& values, uint32_t a, uint32_t b) {
  switch (values.type) {
    case AttributeType::kInt:
      return order_of_numbers(values.at<int32_t>(a), values.at<int32_t>(b));
    case AttributeType::kLong:
      return order_of_numbers(values.at<int64_t>(a), values.at<int64_t>(b));
    case AttributeType::kFloat:
      return order_of_numbers(values.at<float>(a), values.at<float>(b));
    case AttributeType::kDouble:
      return order_of_numbers(values.at<double>(a), values.at<double>(b));
    case AttributeType::kBool:
      return order_of_numbers(values.at<uint8_t>(a), values.at<uint8_t>(b));
    default:
      return values.at<StringRef>(a).view().compare(values.at<StringRef>(b).view());
  }
}

}  // namespace

/// Runs of one kind within a chunk are ordered each on their own; nulls come last. Expired rows are
/// counted for the limit and never held back by it.
void Selector::order_and_limit(const Chunk& chunk, const uint32_t* step_of_row) {
  if (chosen_.empty()) return;
  std::vector<Vec> keys;
  Frame frame = frame_of(chosen_, chunk, step_of_row);
  for (SelectorPlan::Order& order : plan_.order_by) {
    keys.push_back(order.expression->evaluate(frame));
  }
  auto before = [&](uint32_t a, uint32_t b) {
    for (size_t k = 0; k < keys.size(); ++k) {
      bool null_a = keys[k].is_null(a);
      bool null_b = keys[k].is_null(b);
      if (null_a && null_b) continue;
      if (null_a || null_b) return !null_a;
      int order = compare_values(keys[k], a, b);
      if (order != 0) return plan_.order_by[k].descending ? order > 0 : order < 0;
    }
    return false;
  };
  auto expired = [&](uint32_t place) {
    return (chunk.kind(chosen_[place]) & EventKind::kExpired) != 0;
  };
  std::vector<uint32_t> order(chosen_.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::vector<uint32_t> kept;
  for (size_t begin = 0; begin < order.size();) {
    uint32_t id = chunk.chunk_id(chosen_[begin]);
    size_t end = begin;
    while (end < order.size() && chunk.chunk_id(chosen_[end]) == id) {
      size_t run = end;
      bool kind = expired(order[end]);
      while (end < order.size() && chunk.chunk_id(chosen_[end]) == id &&
             expired(order[end]) == kind) {
        ++end;
      }
      if (keys.empty()) continue;
      std::stable_sort(order.begin() + static_cast<std::ptrdiff_t>(run),
                       order.begin() + static_cast<std::ptrdiff_t>(end), before);
    }
    int64_t skipped = 0;
    int64_t taken = 0;
    for (size_t i = begin; i < end; ++i) {
      if (skipped < plan_.offset.value_or(0)) {
        ++skipped;
      } else if (!plan_.limit || taken < *plan_.limit || expired(order[i])) {
        ++taken;
        kept.push_back(chosen_[order[i]]);
      }
    }
    begin = end;
  }
  chosen_ = std::move(kept);
}

void Selector::project(const Chunk& chunk, const uint32_t* step_of_row,
                       const std::vector<uint32_t>& groups) {
  auto count = static_cast<uint32_t>(chosen_.size());
  Frame frame = frame_of(chosen_, chunk, step_of_row);
  std::shared_ptr<EventBatch> out = pool_.take();
  bool share = chunk.strings_shared && count >= kShareRowsMin;
  bool shared_any = false;
  for (size_t c = 0; c < plan_.projection.size(); ++c) {
    auto* plain = dynamic_cast<ColumnExpression*>(plan_.projection[c].get());
    if (plain != nullptr) {
      bool from_input = plain->source() == SelectorSource::kInput;
      const FrameSource& source = sources_[plain->source()];
      const Column& column = source.batch->column(plain->column());
      bool text = column.width() == sizeof(StringRef);
      append_rows(column, source.rows, count, *out, c, text && !(share && from_input));
      shared_any = shared_any || (text && share && from_input);
    } else {
      append_vec(plan_.projection[c]->evaluate(frame), count, *out, c, true);
    }
  }
  if (shared_any) out->share_strings_of(*chunk.batch);
  std::vector<int64_t>& times = out->mutable_timestamps();
  times.resize(count);
  const int64_t* from_times = chunk.batch->timestamps().data();
  for (uint32_t i = 0; i < count; ++i) times[i] = from_times[frame_rows_[i]];

  Selected selected;
  Chunk& to = selected.chunk;
  to.batch = out.get();
  to.rows = count;
  to.strings_shared = true;
  out_causes_.resize(count);
  for (uint32_t i = 0; i < count; ++i) out_causes_[i] = chunk.cause(chosen_[i]);
  to.causes = out_causes_.data();
  if (chunk.kinds != nullptr && plan_.expired) {
    out_kinds_.resize(count);
    for (uint32_t i = 0; i < count; ++i) {
      out_kinds_[i] = chunk.kinds[chosen_[i]] & EventKind::kExpired;
    }
    to.kinds = out_kinds_.data();
  }
  to.one_chunk = chunk.one_chunk;
  if (chunk.chunk_ids != nullptr || chunk.output_ids != nullptr) {
    out_chunk_ids_.resize(count);
    for (uint32_t i = 0; i < count; ++i) out_chunk_ids_[i] = chunk.output_id(chosen_[i]);
    to.chunk_ids = out_chunk_ids_.data();
  }
  if (chunk.keys != nullptr) {
    out_keys_.resize(count);
    for (uint32_t i = 0; i < count; ++i) out_keys_[i] = chunk.keys[chosen_[i]];
    to.keys = out_keys_.data();
  }
  if (grouped() && plan_.group_keys_wanted) {
    out_group_keys_.resize(count);
    for (uint32_t i = 0; i < count; ++i) out_group_keys_[i] = groups_.key(groups[chosen_[i]]);
    selected.group_keys = out_group_keys_.data();
  }
  selected.resets = resets_;
  selected.batch = std::move(out);
  next_.receive(selected);
}

}  // namespace pollux
