// Finding the held rows that go with a row: in a table, or in the window of a join's other side.
//
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/operators/chunk.h"
#include "engine/operators/row_store.h"
#include "engine/operators/table.h"
#include "engine/operators/window.h"

namespace pollux {

/// Which held rows go with row `row` of a chunk; kNoSlot stands for "none" in outer joins.
struct Match {
  uint32_t row;
  Slot slot;
};

/// Places of the sources in the frame of a condition.
struct SearchSource {
  static constexpr uint32_t kRow = 0;   ///< the row that searches
  static constexpr uint32_t kHeld = 1;  ///< the rows that are searched
};

/// A condition over the searching row and the held rows, with what an index can answer of it.
struct SearchCondition {
  /// How the candidates are found; the key is computed from the searching row.
  enum class Access : uint8_t { kAll, kPrimaryKey, kIndex };
  Access access = Access::kAll;
  size_t index_column = 0;
  std::vector<ExpressionPtr> key;
  ExpressionPtr rest;  ///< what is left to be checked; null: nothing
};

class Searched {
 public:
  virtual ~Searched() = default;
  /// Appends the matches of all rows of the chunk, by row, then oldest first.
  virtual void find(const Chunk& chunk, std::vector<Match>& matches) = 0;
  virtual const RowStore& store() const = 0;
};

/// Checks candidates against the rest of a condition.
class MatchFilter {
 public:
  explicit MatchFilter(SchemaPtr held) : held_(std::move(held)) {}
  /// Removes the matches from `first` on that fail the condition.
  void filter(const Chunk& chunk, const RowStore& store, Expression& condition, size_t first,
              int64_t now, std::vector<Match>& matches);

 private:
  EventBatch held_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> rows_, picked_;
};

class TableSearch final : public Searched {
 public:
  TableSearch(Table& table, SearchCondition condition, PlanContext& context);
  void find(const Chunk& chunk, std::vector<Match>& matches) override;
  const RowStore& store() const override { return table_.store(); }

 private:
  Table& table_;
  SearchCondition condition_;
  PlanContext& context_;
  KeyEncoder encoder_;
  MatchFilter filter_;
  std::vector<Vec> keys_;
  std::vector<Slot> all_;
};

/// The other side of a join holds nothing.
class EmptySearch final : public Searched {
 public:
  EmptySearch(SchemaPtr schema, PlanContext& context)
      : store_(schema, std::vector<bool>(schema->size(), true), context.strings()) {}
  void find(const Chunk&, std::vector<Match>&) override {}
  const RowStore& store() const override { return store_; }

 private:
  RowStore store_;
};

class WindowSearch final : public Searched {
 public:
  /// `named`: the window stands outside of partitions, and is the same for all instances.
  WindowSearch(WindowOperator& window, bool named, ExpressionPtr condition, PlanContext& context);
  void find(const Chunk& chunk, std::vector<Match>& matches) override;
  const RowStore& store() const override { return window_.store(); }

 private:
  WindowOperator& window_;
  bool named_;
  ExpressionPtr condition_;
  PlanContext& context_;
  MatchFilter filter_;
  std::vector<Slot> contents_;
};

}  // namespace pollux
