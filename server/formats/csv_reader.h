// CSV (RFC 4180, UTF-8, with or without a byte order mark) as events of a stream.
//
// With a header, columns are found by name, other columns are ignored, and every attribute must
// have a column or a constant. Without, the attributes that have no constant take the columns in
// order, and every row must have exactly as many. An empty field without quotes is null; "" is the
// empty string. Blank lines are skipped.
//
// After a quote that is never closed, or with text behind it, reading goes on at the next line end
// of the record, so that one stray quote costs one row.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "server/formats/csv_splitter.h"
#include "server/formats/row_reader.h"

namespace pollux {

enum class CsvHeader : uint8_t {
  kAuto,  ///< the first row is a header when all its fields are names of attributes
  kYes,
  kNo,
};

class CsvReader final : public RowReader {
 public:
  CsvReader(std::unique_ptr<InputBuffer> input, const RowLayout& layout,
            const RowReaderOptions& options, CsvHeader header);

  ReadStatus next(Wait wait) override;

 private:
  enum class Phase : uint8_t { kStart, kHeader, kRows };
  /// A column of the file that feeds an attribute.
  struct Source {
    size_t field;
    size_t attribute;
  };

  /// Splits the next record; kRow when it stands in splitter_.
  ReadStatus next_record(Wait wait);
  ReadStatus start(Wait wait);
  /// Gives up the record that begins here: what follows its first line end is read next.
  ReadStatus abandon_record(RowErrorKind kind, std::string reason);
  ReadStatus finish_discarding(Wait wait);
  void consume_record();

  bool is_header() const;
  ReadStatus read_header();
  ReadStatus header_error(std::string field, std::string reason);
  void use_columns_in_order();
  ReadStatus decode_row();
  ReadStatus bad_utf8(std::string_view record);
  ReadStatus wrong_field_count();
  std::string_view name_of_field(size_t field) const;

  CsvHeader header_;
  Phase phase_ = Phase::kStart;
  bool discarding_ = false;  // inside a line that is too long
  uint64_t line_ = 1;        // where the next record begins
  uint64_t row_line_ = 1;    // where the record in splitter_ began
  CsvSplitter splitter_;
  std::string_view record_;  // its bytes
  std::vector<Source> sources_;
  size_t fields_expected_ = 0;
  bool by_name_ = false;
};

}  // namespace pollux
