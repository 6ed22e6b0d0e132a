// One unit of an aggregation, its hours say: a row for each hour and group that had events.
//
// A row has running aggregates (the measures) and the last values of plain expressions: those of
// the event with the greatest time, of the later one among equals. Every unit takes every event
// itself, so late events count like all others, in the bucket of their time. Thread: the shard's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/calendar_unit.h"
#include "engine/expression/expression.h"
#include "engine/operators/aggregator.h"
#include "engine/operators/group_table.h"
#include "engine/operators/row_store.h"

namespace pollux {

struct AggregationPlan {
  /// An aggregate that is kept for each bucket and group.
  struct Measure {
    std::string function;    ///< as find_aggregator() knows it
    ExpressionPtr argument;  ///< null for count
    std::string attribute;   ///< that the argument is; empty for count
  };
  /// An attribute that is read.
  struct Output {
    enum class Source : uint8_t {
      kKept,     ///< `index` into `kept`
      kMeasure,  ///< `index` into `measures`
      kCount32,  ///< the same, as an int
      kMean,     ///< measure `index` over measure `count`
    };
    Source source = Source::kKept;
    size_t index = 0;
    size_t count = 0;
  };
  struct Unit {
    CalendarUnit unit;
    int64_t retention_ms = -1;  ///< buckets that began earlier are purged; -1: never
  };

  SchemaPtr schema;         ///< of what is read: AGG_TIMESTAMP, then one attribute for each output
  std::vector<Unit> units;  ///< finest first
  ExpressionPtr time;       ///< an event's time, a long; null: the plan's clock when it comes
  std::vector<ExpressionPtr> group_by;
  std::vector<ExpressionPtr> kept;
  std::vector<Measure> measures;
  std::vector<Output> outputs;
  int64_t purge_interval_ms = 0;  ///< 0: nothing is purged
};

class AggregationBuckets {
 public:
  /// Events, with what the plan's expressions gave for them.
  struct Events {
    uint32_t count = 0;
    const int64_t* times = nullptr;
    const StringRef* keys = nullptr;  ///< the groups'
    const Vec* kept = nullptr;
    const Vec* arguments = nullptr;  ///< one a measure
  };
  /// A row: its bucket's beginning, and its number.
  struct Found {
    int64_t from_ms;
    uint32_t row;
  };

  /// The plan outlives this.
  AggregationBuckets(const AggregationPlan& plan, CalendarUnit unit, StringPool& strings);

  void take(const Events& events);
  /// Drops the buckets that began before `from_ms`.
  void purge(int64_t from_ms);
  /// Appends the rows of buckets that began in the range: by time, then in order of their groups'
  /// first events.
  void find(const TimeRange& range, std::vector<Found>& found) const;
  /// Appends what is read of rows to a batch of the plan's schema; timestamps are the buckets'
  /// beginnings. Strings stay here.
  void gather(const Found* found, uint32_t count, EventBatch& out) const;

  CalendarUnit unit() const { return unit_; }
  size_t state_bytes() const;
  void archive(StateArchive& archive);

 private:
  struct Bucket {
    uint32_t number = 0;  ///< tells equal groups of different buckets apart
    std::vector<uint32_t> rows;
    void archive(StateArchive& archive) { archive(number, rows); }
  };

  /// Every bucket's rows are there, and its own.
  bool is_whole() const;
  Bucket& bucket_at(int64_t from_ms);
  void keep(const Events& events);

  const AggregationPlan& plan_;
  CalendarUnit unit_;
  std::map<int64_t, Bucket> buckets_;  ///< by beginning
  std::vector<uint32_t> free_numbers_;
  uint32_t next_number_ = 0;
  GroupTable groups_;        ///< group and bucket to row
  RowStore kept_;            ///< timestamp: the time of the event whose values it has
  std::vector<Slot> slots_;  ///< by row, in `kept_`
  std::vector<std::unique_ptr<Aggregator>> measures_;
  std::vector<uint32_t> rows_, numbers_;  ///< of the events in hand
  std::vector<Bucket*> buckets_of_;
  std::vector<Column> unread_;  ///< what measures give step by step
};

}  // namespace pollux
