// A bound expression: types are known, names are places. Evaluated over many rows at once.
//
// The rows come from a Frame: a set of sources, each a batch and the rows in it that count. A
// source that is absent (an unmatched side of an outer join, a state of a pattern that has no
// event) reads as null. Thread: the shard's; an expression owns its result buffer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/batch/event_batch.h"
#include "engine/expression/vec.h"

namespace pollux {

/// Row i of a source is rows[i], or begin + i without an index.
struct FrameSource {
  const EventBatch* batch = nullptr;  ///< nullptr: every value is null
  const uint32_t* rows = nullptr;
  uint32_t begin = 0;
  bool single = false;  ///< row 0 stands for all rows

  uint32_t row(uint32_t i) const {
    if (single) i = 0;
    return rows != nullptr ? rows[i] : begin + i;
  }
};

struct Frame {
  uint32_t rows = 0;
  const FrameSource* sources = nullptr;
  int64_t clock_ms = 0;  ///< the engine's time
};

class Expression {
 public:
  explicit Expression(AttributeType type) : type_(type) {}
  virtual ~Expression() = default;
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;

  AttributeType type() const { return type_; }

  /// Values for all rows of the frame; valid until the next call.
  virtual Vec evaluate(const Frame& frame) = 0;

  /// The one value of an expression that depends on nothing, else null pointer.
  virtual const Vec* constant() const { return nullptr; }

 private:
  AttributeType type_;
};

using ExpressionPtr =
    std::shared_ptr<Expression>;  // shared: `having` reuses what `select` computes

/// Attribute `column` of source `source`.
class ColumnExpression final : public Expression {
 public:
  ColumnExpression(AttributeType type, uint32_t source, uint32_t column)
      : Expression(type), source_(source), column_(column) {}

  uint32_t source() const { return source_; }
  uint32_t column() const { return column_; }
  Vec evaluate(const Frame& frame) override;

 private:
  uint32_t source_;
  uint32_t column_;
  VecBuffer buffer_;
};

class ConstantExpression final : public Expression {
 public:
  explicit ConstantExpression(const Value& value);
  /// A null of a type.
  static ExpressionPtr null_of(AttributeType type);

  Vec evaluate(const Frame&) override { return vec_; }
  const Vec* constant() const override { return &vec_; }

 private:
  explicit ConstantExpression(AttributeType type);

  alignas(16) std::byte storage_[16] = {};
  std::string text_;
  uint8_t null_ = 0;
  Vec vec_;
};

/// Row timestamps of a source, as long.
class TimestampExpression final : public Expression {
 public:
  explicit TimestampExpression(uint32_t source)
      : Expression(AttributeType::kLong), source_(source) {}
  Vec evaluate(const Frame& frame) override;

 private:
  uint32_t source_;
  VecBuffer buffer_;
};

/// Rows of the frame where `condition` holds (null counts as false), appended to `selected`.
void select_rows(Expression& condition, const Frame& frame, std::vector<uint32_t>& selected);

/// Appends the values to a column; strings are copied into `to` when `copy_strings`, else shared.
void append_vec(const Vec& values, uint32_t rows, EventBatch& to, size_t column, bool copy_strings);

}  // namespace pollux
