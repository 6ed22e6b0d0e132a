#include "engine/operators/partition.h"

#include <algorithm>
#include <utility>

#include "engine/base/time_distance.h"

namespace pollux {

Partition::Partition(PlanContext& context, std::optional<Purge> purge)
    : context_(context),
      purge_(purge),
      bounder_(context, Sweeper::kPeriodMs, [this](int64_t) { return evict(); }),
      instances_(context.strings()) {
  if (!purge_) return;
  purger_.emplace(context, purge_->interval_ms, [this](int64_t now) { return this->purge(now); });
}

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
    bounder_.arm(clock);
  }
  last_seen_ms_[instance] = clock;
}

/// Ends the instances that have been idle for too long.
bool Partition::purge(int64_t now) {
  std::vector<uint32_t> kept;
  for (uint32_t instance : live_) {
    bool idle = time_distance(now, last_seen_ms_[instance]) > purge_->idle_ms;
    if (!idle) kept.push_back(instance);
  }
  context_.counts().instances_purged += live_.size() - kept.size();
  keep_only(std::move(kept));
  return !live_.empty();
}

/// Too many instances: those that have been idle longest end, and some more than need be, so that
/// this does not come up at once again.
bool Partition::evict() {
  uint64_t most = context_.limits().partition_instances;
  if (live_.size() <= most) return false;
  uint64_t many = live_.size() - most + most / 16;
  std::vector<uint32_t> by_age(live_.size());
  for (uint32_t place = 0; place < by_age.size(); ++place) by_age[place] = place;
  auto idle_longer = [this](uint32_t a, uint32_t b) {
    return std::pair(last_seen_ms_[live_[a]], a) < std::pair(last_seen_ms_[live_[b]], b);
  };
  auto end = by_age.begin() + static_cast<std::ptrdiff_t>(many);
  std::nth_element(by_age.begin(), end, by_age.end(), idle_longer);
  std::vector<uint32_t> places(end, by_age.end());
  std::sort(places.begin(), places.end());
  std::vector<uint32_t> kept;
  for (uint32_t place : places) kept.push_back(live_[place]);
  context_.counts().instances_evicted += many;
  keep_only(std::move(kept));
  return false;
}

void Partition::keep_only(std::vector<uint32_t> kept) {
  if (kept.size() == live_.size()) return;
  std::vector<bool> dropped = known_;
  for (uint32_t instance : kept) dropped[instance] = false;
  for (KeyedOperator* inside : operators_) inside->drop_keys(dropped);
  for (uint32_t instance : live_) {
    if (!dropped[instance]) continue;
    instances_.release(instance);
    known_[instance] = false;
  }
  live_ = std::move(kept);
}

void Partition::archive_state(StateArchive& archive) {
  archive(instances_, last_seen_ms_, known_);
  archive.list(live_, [&](uint32_t& instance) { archive.index(instance, known_.size()); });
  if (last_seen_ms_.size() < known_.size()) archive.fail();
  archive(bounder_);
  if (purger_) archive(*purger_);
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
  if (context_.loops()) return in_loop(chunk);
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

/// A chunk goes on in pieces of one instance each. What the rows before bring about comes before
/// the next instance begins.
void PartitionInput::begin_piece(const Chunk& chunk, uint32_t i, uint32_t key) {
  bool together = !keys_.empty() && keys_.back() == key && i > last_row_ &&
                  (chunk.chunk_ids != nullptr ? chunk.chunk_ids[i] == chunk.chunk_ids[last_row_]
                                              : chunk.one_chunk);
  if (!together) {
    // What goes to several instances goes through all queries of one before those of the next.
    if (!value_ || !chunk.single_row_chunks()) hand_on(chunk);
    ++chunk_id_;
  }
}

void PartitionInput::add(const Chunk& chunk, uint32_t i, uint32_t key) {
  last_row_ = i;
  index_.push_back(chunk.row(i));
  kinds_.push_back(chunk.kind(i));
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
    if (keys.is_null(i)) {  // a row without a key is in no instance
      ++context_.counts().rows_without_key;
      continue;
    }
    uint32_t instance = partition_.number_of(keys.at<StringRef>(i));
    begin_piece(chunk, i, instance);
    partition_.see(instance, context_.clock_at(chunk, i));
    add(chunk, i, instance);
  }
}

/// Every row has a key. Rows that are chunks of their own go on as they came.
void PartitionInput::by_plain_value(const Chunk& chunk, const StringRef* keys) {
  instances_.resize(chunk.rows);
  partition_.instances_of(keys, chunk.rows, instances_.data());
  bool single_rows = chunk.single_row_chunks();
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    if (!single_rows) begin_piece(chunk, i, instances_[i]);
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
    bool taken = false;
    for (size_t r = 0; r < ranges_.size(); ++r) {
      if (conditions[r].is_null(i) || conditions[r].at<uint8_t>(i) == 0) continue;
      taken = true;
      uint32_t instance = partition_.number_of(StringRef(ranges_[r].key));
      begin_piece(chunk, i, instance);
      partition_.see(instance, context_.clock_at(chunk, i));
      add(chunk, i, instance);
    }
    if (!taken) ++context_.counts().rows_without_key;
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
      for (uint32_t i = begin; i < end; ++i) {
        begin_piece(chunk, i, instance);
        add(chunk, i, instance);
      }
    }
    hand_on(chunk);
    begin = end;
  }
}

/// In a plan that feeds itself rows may come while those of another chunk are on their way: nothing
/// is kept in hand, and an instance begins when its first rows go to it.
void PartitionInput::in_loop(const Chunk& chunk) {
  for (uint32_t begin = 0, end = 0; begin < chunk.rows; begin = end) {
    ++end;
    while (end < chunk.rows && chunk.continues(end)) ++end;
    std::vector<uint32_t> rows;
    if (!value_ && ranges_.empty()) {
      for (uint32_t i = begin; i < end; ++i) rows.push_back(i);
      const std::vector<uint32_t> live = partition_.live();
      for (uint32_t instance : live) hand_on_piece(chunk, rows, instance);
      continue;
    }
    std::string current;
    auto end_piece = [&] {
      if (rows.empty()) return;
      int64_t clock = context_.clock_at(chunk, rows[0]);
      hand_on_piece(chunk, rows, partition_.instance_of(StringRef(current), clock));
      rows.clear();
    };
    for (uint32_t i = begin; i < end; ++i) {
      const std::vector<std::string> keys = keys_of(chunk, i);
      if (keys.empty()) ++context_.counts().rows_without_key;
      for (const std::string& key : keys) {
        if (key != current) end_piece();
        current = key;
        if (rows.empty() || rows.back() != i) rows.push_back(i);
      }
    }
    end_piece();
  }
}

std::vector<std::string> PartitionInput::keys_of(const Chunk& chunk, uint32_t i) const {
  FrameSource source{chunk.batch, nullptr, chunk.row(i), false};
  Frame frame{1, &source, context_.now()};
  std::vector<std::string> keys;
  if (value_) {
    Vec value = value_->evaluate(frame);
    if (!value.is_null(0)) keys.emplace_back(value.at<StringRef>(0).view());
  }
  for (const Range& range : ranges_) {
    Vec truth = range.condition->evaluate(frame);
    if (!truth.is_null(0) && truth.at<uint8_t>(0) != 0) keys.push_back(range.key);
  }
  return keys;
}

void PartitionInput::hand_on_piece(const Chunk& chunk, const std::vector<uint32_t>& rows,
                                   uint32_t instance) {
  std::vector<uint32_t> index, causes;
  std::vector<uint8_t> kinds;
  for (uint32_t i : rows) {
    index.push_back(chunk.row(i));
    kinds.push_back(chunk.kind(i));
    causes.push_back(chunk.cause(i));
  }
  std::vector<uint32_t> keys(rows.size(), instance);
  Chunk piece;
  piece.batch = chunk.batch;
  piece.rows = static_cast<uint32_t>(rows.size());
  piece.index = index.data();
  piece.one_chunk = true;
  if (chunk.kinds != nullptr) piece.kinds = kinds.data();
  piece.keys = keys.data();
  piece.causes = causes.data();
  piece.strings_shared = chunk.strings_shared;
  inside_.receive(piece);
}

void PartitionInput::hand_on(const Chunk& chunk) {
  if (index_.empty()) return;
  Chunk out = chunk;
  out.rows = static_cast<uint32_t>(index_.size());
  out.index = index_.data();
  out.begin = 0;
  out.kinds = chunk.kinds != nullptr ? kinds_.data() : nullptr;
  out.output_ids = nullptr;  // each instance puts out on its own
  out.keys = keys_.data();
  out.causes = causes_.data();
  bool single_rows = chunk.single_row_chunks();
  out.chunk_ids = single_rows ? nullptr : chunk_ids_.data();
  if (single_rows) out.one_chunk = false;
  inside_.receive(out);
  index_.clear();
  kinds_.clear();
  keys_.clear();
  causes_.clear();
  chunk_ids_.clear();
}

}  // namespace pollux
