// JSON lines (one object a line, UTF-8) as events of a stream.
//
// A row is either flat, {"attribute": value, ...}, or wrapped, {"data": {...}, "timestamp": ms},
// the form of our own results; "stream", where a wrapped row has it, must be the stream's name.
// Every attribute must be there (null is a value) unless the layout has a constant for it, which
// the row overrides; other fields are ignored. The "timestamp" beside the values is the event's
// time unless the user named an attribute. Blank lines are skipped.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/formats/row_reader.h"

namespace pollux {

class JsonLinesReader final : public RowReader {
 public:
  JsonLinesReader(std::unique_ptr<InputBuffer> input, const RowLayout& layout,
                  const RowReaderOptions& options);
  ~JsonLinesReader() override;

  ReadStatus next(Wait wait) override;

 private:
  class Decoder;  // keeps simdjson inside the .cc

  /// Finds the next line; kRow when it stands in record_.
  ReadStatus next_line(Wait wait);
  ReadStatus finish_discarding(Wait wait);

  std::unique_ptr<Decoder> decoder_;
  bool discarding_ = false;  // inside a line that is too long
  uint64_t next_line_ = 1;   // the line that begins at the start of the buffer
  uint64_t line_ = 1;        // the line in record_
  size_t record_bytes_ = 0;  // with the line end; consumed by the next call
  std::string_view record_;
};

}  // namespace pollux
