// A frame for functions that work row by row: evaluates the arguments, offers them as scalars, and
// collects one result or null a row.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/batch/arena.h"
#include "engine/expression/expression.h"

namespace pollux {

/// The arguments of one row.
class RowArguments {
 public:
  RowArguments(const std::vector<Vec>& vecs, const Frame& frame) : vecs_(vecs), frame_(frame) {}

  size_t size() const { return vecs_.size(); }
  AttributeType type(size_t i) const { return vecs_[i].type; }
  bool is_null(size_t i) const { return vecs_[i].is_null(row_); }
  template <class T>
  const T& get(size_t i) const {
    return vecs_[i].at<T>(row_);
  }
  std::string_view text(size_t i) const { return vecs_[i].at<StringRef>(row_).view(); }
  /// An int or long as long.
  int64_t integer(size_t i) const {
    return type(i) == AttributeType::kInt ? get<int32_t>(i) : get<int64_t>(i);
  }
  double number(size_t i) const;
  /// Any value as text ("null" for null).
  std::string to_text(size_t i) const;
  /// Any value as an object; a null's is the null object.
  std::string to_object(size_t i) const;
  /// The object that stands in place of a null; an empty view where there is none.
  StringRef stray(size_t i) const { return vecs_[i].stray(row_); }
  int64_t clock_ms() const { return frame_.clock_ms; }
  /// Of the row's timestamp and of what is kept of its values.
  uint64_t row_hash() const;

  void set_row(uint32_t row) { row_ = row; }

 private:
  const std::vector<Vec>& vecs_;
  const Frame& frame_;
  uint32_t row_ = 0;
};

/// Where a row's result goes; nothing put means null.
class RowResult {
 public:
  RowResult(VecBuffer& buffer, Arena& arena, AttributeType type, uint32_t rows);

  template <class T>
  void put(T value) {
    reinterpret_cast<T*>(values_)[row_] = value;
    nulls_[row_] = 0;
  }
  void put_text(std::string_view text) { put(arena_.store(text)); }
  /// An encoded object; the null object is null.
  void put_object(std::string_view object);
  /// What was too large or too deep to be made is null.
  void put_made(const std::optional<std::string>& object) {
    if (object) put_object(*object);
  }
  /// Null, with an object beside it (see Column).
  void put_stray(std::string_view object);
  /// Argument `i`, which must be of the result's type.
  void put_argument(const RowArguments& arguments, size_t i);

  void set_row(uint32_t row) {
    row_ = row;
    nulls_[row] = 1;
  }
  Vec vec(uint32_t rows) const;

 private:
  AttributeType type_;
  VecBuffer& buffer_;
  uint32_t rows_;
  std::byte* values_;
  uint8_t* nulls_;
  StringRef* strays_ = nullptr;
  Arena& arena_;
  uint32_t row_ = 0;
};

using RowFunction = std::function<void(const RowArguments&, RowResult&)>;

/// An expression of `type` that calls `body` for each row. `pure` calls with constant arguments
/// are made once a batch.
ExpressionPtr make_row_function(AttributeType type, std::vector<ExpressionPtr> arguments,
                                RowFunction body);

}  // namespace pollux
