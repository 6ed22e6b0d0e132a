// One JSON object as a row: flat, {"attribute": value, ...}, or wrapped, {"data": {...},
// "timestamp": ms}.
//
// Shows simdjson: for the readers of this folder only. Texts of the row stand in the parser's
// buffer. Thread: one at a time.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "server/formats/decoded_row.h"
#include "server/formats/row_error.h"
#include "server/formats/row_layout.h"

namespace pollux {

class JsonRowDecoder {
 public:
  /// Borrows both.
  JsonRowDecoder(const RowLayout& layout, DecodedRow& row) : schema_(*layout.schema), row_(row) {}

  /// Reads the object to its end; false with `error` filled when it is broken JSON.
  bool read(simdjson::ondemand::object& object, RowError& error);
  /// False with `error` filled when what was read is no row of the stream.
  bool check(RowError& error);
  /// "timestamp" beside the values.
  std::optional<int64_t> outer_timestamp() const { return outer_timestamp_; }

  /// Fills `error` with what the parser complains of; false.
  static bool broken(simdjson::error_code code, std::string_view field, RowError& error);

 private:
  bool read_outer(simdjson::ondemand::object& object, RowError& error);
  /// The value of a field that stands beside the values ("timestamp", "stream").
  bool read_beside(std::string_view key, simdjson::ondemand::value& value, RowError& error);
  bool read_data(simdjson::ondemand::value& value, RowError& error);
  /// Puts a field into the row if it is an attribute. What is wrong with the value goes to
  /// `fault`, the first one is kept; false for broken JSON.
  bool read_field(std::string_view key, simdjson::ondemand::value& value,
                  std::optional<RowError>& fault, RowError& error);
  bool read_value(size_t attribute, simdjson::ondemand::value& value,
                  simdjson::ondemand::json_type type, std::optional<RowError>& fault,
                  RowError& error);
  bool read_object(size_t attribute, simdjson::ondemand::value& value,
                   std::optional<RowError>& fault, RowError& error);
  bool read_number(size_t attribute, simdjson::ondemand::value& value, std::string_view token,
                   std::optional<RowError>& fault, RowError& error);
  std::optional<size_t> find(std::string_view key);

  const Schema& schema_;
  DecodedRow& row_;
  size_t expected_next_ = 0;  // fields mostly come in the order of the attributes
  bool wrapped_ = false;
  std::optional<int64_t> outer_timestamp_;
  std::optional<RowError> flat_fault_;    // wrong in a flat row, of no interest in a wrapped one
  std::optional<RowError> data_fault_;    // wrong in "data"
  std::optional<RowError> beside_fault_;  // wrong beside the values, if they count
  std::string_view outer_stream_;
  bool has_outer_stream_ = false;
};

}  // namespace pollux
