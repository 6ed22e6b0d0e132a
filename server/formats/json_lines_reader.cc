#include "server/formats/json_lines_reader.h"

#include <simdjson.h>

#include <utility>

#include "server/formats/json_blanks.h"
#include "server/formats/json_row_decoder.h"

namespace pollux {

namespace {

namespace ondemand = simdjson::ondemand;

static_assert(InputBuffer::kPaddingBytes >= simdjson::SIMDJSON_PADDING);

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

/// Keeps simdjson out of the header.
class JsonLinesReader::Decoder {
 public:
  Decoder(const RowLayout& layout, DecodedRow& row) : rows_(layout, row) {}

  /// False with `error` filled when the line is no row of the stream.
  bool decode(std::string_view line, size_t readable_bytes, RowError& error) {
    ondemand::document document;
    ondemand::object object;
    simdjson::padded_string_view text(line.data(), line.size(), readable_bytes);
    if (auto code = parser_.iterate(text).get(document)) {
      return JsonRowDecoder::broken(code, {}, error);
    }
    if (auto code = document.get_object().get(object)) {
      return JsonRowDecoder::broken(code, {}, error);
    }
    if (!rows_.read(object, error)) return false;
    const char* behind;
    if (!document.current_location().get(behind)) {
      error = {RowErrorKind::kBadJson, 0, {}, "not valid JSON: text behind the object"};
      return false;
    }
    return rows_.check(error);
  }
  std::optional<int64_t> outer_timestamp() const { return rows_.outer_timestamp(); }

 private:
  JsonRowDecoder rows_;
  ondemand::parser parser_;
};

JsonLinesReader::JsonLinesReader(std::unique_ptr<InputBuffer> input, const RowLayout& layout,
                                 const RowReaderOptions& options)
    : RowReader(std::move(input), layout, options),
      decoder_(std::make_unique<Decoder>(layout_, row_)) {}

JsonLinesReader::~JsonLinesReader() = default;

ReadStatus JsonLinesReader::next(Wait wait) {
  for (;;) {
    if (ReadStatus status = next_line(wait); status != ReadStatus::kRow) return status;
    std::string_view line = record_;
    if (line_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    line = json_trimmed(line);
    if (line.empty()) continue;
    size_t behind = static_cast<size_t>(input_->view().end() - line.end());
    size_t readable = line.size() + behind + InputBuffer::kPaddingBytes;
    if (!decoder_->decode(line, readable, error_)) {
      error_.line = line_;
      return ReadStatus::kRowError;
    }
    return stamp(line_, decoder_->outer_timestamp());
  }
}

ReadStatus JsonLinesReader::next_line(Wait wait) {
  input_->consume(std::exchange(record_bytes_, 0));
  if (discarding_) {
    if (ReadStatus status = finish_discarding(wait); status != ReadStatus::kRow) return status;
  }
  size_t scanned = 0;
  for (;;) {
    std::string_view text = input_->view();
    size_t line_end = text.find('\n', scanned);
    bool whole = line_end != std::string_view::npos;
    size_t bytes = whole ? line_end : text.size();
    if (bytes > options_.line_bytes_max) {
      discarding_ = true;
      return row_error(next_line_, RowErrorKind::kLineTooLong, {},
                       "longer than " + std::to_string(options_.line_bytes_max) + " bytes");
    }
    if (whole || input_->at_end()) {
      if (text.empty()) return ReadStatus::kEnd;
      record_ = text.substr(0, bytes);
      record_bytes_ = whole ? bytes + 1 : bytes;
      line_ = next_line_++;
      return ReadStatus::kRow;
    }
    scanned = text.size();
    InputBuffer::Fill fill = input_->fill(wait);
    if (fill == InputBuffer::Fill::kNotReady) return ReadStatus::kNotReady;
    if (fill == InputBuffer::Fill::kFailed) return source_failed(next_line_);
  }
}

ReadStatus JsonLinesReader::finish_discarding(Wait wait) {
  for (;;) {
    std::string_view text = input_->view();
    size_t line_end = text.find('\n');
    if (line_end != std::string_view::npos) {
      input_->consume(line_end + 1);
      ++next_line_;
      discarding_ = false;
      return ReadStatus::kRow;
    }
    input_->consume(text.size());
    InputBuffer::Fill fill = input_->fill(wait);
    if (fill == InputBuffer::Fill::kNotReady) return ReadStatus::kNotReady;
    if (fill == InputBuffer::Fill::kFailed) return source_failed(next_line_);
    if (fill == InputBuffer::Fill::kEnd) return ReadStatus::kEnd;
  }
}

}  // namespace pollux
