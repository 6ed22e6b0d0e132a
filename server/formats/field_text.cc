#include "server/formats/field_text.h"

#include <charconv>
#include <system_error>
#include <utility>

namespace pollux {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

template <class T>
FieldFault parse_number(std::string_view text, T& value) {
  text = trimmed(text);
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  T parsed{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    return FieldFault::kWrongType;
  }
  if (error == std::errc::result_out_of_range) return FieldFault::kOutOfRange;
  value = parsed;
  return FieldFault::kNone;
}

/// `lower` is in lower case and holds letters only.
bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

std::string_view range_of(AttributeType type) {
  switch (type) {
    case AttributeType::kInt:
      return " (-2147483648 to 2147483647)";
    case AttributeType::kLong:
      return " (-9223372036854775808 to 9223372036854775807)";
    default:
      return "";
  }
}

}  // namespace

FieldFault parse_field(std::string_view text, int32_t& value) { return parse_number(text, value); }
FieldFault parse_field(std::string_view text, int64_t& value) { return parse_number(text, value); }
FieldFault parse_field(std::string_view text, float& value) { return parse_number(text, value); }
FieldFault parse_field(std::string_view text, double& value) { return parse_number(text, value); }

FieldFault parse_field(std::string_view text, bool& value) {
  text = trimmed(text);
  if (equals_ignoring_case(text, "true")) {
    value = true;
  } else if (equals_ignoring_case(text, "false")) {
    value = false;
  } else {
    return FieldFault::kWrongType;
  }
  return FieldFault::kNone;
}

RowError field_error(FieldFault fault, std::string shown, AttributeType type) {
  RowError error;
  error.reason = std::move(shown);
  if (fault == FieldFault::kOutOfRange) {
    error.kind = RowErrorKind::kOutOfRange;
    error.reason += " is out of the range of ";
    error.reason += name_of(type);
    error.reason += range_of(type);
  } else {
    error.kind = RowErrorKind::kWrongType;
    error.reason += " is not of type ";
    error.reason += name_of(type);
    if (type == AttributeType::kBool) error.reason += " (true or false)";
  }
  return error;
}

}  // namespace pollux
