#include "server/formats/json_row_decoder.h"

#include <limits>
#include <string>
#include <utility>

#include "engine/expression/json_object.h"
#include "server/formats/field_text.h"
#include "server/formats/json_blanks.h"

namespace pollux {
namespace {

namespace ondemand = simdjson::ondemand;

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

bool JsonRowDecoder::broken(simdjson::error_code code, std::string_view field, RowError& error) {
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

bool JsonRowDecoder::read(ondemand::object& object, RowError& error) {
  row_.clear();
  expected_next_ = 0;
  wrapped_ = has_outer_stream_ = false;
  outer_timestamp_.reset();
  flat_fault_.reset();
  data_fault_.reset();
  beside_fault_.reset();
  return read_outer(object, error);
}

bool JsonRowDecoder::check(RowError& error) {
  if (!wrapped_ && flat_fault_) {
    error = std::move(*flat_fault_);
    return false;
  }
  if (data_fault_) {
    error = std::move(*data_fault_);
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

bool JsonRowDecoder::read_outer(ondemand::object& object, RowError& error) {
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

bool JsonRowDecoder::read_beside(std::string_view key, ondemand::value& value, RowError& error) {
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

bool JsonRowDecoder::read_data(ondemand::value& value, RowError& error) {
  // What was read so far stood beside the values, and was none of them.
  row_.clear();
  expected_next_ = 0;
  ondemand::object object;
  if (auto code = value.get_object().get(object)) return broken(code, "data", error);
  for (auto entry : object) {
    ondemand::field field;
    if (auto code = std::move(entry).get(field)) return broken(code, "data", error);
    std::string_view key;
    if (auto code = field.unescaped_key().get(key)) return broken(code, "data", error);
    ondemand::value inner = field.value();
    if (!read_field(key, inner, data_fault_, error)) return false;
  }
  return true;
}

std::optional<size_t> JsonRowDecoder::find(std::string_view key) {
  if (expected_next_ >= schema_.size() || schema_[expected_next_].name != key) {
    std::optional<size_t> found = schema_.find(key);
    if (!found) return std::nullopt;
    expected_next_ = *found;
  }
  return expected_next_++;
}

bool JsonRowDecoder::read_field(std::string_view key, ondemand::value& value,
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

bool JsonRowDecoder::read_value(size_t attribute, ondemand::value& value, ondemand::json_type type,
                                std::optional<RowError>& fault, RowError& error) {
  const Attribute& to = schema_[attribute];
  const std::string_view token = json_trimmed(value.raw_json_token());
  if (to.type == AttributeType::kObject && type != ondemand::json_type::null) {
    return read_object(attribute, value, fault, error);
  }
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
  fault = field_error(FieldFault::kWrongType, shown_for_message(token), to.type);
  fault->field = to.name;
  return true;
}

bool JsonRowDecoder::read_object(size_t attribute, ondemand::value& value,
                                 std::optional<RowError>& fault, RowError& error) {
  const Attribute& to = schema_[attribute];
  std::string_view json;
  if (auto code = simdjson::to_json_string(value).get(json)) return broken(code, to.name, error);
  if (std::optional<std::string> object = parse_json(json)) {
    row_.set_object(attribute, std::move(*object));
    return true;
  }
  fault = RowError{RowErrorKind::kWrongType, 0, to.name,
                   "no value of type object: not valid JSON, too large or nested too deep"};
  return true;
}

bool JsonRowDecoder::read_number(size_t attribute, ondemand::value& value, std::string_view token,
                                 std::optional<RowError>& fault, RowError& error) {
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
  fault = field_error(reason, shown_for_message(token), to.type);
  fault->field = to.name;
  return true;
}

}  // namespace pollux
