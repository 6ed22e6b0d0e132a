// One unit of an aggregation, its hours say: a row for each hour and group that had events.
//
// A row has running aggregates (the measures) and the last values of plain expressions: those of
// the event with the greatest time, of the later one among equals. Every unit takes every event
// itself, so late events count like all others, in the bucket of their time. Thread: the shard's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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
      kLatest,   ///< only of what is stored: the time of the event whose values are kept
    };
    Source source = Source::kKept;
    size_t index = 0;
    size_t count = 0;
  };
  /// A row as a record store keeps it, from which a bucket can go on. Every kept value and every
  /// measure stands in a column of its own.
  struct Stored {
    SchemaPtr schema;   ///< AGG_TIMESTAMP, then the columns; null: nothing is stored
    SchemaPtr changes;  ///< the same, then pollux_erased
    std::vector<Output> columns;
    std::vector<size_t> keys;  ///< columns that tell the groups apart, as `group_by`
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
  Stored stored;
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
  void gather(const Found* found, uint32_t count, EventBatch& out) const {
    gather(found, count, plan_.outputs, out);
  }

  // ---- stored_buckets.cc: what a record store keeps of it ----

  bool has_changes() const { return !changed_.empty() || !leaving_.empty(); }
  /// Rows of purged buckets that changed before they were: nothing else knows them.
  bool has_leaving() const { return !leaving_.empty(); }
  /// Hands out the rows that events have changed, in batches of `changes`, and forgets that they
  /// are changed.
  void take_changes(const std::function<void(EventBatchPtr)>& take);
  /// Rows of a store. Returns what is wrong with them; then this must not be used.
  std::string fill(const EventBatch& rows);
  /// All that another's rows are, and which of them are changed. This is as new.
  std::string take_over(const AggregationBuckets& from);
  /// Buckets that began before it may have had rows that are not here.
  int64_t whole_from() const { return whole_from_ms_; }
  void set_whole_from(int64_t from_ms) { whole_from_ms_ = std::max(whole_from_ms_, from_ms); }
  void archive_changes(StateArchive& archive);

  CalendarUnit unit() const { return unit_; }
  /// The beginning of the latest bucket.
  std::optional<int64_t> latest_bucket() const {
    return buckets_.empty() ? std::nullopt : std::optional(buckets_.rbegin()->first);
  }
  size_t state_bytes() const;
  void archive(StateArchive& archive);

 private:
  struct Bucket {
    uint32_t number = 0;  ///< tells equal groups of different buckets apart
    std::vector<uint32_t> rows;
    void archive(StateArchive& archive) { archive(number, rows); }
  };

  static constexpr uint32_t kStoredBatchRows = 4096;

  void gather(const Found* found, uint32_t count,
              const std::vector<AggregationPlan::Output>& outputs, EventBatch& out) const;
  /// Some of the rows that are found, as the store keeps them, with strings of their own.
  std::shared_ptr<EventBatch> stored_rows(const Found* found, uint32_t count,
                                          const SchemaPtr& schema) const;
  void note_change(int64_t from_ms, uint32_t row);
  /// Rows of buckets that began before `from_ms` and are changed: their last word.
  void let_leave(int64_t from_ms);
  /// A row of nulls, which is new; kNone when it is there already.
  uint32_t add_row(int64_t from_ms, const StringRef& key);
  bool is_row(const Found& found) const;

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
  std::vector<int64_t> froms_;          ///< their buckets' beginnings
  std::vector<Column> unread_;          ///< what measures give step by step
  std::vector<Found> changed_;          ///< stored: since that was said last, in order
  std::vector<bool> is_changed_;        ///< by row
  std::vector<EventBatchPtr> leaving_;  ///< gone with the entry in hand
  int64_t whole_from_ms_ = INT64_MIN;
};

}  // namespace pollux
