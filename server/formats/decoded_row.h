// One row's values before it is known to be whole: only a whole row reaches a batch.
//
// Texts are views into the reader's buffers and end with its next read. Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/batch/event_batch.h"
#include "server/formats/field_text.h"
#include "server/formats/row_error.h"
#include "server/formats/row_layout.h"

namespace pollux {

class DecodedRow {
 public:
  /// `layout` must outlive the row.
  explicit DecodedRow(const RowLayout& layout);

  /// Forgets the last row: constants are present, all else is missing.
  void clear() { cells_ = initial_; }

  bool has(size_t attribute) const { return cells_[attribute].present; }
  bool is_constant(size_t attribute) const { return initial_[attribute].present; }
  void set_null(size_t attribute) { cells_[attribute] = {.present = true, .null = true}; }
  void set_text(size_t attribute, std::string_view text) {
    cells_[attribute] = {.present = true, .null = false, .text = text};
  }
  /// An encoded object (engine/types/object_value.h), for an attribute of that type.
  void set_object(size_t attribute, std::string object) {
    if (objects_.size() <= attribute) objects_.resize(cells_.size());
    objects_[attribute] = std::move(object);
    set_text(attribute, objects_[attribute]);
  }
  void set_int(size_t attribute, int64_t value) { number(attribute).integer = value; }
  void set_double(size_t attribute, double value) { number(attribute).float64 = value; }
  void set_float(size_t attribute, float value) { number(attribute).float32 = value; }
  void set_bool(size_t attribute, bool value) { number(attribute).integer = value ? 1 : 0; }

  /// Parses `text` as the attribute's type; the fault, or kNone when the value is set.
  FieldFault parse(size_t attribute, std::string_view text);

  /// The first attribute that is missing.
  std::optional<size_t> first_missing() const;

  /// The time of the row by the layout; `outer_ms` is the time beside the values (JSON), `row` the
  /// row's number, taken as milliseconds when there is no other time. False with `error` filled
  /// when the time is null or outside the years 1970 to 9999.
  bool timestamp(std::optional<int64_t> outer_ms, uint64_t row, int64_t& ms, RowError& error) const;

  /// Appends the row; every attribute must be present.
  void append_to(EventBatch& batch, int64_t timestamp_ms) const;

 private:
  struct Number {
    union {
      int64_t integer = 0;
      double float64;
      float float32;
    };
  };
  struct Cell {
    bool present = false;
    bool null = false;
    Number number{};
    std::string_view text{};
  };

  Number& number(size_t attribute) {
    Cell& cell = cells_[attribute];
    cell.present = true;
    cell.null = false;
    return cell.number;
  }
  void set_value(size_t attribute, const Value& value);

  const RowLayout& layout_;
  std::vector<Cell> initial_;
  std::vector<Cell> cells_;
  std::vector<std::string> objects_;  ///< bytes of objects, by attribute
};

}  // namespace pollux
