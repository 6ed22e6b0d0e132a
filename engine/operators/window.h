// Windows: which rows are held, when they leave, and in which chunks they go on.
//
// The rows held stand in a RowStore. What goes on, current and expired rows with the resets of
// batch windows, is collected while a chunk is worked on and handed on as one chunk.
// Semantics: reference of SiddhiQL, windows. Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/cron.h"
#include "engine/base/ring.h"
#include "engine/operators/chunk.h"
#include "engine/operators/group_table.h"
#include "engine/operators/plan_context.h"
#include "engine/operators/row_store.h"

namespace pollux {

class BatchSelector;
class HeldCondition;
class HeldConditions;

struct WindowPlan {
  enum class Kind : uint8_t {
    kNone,  ///< a side of a join without a window: holds nothing
    kLength,
    kLengthBatch,
    kTime,
    kTimeBatch,
    kExternalTime,
    kExternalTimeBatch,
    kTimeLength,
    kDelay,
    kSort,
    kBatch,
    kCron,
    kExpression,
    kExpressionBatch,
    kFrequent,
    kLossyFrequent,
    kSession,
    kUnique,        ///< the last row of each key
    kFirstUnique,   ///< the first row of each key
    kUniqueLength,  ///< as length, one row a key
    kUniqueTime,    ///< as time, one row a key
    kReorder,       ///< the stream processor reorder:kslack
    kDeduplicate,   ///< the stream processor unique:deduplicate
  };
  struct SortKey {
    uint32_t column;
    bool descending;
  };

  /// All rows go on as they come, and leave one by one.
  bool slides() const {
    switch (kind) {
      case Kind::kLength:
      case Kind::kTime:
      case Kind::kExternalTime:
      case Kind::kTimeLength:
      case Kind::kSort:
      case Kind::kUnique:
      case Kind::kUniqueLength:
      case Kind::kUniqueTime:
        return true;
      case Kind::kExpression:
        return condition != nullptr;  // a text may be none, and its row goes nowhere
      default:
        return false;
    }
  }
  /// Rows that leave are to be taken out of aggregates: no reset does it.
  bool retracts() const {
    return slides() || kind == Kind::kExpression || kind == Kind::kExpressionBatch ||
           kind == Kind::kFrequent || kind == Kind::kLossyFrequent || kind == Kind::kSession;
  }

  Kind kind = Kind::kNone;
  SchemaPtr schema;
  std::vector<bool> kept;             ///< columns that somebody reads
  std::vector<uint32_t> own_columns;  ///< those that the window itself reads of rows it holds
  bool expired_wanted = true;         ///< leaving rows are handed on
  bool searched = false;              ///< a join looks into it
  int64_t extent = 0;                 ///< rows, or milliseconds
  std::optional<int64_t> rows_max;    ///< timeLength
  std::vector<SortKey> sort_keys;     ///< sort
  std::optional<CronSchedule> cron;   ///< cron
  ExpressionPtr time;                 ///< external windows: the time attribute
  bool has_start = false;
  int64_t start_ms = 0;
  ExpressionPtr start_attribute;     ///< externalTimeBatch: the first row's value is the start
  int64_t timeout_ms = 0;            ///< externalTimeBatch, reorder; 0: none
  int64_t slack_max_ms = INT64_MAX;  ///< reorder
  bool drop_late = false;            ///< reorder: rows whose time has passed
  int32_t replace_column = -1;  ///< externalTimeBatch: the time attribute becomes the batch's end
  bool stream_current = false;  ///< batch windows: rows go on as they come
  bool resets_at_once = false;  ///< a reset goes on even when no row goes with it
  /// What tells rows apart where the window looks at that; null is a value of its own.
  std::vector<ExpressionPtr> row_keys;
  bool first_of_key = false;  ///< batches of one row a key: the first row stays, else the last
  int64_t latency_ms = 0;     ///< session: how much later than its end rows may still come
  double support = 0;         ///< lossyFrequent
  double error = 0;           ///< lossyFrequent
  /// expression, expressionBatch: what holds of the rows that are held ...
  std::shared_ptr<HeldCondition> condition;  // shared: a plan of a window can be copied
  /// ... or the text of it, row by row, and who makes conditions of texts.
  ExpressionPtr condition_text;
  HeldConditions* conditions = nullptr;
  ExpressionPtr include_last;  ///< expressionBatch: the row that ends a batch goes with it
  /// Batch windows: takes the rows as they come, in place of the window's store.
  BatchSelector* fold = nullptr;

  /// Adds the window's own columns to those that are kept.
  void keep_own_columns() {
    for (uint32_t column : own_columns) kept[column] = true;
  }
};

class WindowOperator : public Receiver, public KeyedOperator {
 public:
  ~WindowOperator() override;

  static std::unique_ptr<WindowOperator> make(WindowPlan plan, PlanContext& context,
                                              Receiver& next);

  void receive(const Chunk& chunk) override;
  void drop_key(uint32_t key) override;
  size_t state_bytes() const override;
  void archive_state(StateArchive& archive) override;

  /// For joins: the rows that the window holds now, oldest first.
  virtual void contents(uint32_t key, std::vector<Slot>& slots) = 0;
  const RowStore& store() const { return store_; }

 protected:
  WindowOperator(WindowPlan plan, PlanContext& context, Receiver& next);

  /// A deadline of the instance has come.
  virtual void on_deadline(uint32_t /*key*/) {}
  void schedule(uint32_t key, int64_t deadline_ms);

  const WindowPlan& plan() const { return plan_; }
  PlanContext& context() { return context_; }
  RowStore& rows() { return store_; }
  /// Loading: a slot that stands in the state must be one of the store's.
  void check_slot(StateArchive& archive, Slot slot) const {
    if (archive.loads() && !store_.has_slot(slot)) archive.fail();
  }
  void check_slots(StateArchive& archive, const std::vector<Slot>& slots) const {
    for (Slot slot : slots) check_slot(archive, slot);
  }

  /// What tells the row that enters apart from others; see WindowPlan::row_keys.
  const StringRef& row_key() const { return row_keys_[row_in_hand_]; }

  /// A row enters; `time` is the external time, else the row's timestamp.
  virtual void enter(uint32_t key, Slot slot, int64_t time, int64_t clock) = 0;
  /// The rows of a chunk have entered.
  virtual void end_chunk(uint32_t /*key*/, int64_t /*clock*/) {}
  virtual void release_key(uint32_t key) = 0;
  /// What the kind of window knows of the rows that it holds.
  virtual void archive_held(StateArchive& archive) = 0;
  /// What a chunk of several rows is cut into goes on one by one: what one brings about comes
  /// before the next.
  virtual bool cuts_go_alone() const { return false; }

  void emit_current(uint32_t key, Slot slot);
  /// A row that goes on late.
  void emit_current_at(uint32_t key, Slot slot, int64_t clock);
  void emit_expired(uint32_t key, Slot slot, int64_t clock);
  /// Aggregations start afresh before what is emitted next, or behind the last.
  void emit_reset() { reset_pending_ = true; }
  /// The same, where it must not wait for a row: `slot` is any row of the instance.
  void emit_reset_at_once(uint32_t key, Slot slot);
  /// What is emitted from here on is another chunk.
  void cut_chunk();
  /// The same, and it goes on by itself.
  void cut_output() {
    cut_chunk();
    ++output_id_;
  }
  /// Where a batch is folded as it comes: what the window takes for a slot is the row in hand.
  void fold_row(Slot row);
  void end_fold();
  /// The row is gone once what was emitted has been handed on.
  void release_later(Slot slot) { released_.push_back(slot); }
  /// The row in hand has no place in the window.
  void drop(Slot slot) {
    ++context_.counts().rows_without_window;
    release_later(slot);
  }

 private:
  class Timer;

  /// What goes on, row by row.
  struct Emitted {
    std::vector<Slot> slots;
    std::vector<uint8_t> kinds;
    std::vector<uint32_t> chunk_ids, output_ids, keys, causes;
    std::vector<int64_t> times;

    void clear();
  };

  void emit(uint32_t key, Slot slot, uint8_t kind, int64_t timestamp);
  void hand_on();
  void hand_on(const Emitted& emitted, const EventBatch& batch);
  void hand_on_in_loop();
  void release();
  void find_row_keys(const Chunk& chunk);

  WindowPlan plan_;
  PlanContext& context_;
  Receiver& next_;
  std::unique_ptr<Timer> timer_;  ///< only where the kind of window waits for time
  RowStore store_;
  EventBatch out_;
  Emitted emitted_;
  std::vector<Slot> released_;
  uint32_t chunk_id_ = 0;
  uint32_t output_id_ = 0;  ///< of what goes on together
  uint32_t cause_ = 0;
  const Chunk* in_hand_ = nullptr;
  KeyEncoder encoder_;
  std::vector<Vec> key_values_;
  const StringRef* row_keys_ = nullptr;  ///< by row of the chunk in hand
  uint32_t row_in_hand_ = 0;
  bool in_row_ = false;
  bool reset_pending_ = false;
  bool several_rows_ = false;  ///< chunks of several rows are being taken
};

}  // namespace pollux
