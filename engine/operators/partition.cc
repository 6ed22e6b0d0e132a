#include "engine/operators/partition.h"

#include <algorithm>
#include <utility>

namespace pollux {

class Partition::Purger final : public TimerOperator {
 public:
  Purger(Partition& owner, PlanContext& context, int64_t interval_ms)
      : TimerOperator(context, interval_ms), owner_(owner), interval_ms_(interval_ms) {}

  /// Looks once an interval while there are instances.
  void arm(int64_t clock) {
    if (!armed_) schedule(0, clock + interval_ms_);
    armed_ = true;
  }

 private:
  void on_timer(uint32_t) override {
    armed_ = false;
    int64_t now = owner_.context_.now();
    owner_.purge(now);
    if (!owner_.live_.empty()) arm(now);
  }

  Partition& owner_;
  int64_t interval_ms_;
  bool armed_ = false;
};

Partition::Partition(PlanContext& context, std::optional<Purge> purge)
    : context_(context), purge_(purge), instances_(context.strings()) {
  if (purge_) purger_ = std::make_unique<Purger>(*this, context, purge_->interval_ms);
}

Partition::~Partition() = default;

void Partition::see(uint32_t instance, int64_t clock) {
  if (instance >= known_.size()) {
    known_.resize(instance + 1, false);
    last_seen_ms_.resize(instance + 1, 0);
  }
  if (!known_[instance]) {
    known_[instance] = true;
    live_.push_back(instance);
    for (KeyedOperator* inside : operators_) inside->begin_key(instance, clock);
    if (purger_) purger_->arm(clock);
  }
  if (purge_) last_seen_ms_[instance] = clock;
}

void Partition::purge(int64_t now) {
  size_t kept = 0;
  for (uint32_t instance : live_) {
    if (last_seen_ms_[instance] + purge_->idle_ms > now) {
      live_[kept++] = instance;
      continue;
    }
    for (KeyedOperator* inside : operators_) inside->drop_key(instance);
    instances_.release(instance);
    known_[instance] = false;
  }
  live_.resize(kept);
}

size_t Partition::state_bytes() const {
  return instances_.bytes() + last_seen_ms_.capacity() * sizeof(int64_t) +
         live_.capacity() * sizeof(uint32_t);
}

PartitionInput::PartitionInput(Partition& partition, PlanContext& context, ExpressionPtr value,
                               std::vector<Range> ranges, SchemaPtr schema)
    : partition_(partition),
      context_(context),
      value_(std::move(value)),
      ranges_(std::move(ranges)),
      inside_(std::move(schema)) {}

void PartitionInput::receive(const Chunk& chunk) {
  chunk_id_ = 0;
  if (value_) {
    by_value(chunk);
  } else if (!ranges_.empty()) {
    by_ranges(chunk);
  } else {
    to_all(chunk);
  }
  hand_on(chunk);
}

/// A chunk goes on in pieces of one instance each.
void PartitionInput::add(const Chunk& chunk, uint32_t i, uint32_t key) {
  bool together = !keys_.empty() && keys_.back() == key && i > last_row_ &&
                  (chunk.chunk_ids != nullptr ? chunk.chunk_ids[i] == chunk.chunk_ids[last_row_]
                                              : chunk.one_chunk);
  if (!together) {
    // What goes to several instances goes through all queries of one before those of the next.
    if (!value_ || !chunk.single_row_chunks()) hand_on(chunk);
    ++chunk_id_;
  }
  last_row_ = i;
  index_.push_back(chunk.row(i));
  keys_.push_back(key);
  causes_.push_back(chunk.cause(i));
  chunk_ids_.push_back(chunk_id_);
}

void PartitionInput::by_value(const Chunk& chunk) {
  FrameSource source = chunk.source();
  Vec keys = value_->evaluate({chunk.rows, &source, context_.now()});
  if (keys.nulls == nullptr && !keys.constant) {
    return by_plain_value(chunk, keys.as<StringRef>());
  }
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    if (keys.is_null(i)) continue;  // a row without a key is in no instance
    add(chunk, i, partition_.instance_of(keys.at<StringRef>(i), context_.clock_at(chunk, i)));
  }
}

/// Every row has a key. Rows that are chunks of their own go on as they came.
void PartitionInput::by_plain_value(const Chunk& chunk, const StringRef* keys) {
  instances_.resize(chunk.rows);
  partition_.instances_of(keys, chunk.rows, instances_.data());
  bool single_rows = chunk.single_row_chunks();
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    partition_.see(instances_[i], context_.clock_at(chunk, i));
    if (!single_rows) add(chunk, i, instances_[i]);
  }
  if (!single_rows) return;
  Chunk out = chunk;
  out.keys = instances_.data();
  inside_.receive(out);
}

void PartitionInput::by_ranges(const Chunk& chunk) {
  FrameSource source = chunk.source();
  std::vector<Vec> conditions;
  for (const Range& range : ranges_) {
    conditions.push_back(range.condition->evaluate({chunk.rows, &source, context_.now()}));
  }
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    for (size_t r = 0; r < ranges_.size(); ++r) {
      if (conditions[r].is_null(i) || conditions[r].at<uint8_t>(i) == 0) continue;
      add(chunk, i, partition_.instance_of(StringRef(ranges_[r].key), context_.clock_at(chunk, i)));
    }
  }
}

void PartitionInput::to_all(const Chunk& chunk) {
  for (uint32_t begin = 0; begin < chunk.rows;) {
    uint32_t end = begin + 1;
    while (end < chunk.rows && chunk.continues(end)) ++end;
    // What a row brings about may begin instances: they see the rows after it.
    const std::vector<uint32_t> live = partition_.live();
    for (uint32_t instance : live) {
      hand_on(chunk);
      for (uint32_t i = begin; i < end; ++i) add(chunk, i, instance);
    }
    hand_on(chunk);
    begin = end;
  }
}

void PartitionInput::hand_on(const Chunk& chunk) {
  if (index_.empty()) return;
  Chunk out = chunk;
  out.rows = static_cast<uint32_t>(index_.size());
  out.index = index_.data();
  out.begin = 0;
  out.keys = keys_.data();
  out.causes = causes_.data();
  bool single_rows = chunk.single_row_chunks();
  out.chunk_ids = single_rows ? nullptr : chunk_ids_.data();
  if (single_rows) out.one_chunk = false;
  inside_.receive(out);
  index_.clear();
  keys_.clear();
  causes_.clear();
  chunk_ids_.clear();
}

}  // namespace pollux
