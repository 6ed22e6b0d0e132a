// What the expression windows ask of the rows they hold: a condition over the row that comes or
// goes, the first row, the last row, and aggregates over all of them.
//
// The aggregates are running ones: a row is taken in when it comes and out when it goes, so that a
// question costs the same however many rows are held. Thread: the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/operators/row_store.h"
#include "engine/operators/selector.h"

namespace pollux {

/// Places of the sources in the frame of such a condition, beside those of a selector.
struct HeldSource {
  static constexpr uint32_t kRow = SelectorSource::kInput;
  static constexpr uint32_t kFirst = 2;
  static constexpr uint32_t kLast = 3;
};

class HeldCondition {
 public:
  struct Plan {
    SchemaPtr schema;
    ExpressionPtr condition;  ///< a bool; null counts as false
    std::vector<SelectorPlan::Aggregate> aggregates;
    std::vector<uint32_t> columns;  ///< that are read, of any of the rows
  };
  struct Rows {
    Slot row;  ///< that comes or goes
    Slot first;
    Slot last;
  };

  explicit HeldCondition(Plan plan);

  const std::vector<uint32_t>& columns() const { return plan_.columns; }

  /// The row comes: does the condition hold with it? `group` numbers sets of rows that are held
  /// apart from each other.
  bool holds_with(uint32_t group, const RowStore& store, Rows rows, int64_t clock) {
    return ask(group, store, rows, clock, false);
  }
  /// The row goes: does the condition hold without it?
  bool holds_without(uint32_t group, const RowStore& store, Rows rows, int64_t clock) {
    return ask(group, store, rows, clock, true);
  }
  /// No row is held any more.
  void reset(uint32_t group);
  /// The group's number will be given to another one.
  void release(uint32_t group);
  size_t state_bytes() const;
  void archive(StateArchive& archive);

 private:
  bool ask(uint32_t group, const RowStore& store, Rows rows, int64_t clock, bool goes);
  void read(const RowStore& store, Slot slot, EventBatch& to) const;

  Plan plan_;
  EventBatch row_, first_, last_;
  EventBatch results_;  ///< of the aggregates, one column each
  std::vector<uint32_t> selected_;
};

/// Makes conditions of texts that come with the rows.
class HeldConditions {
 public:
  virtual ~HeldConditions() = default;
  /// Null when the text is no condition over the window's rows.
  virtual std::unique_ptr<HeldCondition> make(std::string_view text) = 0;
};

}  // namespace pollux
