// Rows of some text format as events of a stream, one at a time, errors as values.
//
// next() decodes a row and keeps it; append_to() puts it into a batch, any number of times before
// the following next(). A row with an error never reaches a batch; next() goes on behind it.
// Thread: one at a time. Memory: one record, bounded by the reader's limit, and one read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/batch/event_batch.h"
#include "server/formats/decoded_row.h"
#include "server/formats/input_buffer.h"
#include "server/formats/row_error.h"
#include "server/formats/row_layout.h"

namespace pollux {

enum class ReadStatus : uint8_t {
  kRow,       ///< a row stands ready
  kRowError,  ///< error() says what is wrong with one row; the next one can be read
  kNotReady,  ///< Wait::kNo only: the source has no whole row yet
  kEnd,
  kFailed,  ///< error() says why nothing more can be read: the source or the header
};

struct RowReaderOptions {
  /// Longest record (with its quoted line ends) that is taken.
  size_t line_bytes_max = 1024 * 1024;
};

class RowReader {
 public:
  RowReader(std::unique_ptr<InputBuffer> input, const RowLayout& layout,
            const RowReaderOptions& options)
      : input_(std::move(input)), layout_(layout), options_(options), row_(layout_) {}
  virtual ~RowReader() = default;
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  virtual ReadStatus next(Wait wait) = 0;

  // ---- of the row that kRow announced ----
  int64_t timestamp_ms() const { return timestamp_ms_; }
  void append_to(EventBatch& batch) const { row_.append_to(batch, timestamp_ms_); }
  /// The time is only the row's number: nothing better was found.
  bool timestamp_is_row_number() const { return timestamp_is_row_number_; }

  const RowError& error() const { return error_; }
  const RowLayout& layout() const { return layout_; }
  const InputBuffer& input() const { return *input_; }

 protected:
  /// Notes `error` for a row that begins at `line`.
  ReadStatus row_error(uint64_t line, RowErrorKind kind, std::string field, std::string reason) {
    error_ = {kind, line, std::move(field), std::move(reason)};
    return ReadStatus::kRowError;
  }
  ReadStatus source_failed(uint64_t line) {
    error_ = {RowErrorKind::kUnreadable, line, {}, "cannot read: " + input_->error()};
    return ReadStatus::kFailed;
  }
  /// Gives the decoded row its time.
  ReadStatus stamp(uint64_t line, std::optional<int64_t> outer_ms) {
    ++rows_;
    timestamp_is_row_number_ = !layout_.timestamp_attribute && !outer_ms;
    if (row_.timestamp(outer_ms, rows_, timestamp_ms_, error_)) return ReadStatus::kRow;
    error_.line = line;
    return ReadStatus::kRowError;
  }

  std::unique_ptr<InputBuffer> input_;
  const RowLayout layout_;
  const RowReaderOptions options_;
  DecodedRow row_;
  RowError error_;

 private:
  uint64_t rows_ = 0;
  int64_t timestamp_ms_ = 0;
  bool timestamp_is_row_number_ = false;
};

}  // namespace pollux
