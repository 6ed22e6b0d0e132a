#include "server/formats/json_lines_reader.h"

#include <simdjson.h>

#include <limits>
#include <utility>

#include "server/formats/field_text.h"

namespace pollux {

namespace {

namespace ondemand = simdjson::ondemand;

static_assert(InputBuffer::kPaddingBytes >= simdjson::SIMDJSON_PADDING);

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string_view kind_of(ondemand::json_type type) {
  switch (type) {
    case ondemand::json_type::array:
      return "an array";
    case ondemand::json_type::object:
      return "an object";
    case ondemand::json_type::number:
      return "a number";
    case ondemand::json_type::string:
      return "a string";
    case ondemand::json_type::boolean:
      return "a boolean";
    case ondemand::json_type::null:
      return "null";
  }
  return "a value";
}

}  // namespace

/// Decodes one line into a row. Owns the parser; texts of the row stand in its buffer.
class JsonLinesReader::Decoder {
 public:
  Decoder(const RowLayout& layout, DecodedRow& row) : schema_(*layout.schema), row_(row) {}

  /// False with `error` filled when the line is no row of the stream.
  bool decode(std::string_view line, size_t readable_bytes, RowError& error);
  std::optional<int64_t> outer_timestamp() const { return outer_timestamp_; }

 private:
  bool read_outer(ondemand::object& object, RowError& error);
  /// The value of a field that stands beside the values ("timestamp", "stream").
  bool read_beside(std::string_view key, ondemand::value& value, RowError& error);
  bool read_data(ondemand::value& value, RowError& error);
  /// Puts a field into the row if it is an attribute. What is wrong with the value goes to
  /// `fault`, the first one is kept; false for broken JSON.
  bool read_field(std::string_view key, ondemand::value& value, std::optional<RowError>& fault,
                  RowError& error);
  bool read_value(size_t attribute, ondemand::value& value, ondemand::json_type type,
                  std::optional<RowError>& fault, RowError& error);
  bool read_number(size_t attribute, ondemand::value& value, std::string_view token,
                   std::optional<RowError>& fault, RowError& error);
  std::optional<size_t> find(std::string_view key);

  static bool broken(simdjson::error_code code, std::string_view field, RowError& error);

  const Schema& schema_;
  DecodedRow& row_;
  ondemand::parser parser_;
  size_t expected_next_ = 0;  // fields mostly come in the order of the attributes
  bool wrapped_ = false;
  std::optional<int64_t> outer_timestamp_;
  std::optional<RowError> flat_fault_;    // wrong in a flat row, of no interest in a wrapped one
  std::optional<RowError> beside_fault_;  // wrong beside the values, if they count
  std::string_view outer_stream_;
  bool has_outer_stream_ = false;
};

bool JsonLinesReader::Decoder::broken(simdjson::error_code code, std::string_view field,
                                      RowError& error) {
  bool utf8 = code == simdjson::UTF8_ERROR;
  error = {utf8 ? RowErrorKind::kBadUtf8 : RowErrorKind::kBadJson, 0, std::string(field), {}};
  switch (code) {
    case simdjson::UTF8_ERROR:
      error.reason = "the line is not valid UTF-8";
      break;
    case simdjson::INCORRECT_TYPE:
      error.reason = "not a JSON object";
      break;
    case simdjson::UNCLOSED_STRING:
      error.reason = "not valid JSON: a string is not closed";
      break;
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      error.reason = "not valid JSON: an object or array is not closed";
      break;
    case simdjson::STRING_ERROR:
      error.reason = "not valid JSON: a string holds a wrong escape";
      break;
    case simdjson::NUMBER_ERROR:
      error.reason = "not valid JSON: not a number";
      break;
    default:
      error.reason = "not valid JSON";
  }
  return false;
}

bool JsonLinesReader::Decoder::decode(std::string_view line, size_t readable_bytes,
                                      RowError& error) {
  row_.clear();
  expected_next_ = 0;
  wrapped_ = has_outer_stream_ = false;
  outer_timestamp_.reset();
  flat_fault_.reset();
  beside_fault_.reset();
  ondemand::document document;
  ondemand::object object;
  simdjson::padded_string_view text(line.data(), line.size(), readable_bytes);
  if (auto code = parser_.iterate(text).get(document)) return broken(code, {}, error);
  if (auto code = document.get_object().get(object)) return broken(code, {}, error);
  if (!read_outer(object, error)) return false;
  const char* behind;
  if (!document.current_location().get(behind)) {
    error = {RowErrorKind::kBadJson, 0, {}, "not valid JSON: text behind the object"};
    return false;
  }
  if (!wrapped_ && flat_fault_) {
    error = std::move(*flat_fault_);
    return false;
  }
  if (beside_fault_) {
    error = std::move(*beside_fault_);
    return false;
  }
  if (wrapped_ && has_outer_stream_ && outer_stream_ != schema_.name()) {
    error = {RowErrorKind::kOtherStream, 0, "stream",
             quoted_for_message(outer_stream_) + " is not " + quoted_for_message(schema_.name())};
    return false;
  }
  if (std::optional<size_t> missing = row_.first_missing()) {
    error = {RowErrorKind::kShortRow, 0, schema_[*missing].name,
             "the row lacks this field; write null when it has no value"};
    return false;
  }
  return true;
}

bool JsonLinesReader::Decoder::read_outer(ondemand::object& object, RowError& error) {
  for (auto entry : object) {
    ondemand::field field;
    if (auto code = std::move(entry).get(field)) return broken(code, {}, error);
    std::string_view key;
    if (auto code = field.unescaped_key().get(key)) return broken(code, {}, error);
    ondemand::value value = field.value();
    if (key == "data") {
      ondemand::json_type type;
      if (auto code = value.type().get(type)) return broken(code, key, error);
      if (type == ondemand::json_type::object) {
        if (wrapped_) {
          error = {RowErrorKind::kBadJson, 0, "data", "the field appears twice"};
          return false;
        }
        wrapped_ = true;
        if (!read_data(value, error)) return false;
        continue;
      }
    }
    if (key == "timestamp" || key == "stream") {
      // In a flat row an attribute of that name is just an attribute.
      if (wrapped_ || !schema_.find(key)) {
        if (!read_beside(key, value, error)) return false;
        continue;
      }
    }
    if (!wrapped_ && !read_field(key, value, flat_fault_, error)) return false;
  }
  return true;
}

bool JsonLinesReader::Decoder::read_beside(std::string_view key, ondemand::value& value,
                                           RowError& error) {
  ondemand::json_type type;
  if (auto code = value.type().get(type)) return broken(code, key, error);
  if (key == "stream") {
    if (type != ondemand::json_type::string) return true;
    if (auto code = value.get_string().get(outer_stream_)) return broken(code, key, error);
    has_outer_stream_ = true;
    return true;
  }
  int64_t ms;
  if (type == ondemand::json_type::number && !value.get_int64().get(ms)) {
    outer_timestamp_ = ms;
  } else {
    beside_fault_ = RowError{RowErrorKind::kBadTimestamp, 0, std::string(key),
                             "expected milliseconds since 1970, a whole number"};
  }
  return true;
}

bool JsonLinesReader::Decoder::read_data(ondemand::value& value, RowError& error) {
  // What was read so far stood beside the values, and was none of them.
  row_.clear();
  expected_next_ = 0;
  std::optional<RowError> fault;
  ondemand::object object;
  if (auto code = value.get_object().get(object)) return broken(code, "data", error);
  for (auto entry : object) {
    ondemand::field field;
    if (auto code = std::move(entry).get(field)) return broken(code, "data", error);
    std::string_view key;
    if (auto code = field.unescaped_key().get(key)) return broken(code, "data", error);
    ondemand::value inner = field.value();
    if (!read_field(key, inner, fault, error)) return false;
  }
  if (!fault) return true;
  error = std::move(*fault);
  return false;
}

std::optional<size_t> JsonLinesReader::Decoder::find(std::string_view key) {
  if (expected_next_ >= schema_.size() || schema_[expected_next_].name != key) {
    std::optional<size_t> found = schema_.find(key);
    if (!found) return std::nullopt;
    expected_next_ = *found;
  }
  return expected_next_++;
}

bool JsonLinesReader::Decoder::read_field(std::string_view key, ondemand::value& value,
                                          std::optional<RowError>& fault, RowError& error) {
  std::optional<size_t> attribute = find(key);
  if (!attribute || fault) return true;
  if (row_.has(*attribute) && !row_.is_constant(*attribute)) {
    fault = RowError{RowErrorKind::kBadJson, 0, std::string(key), "the field appears twice"};
    return true;
  }
  ondemand::json_type type;
  if (auto code = value.type().get(type)) return broken(code, key, error);
  return read_value(*attribute, value, type, fault, error);
}

bool JsonLinesReader::Decoder::read_value(size_t attribute, ondemand::value& value,
                                          ondemand::json_type type, std::optional<RowError>& fault,
                                          RowError& error) {
  const Attribute& to = schema_[attribute];
  const std::string_view token = trimmed(value.raw_json_token());
  switch (type) {
    case ondemand::json_type::null:
      if (token != "null") return broken(simdjson::N_ATOM_ERROR, to.name, error);
      row_.set_null(attribute);
      return true;
    case ondemand::json_type::boolean: {
      bool flag;
      if (auto code = value.get_bool().get(flag)) return broken(code, to.name, error);
      if (to.type != AttributeType::kBool) break;
      row_.set_bool(attribute, flag);
      return true;
    }
    case ondemand::json_type::number:
      if (!is_numeric(to.type)) break;
      return read_number(attribute, value, token, fault, error);
    case ondemand::json_type::string: {
      std::string_view text;
      if (auto code = value.get_string().get(text)) return broken(code, to.name, error);
      if (to.type == AttributeType::kString) {
        row_.set_text(attribute, text);
        return true;
      }
      // JSON has no numbers for these; our own results write them so.
      bool special = text == "NaN" || text == "Infinity" || text == "-Infinity";
      bool fractional = to.type == AttributeType::kFloat || to.type == AttributeType::kDouble;
      if (special && fractional && row_.parse(attribute, text) == FieldFault::kNone) return true;
      break;
    }
    case ondemand::json_type::object:
    case ondemand::json_type::array:
      fault =
          RowError{RowErrorKind::kWrongType, 0, to.name,
                   std::string(kind_of(type)) + " is not of type " + std::string(name_of(to.type))};
      return true;
  }
  fault = field_error(FieldFault::kWrongType, token, to.type);
  fault->field = to.name;
  return true;
}

bool JsonLinesReader::Decoder::read_number(size_t attribute, ondemand::value& value,
                                           std::string_view token, std::optional<RowError>& fault,
                                           RowError& error) {
  const Attribute& to = schema_[attribute];
  bool whole = to.type == AttributeType::kInt || to.type == AttributeType::kLong;
  if (whole) {
    int64_t number;
    if (!value.get_int64().get(number)) {
      bool fits =
          to.type == AttributeType::kLong || (number >= std::numeric_limits<int32_t>::min() &&
                                              number <= std::numeric_limits<int32_t>::max());
      if (fits) {
        row_.set_int(attribute, number);
        return true;
      }
    }
  } else {
    double number;
    if (!value.get_double().get(number)) {
      if (to.type == AttributeType::kDouble) {
        row_.set_double(attribute, number);
        return true;
      }
      // From the text, not by way of the double, which would round twice.
      if (row_.parse(attribute, token) == FieldFault::kNone) return true;
    }
  }
  // Say why it did not work out: text that is no number at all is broken JSON.
  FieldFault reason = row_.parse(attribute, token);
  double any;
  if (reason == FieldFault::kNone ||
      (reason == FieldFault::kWrongType && parse_field(token, any) == FieldFault::kWrongType)) {
    return broken(simdjson::NUMBER_ERROR, to.name, error);
  }
  fault = field_error(reason, token, to.type);
  fault->field = to.name;
  return true;
}

// ---- lines ----

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
    line = trimmed(line);
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
