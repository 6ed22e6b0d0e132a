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
  void archive(StateArchive& archive) {
    TimerOperator::archive(archive);
    archive(armed_);
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

void Partition::archive_state(StateArchive& archive) {
  archive(instances_, last_seen_ms_, known_);
  archive.list(live_, [&](uint32_t& instance) { archive.index(instance, known_.size()); });
  if (last_seen_ms_.size() < known_.size()) archive.fail();
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
    for (size_t r = 0; r < ranges_.size(); ++r) {
      if (conditions[r].is_null(i) || conditions[r].at<uint8_t>(i) == 0) continue;
      uint32_t instance = partition_.number_of(StringRef(ranges_[r].key));
      begin_piece(chunk, i, instance);
      partition_.see(instance, context_.clock_at(chunk, i));
      add(chunk, i, instance);
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
      for (const std::string& key : keys_of(chunk, i)) {
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
  for (uint32_t i : rows) {
    index.push_back(chunk.row(i));
    causes.push_back(chunk.cause(i));
  }
  std::vector<uint32_t> keys(rows.size(), instance);
  Chunk piece;
  piece.batch = chunk.batch;
  piece.rows = static_cast<uint32_t>(rows.size());
  piece.index = index.data();
  piece.one_chunk = true;
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
