// What is wrong with one row of input: line, field and reason. A value, never an exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pollux {

enum class RowErrorKind : uint8_t {
  kShortRow,    ///< fewer fields than attributes, or an attribute is missing
  kLongRow,     ///< more fields than attributes
  kWrongType,   ///< a value that is not of the attribute's type
  kOutOfRange,  ///< a number that the attribute's type cannot hold
  kBadUtf8,
  kBadQuote,  ///< a quote that is never closed, or text behind a closing one
  kLineTooLong,
  kBadJson,       ///< not a JSON object
  kBadTimestamp,  ///< no event time, or one outside the years 1970 to 9999
  kBadHeader,     ///< the header does not fit the stream
  kOtherStream,   ///< the row says that it belongs to another stream
  kUnreadable,    ///< the source failed
};
constexpr size_t kRowErrorKinds = 12;

struct RowError {
  RowErrorKind kind = RowErrorKind::kBadJson;
  uint64_t line = 0;   ///< counts from 1: where the row begins
  std::string field;   ///< the attribute's name; empty when the whole row is meant
  std::string reason;  ///< what was found and what was expected
};

/// "short row", "wrong type", ...
std::string_view name_of(RowErrorKind kind);

/// "FILE:LINE: field: reason".
std::string to_text(const RowError& error, std::string_view file);

/// `text`, cut when long, control characters and broken bytes written as \xNN: fit for a message.
std::string shown_for_message(std::string_view text);
/// The same in double quotes.
std::string quoted_for_message(std::string_view text);

}  // namespace pollux
