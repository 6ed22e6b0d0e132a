#include "server/formats/csv_reader.h"

#include <cstring>
#include <string>
#include <utility>

#include "engine/language/diagnostics.h"
#include "server/formats/utf8.h"

namespace pollux {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string count_of(size_t count, std::string_view what) {
  std::string text = std::to_string(count);
  text += ' ';
  text += what;
  if (count != 1) text += 's';
  return text;
}

}  // namespace

CsvReader::CsvReader(std::unique_ptr<InputBuffer> input, const RowLayout& layout,
                     const RowReaderOptions& options, CsvHeader header)
    : RowReader(std::move(input), layout, options), header_(header) {
  use_columns_in_order();
}

ReadStatus CsvReader::next(Wait wait) {
  if (phase_ == Phase::kStart) {
    if (ReadStatus status = start(wait); status != ReadStatus::kRow) return status;
  }
  for (;;) {
    // The record returned last stays in the buffer until now, because the row's texts stand there.
    consume_record();
    if (ReadStatus status = next_record(wait); status != ReadStatus::kRow) {
      bool header_lost = phase_ == Phase::kHeader && header_ == CsvHeader::kYes;
      return status == ReadStatus::kRowError && header_lost ? ReadStatus::kFailed : status;
    }
    if (splitter_.is_blank()) continue;
    if (phase_ == Phase::kHeader) {
      phase_ = Phase::kRows;
      if (is_header()) {
        if (ReadStatus status = read_header(); status != ReadStatus::kRow) return status;
        continue;
      }
    }
    return decode_row();
  }
}

ReadStatus CsvReader::start(Wait wait) {
  while (input_->view().size() < kByteOrderMark.size() &&
         kByteOrderMark.starts_with(input_->view())) {
    InputBuffer::Fill fill = input_->fill(wait);
    if (fill == InputBuffer::Fill::kNotReady) return ReadStatus::kNotReady;
    if (fill == InputBuffer::Fill::kFailed) return source_failed(1);
    if (fill == InputBuffer::Fill::kEnd) break;
  }
  if (input_->view().starts_with(kByteOrderMark)) input_->consume(kByteOrderMark.size());
  phase_ = Phase::kHeader;
  return ReadStatus::kRow;
}

ReadStatus CsvReader::next_record(Wait wait) {
  if (discarding_) {
    if (ReadStatus status = finish_discarding(wait); status != ReadStatus::kRow) return status;
  }
  // The splitter sees no more than the longest record with its line end, so that what it says does
  // not depend on how the input came in.
  const size_t bytes_max = options_.line_bytes_max + 1;
  for (;;) {
    const std::string_view text = input_->view().substr(0, bytes_max);
    const bool ends_here = input_->at_end() && text.size() == input_->view().size();
    if (text.empty() && ends_here) return ReadStatus::kEnd;
    row_line_ = line_;
    switch (splitter_.split(text, ends_here)) {
      case CsvSplitter::Result::kRecord:
        record_ = text.substr(0, splitter_.bytes());
        return ReadStatus::kRow;
      case CsvSplitter::Result::kTextAfterQuote:
        return abandon_record(RowErrorKind::kBadQuote,
                              "text behind a closing quote; write a quote inside quotes twice");
      case CsvSplitter::Result::kOpenQuote:
        if (!ends_here && text.size() < bytes_max) break;
        return abandon_record(RowErrorKind::kBadQuote,
                              ends_here ? "a quote is not closed before the end of the file"
                                        : "a quote is not closed within " +
                                              count_of(options_.line_bytes_max, "byte"));
      case CsvSplitter::Result::kIncomplete:
        if (text.size() < bytes_max) break;
        return abandon_record(RowErrorKind::kLineTooLong,
                              "longer than " + count_of(options_.line_bytes_max, "byte"));
    }
    InputBuffer::Fill fill = input_->fill(wait);
    if (fill == InputBuffer::Fill::kNotReady) return ReadStatus::kNotReady;
    if (fill == InputBuffer::Fill::kFailed) return source_failed(line_);
  }
}

ReadStatus CsvReader::abandon_record(RowErrorKind kind, std::string reason) {
  discarding_ = true;
  return row_error(line_, kind, {}, std::move(reason));
}

ReadStatus CsvReader::finish_discarding(Wait wait) {
  for (;;) {
    std::string_view text = input_->view();
    size_t line_end = text.find('\n');
    if (line_end != std::string_view::npos) {
      input_->consume(line_end + 1);
      ++line_;
      discarding_ = false;
      return ReadStatus::kRow;
    }
    input_->consume(text.size());
    InputBuffer::Fill fill = input_->fill(wait);
    if (fill == InputBuffer::Fill::kNotReady) return ReadStatus::kNotReady;
    if (fill == InputBuffer::Fill::kFailed) return source_failed(line_);
    if (fill == InputBuffer::Fill::kEnd) return ReadStatus::kEnd;
  }
}

void CsvReader::consume_record() {
  if (record_.empty()) return;
  input_->consume(record_.size());
  line_ += splitter_.line_ends();
  record_ = {};
}

// ---- the header ----

bool CsvReader::is_header() const {
  if (header_ != CsvHeader::kAuto) return header_ == CsvHeader::kYes;
  for (const CsvField& field : splitter_.fields()) {
    if (!layout_.schema->find(field.text)) return false;
  }
  return true;
}

ReadStatus CsvReader::read_header() {
  const Schema& schema = *layout_.schema;
  if (splitter_.field_count() > CsvSplitter::kFieldsMax) {
    return header_error({}, "more than " + count_of(CsvSplitter::kFieldsMax, "column"));
  }
  std::vector<bool> found(schema.size(), false);
  std::vector<std::string> names;
  sources_.clear();
  for (size_t i = 0; i < splitter_.fields().size(); ++i) {
    std::string name(splitter_.fields()[i].text);
    std::optional<size_t> attribute = schema.find(name);
    names.push_back(name);
    if (!attribute) continue;
    if (found[*attribute]) return header_error(name, "the header names this column twice");
    if (row_.is_constant(*attribute)) {
      return header_error(name, "the file has this column, and --set gives it a value as well");
    }
    found[*attribute] = true;
    sources_.push_back({i, *attribute});
  }
  for (size_t i = 0; i < schema.size(); ++i) {
    if (found[i] || row_.is_constant(i)) continue;
    std::string near = nearest_name(schema[i].name, names);
    return header_error(
        schema[i].name,
        "the header lacks this column" +
            (near.empty() ? "" : "; did it mean " + quoted_for_message(near) + "?") + "; --set " +
            schema.name() + "." + schema[i].name + "=VALUE gives it one value for all rows");
  }
  fields_expected_ = splitter_.field_count();
  by_name_ = true;
  return ReadStatus::kRow;
}

ReadStatus CsvReader::header_error(std::string field, std::string reason) {
  row_error(row_line_, RowErrorKind::kBadHeader, std::move(field), std::move(reason));
  return ReadStatus::kFailed;
}

void CsvReader::use_columns_in_order() {
  for (size_t i = 0; i < layout_.schema->size(); ++i) {
    if (!row_.is_constant(i)) sources_.push_back({sources_.size(), i});
  }
  fields_expected_ = sources_.size();
}

// ---- rows ----

ReadStatus CsvReader::decode_row() {
  if (splitter_.field_count() != fields_expected_) return wrong_field_count();
  if (!splitter_.is_ascii() && !is_utf8(record_)) return bad_utf8(record_);
  row_.clear();
  const std::span<const CsvField> fields = splitter_.fields();
  for (const Source& source : sources_) {
    const CsvField& field = fields[source.field];
    const Attribute& attribute = (*layout_.schema)[source.attribute];
    if (field.text.empty() && !(field.quoted && attribute.type == AttributeType::kString)) {
      row_.set_null(source.attribute);
      continue;
    }
    FieldFault fault = row_.parse(source.attribute, field.text);
    if (fault != FieldFault::kNone) [[unlikely]] {
      error_ = field_error(fault, quoted_for_message(field.text), attribute.type);
      error_.line = row_line_;
      error_.field = attribute.name;
      return ReadStatus::kRowError;
    }
  }
  return stamp(row_line_, std::nullopt);
}

ReadStatus CsvReader::wrong_field_count() {
  bool is_short = splitter_.field_count() < fields_expected_;
  std::string reason =
      count_of(splitter_.field_count(), "field") + ", expected " + std::to_string(fields_expected_);
  if (is_short) {
    std::string_view first_missing = name_of_field(splitter_.field_count());
    if (!first_missing.empty()) {
      reason += "; the first that is missing is ";
      reason += first_missing;
    }
  }
  if (row_line_ == 1 && !by_name_ && header_ == CsvHeader::kAuto) {
    reason += "; if this line is a header, say --header yes";
  }
  return row_error(row_line_, is_short ? RowErrorKind::kShortRow : RowErrorKind::kLongRow, {},
                   std::move(reason));
}

ReadStatus CsvReader::bad_utf8(std::string_view record) {
  const std::span<const CsvField> fields = splitter_.fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (is_utf8(fields[i].text)) continue;
    return row_error(row_line_, RowErrorKind::kBadUtf8, std::string(name_of_field(i)),
                     quoted_for_message(fields[i].text) + " is not valid UTF-8");
  }
  return row_error(row_line_, RowErrorKind::kBadUtf8, {},
                   quoted_for_message(record) + " is not valid UTF-8");
}

std::string_view CsvReader::name_of_field(size_t field) const {
  for (const Source& source : sources_) {
    if (source.field == field) return (*layout_.schema)[source.attribute].name;
  }
  return {};
}

}  // namespace pollux
