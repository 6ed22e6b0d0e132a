// A partition: rows get the number of the instance they belong to; operators inside keep their
// state by that number.
//
// A row belongs to the instance of its key's value, or to those of all ranges it lies in. Rows of
// a stream without a key go to every live instance. Idle instances can be purged.
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/operators/chunk.h"
#include "engine/operators/group_table.h"
#include "engine/operators/junction.h"
#include "engine/operators/plan_context.h"
#include "engine/operators/sweeper.h"

namespace pollux {

class Partition final : public Stateful {
 public:
  struct Purge {
    int64_t interval_ms = 0;
    int64_t idle_ms = 0;
  };

  Partition(PlanContext& context, std::optional<Purge> purge);

  /// An operator inside, whose state goes with an instance.
  void add_operator(KeyedOperator& inside) { operators_.push_back(&inside); }

  uint32_t instance_of(const StringRef& key, int64_t clock) {
    uint32_t instance = instances_.find_or_insert(key, 0);
    see(instance, clock);
    return instance;
  }
  /// The instance of a key; it must be see()n.
  uint32_t number_of(const StringRef& key) { return instances_.find_or_insert(key, 0); }
  /// The instances of many keys; each must be see()n in the order of its row.
  void instances_of(const StringRef* keys, uint32_t count, uint32_t* instances) {
    instances_.find_or_insert_many(keys, nullptr, count, instances);
  }
  /// A row belongs to the instance, which begins if it is new.
  void see(uint32_t instance, int64_t clock);
  /// In order of their beginning.
  const std::vector<uint32_t>& live() const { return live_; }
  size_t state_bytes() const;
  void archive_state(StateArchive& archive) override;

 private:
  bool purge(int64_t now);
  bool evict();
  /// Ends all instances but those in `kept`, which is in order of their beginning.
  void keep_only(std::vector<uint32_t> kept);

  PlanContext& context_;
  std::optional<Purge> purge_;
  Sweeper bounder_;
  std::optional<Sweeper> purger_;
  GroupTable instances_;
  std::vector<int64_t> last_seen_ms_;
  std::vector<bool> known_;
  std::vector<uint32_t> live_;
  std::vector<KeyedOperator*> operators_;
};

/// The way of one stream into a partition.
class PartitionInput final : public Receiver {
 public:
  struct Range {
    ExpressionPtr condition;
    std::string key;
  };
  /// By `value` (a string), by `ranges`, or, with neither, to every live instance.
  PartitionInput(Partition& partition, PlanContext& context, ExpressionPtr value,
                 std::vector<Range> ranges, SchemaPtr schema);

  Junction& inside() { return inside_; }
  void receive(const Chunk& chunk) override;

 private:
  void by_value(const Chunk& chunk);
  void by_plain_value(const Chunk& chunk, const StringRef* keys);
  void by_ranges(const Chunk& chunk);
  void to_all(const Chunk& chunk);
  void in_loop(const Chunk& chunk);
  std::vector<std::string> keys_of(const Chunk& chunk, uint32_t i) const;
  void hand_on_piece(const Chunk& chunk, const std::vector<uint32_t>& rows, uint32_t instance);
  void begin_piece(const Chunk& chunk, uint32_t i, uint32_t key);
  void add(const Chunk& chunk, uint32_t i, uint32_t key);
  void hand_on(const Chunk& chunk);

  Partition& partition_;
  PlanContext& context_;
  ExpressionPtr value_;
  std::vector<Range> ranges_;
  Junction inside_;
  std::vector<uint32_t> instances_;
  std::vector<uint32_t> index_, keys_, causes_, chunk_ids_;
  std::vector<uint8_t> kinds_;
  uint32_t chunk_id_ = 0;
  uint32_t last_row_ = 0;
};

}  // namespace pollux
