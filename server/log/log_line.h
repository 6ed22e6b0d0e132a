// The text of one log line.
//
// A line is one line whatever its values hold: control characters, line separators, marks that turn
// the direction of writing, and bytes that are no UTF-8 are escaped; long values are cut.
// Thread: any.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "server/log/log_level.h"

namespace pollux {

/// A longer message or value is cut, and the line says by how much.
constexpr size_t kLogValueBytesMax = 8 * 1024;

/// Borrows its texts: to be used in the call that it is made for. Keys are the code's own words,
/// and not ts, level, msg or node; `plan` and `stream` name what the line is about.
struct LogField {
  using Value = std::variant<std::string_view, int64_t, uint64_t, double, bool>;

  template <class T>
  requires std::convertible_to<T, std::string_view> LogField(std::string_view field_key,
                                                             const T& text)
      : key(field_key), value(std::string_view(text)) {}
  /// absl::string_view, which is no std::string_view here.
  template <class T>
  requires(!std::convertible_to<T, std::string_view>) && requires(const T& text) {
    { text.data() } -> std::same_as<const char*>;
    { text.size() } -> std::same_as<size_t>;
  }
  LogField(std::string_view field_key, const T& text)
      : key(field_key), value(std::string_view(text.data(), text.size())) {}
  template <std::signed_integral T>
  LogField(std::string_view field_key, T number)
      : key(field_key), value(static_cast<int64_t>(number)) {}
  template <std::unsigned_integral T>
  LogField(std::string_view field_key, T number)
      : key(field_key), value(static_cast<uint64_t>(number)) {}
  LogField(std::string_view field_key, double number) : key(field_key), value(number) {}
  LogField(std::string_view field_key, bool flag) : key(field_key), value(flag) {}

  std::string_view key;
  Value value;
};
using LogFields = std::initializer_list<LogField>;

struct LogLine {
  std::chrono::system_clock::time_point time;
  LogLevel level = LogLevel::kInfo;
  std::string_view node;  ///< empty: left out
  std::string_view message;
  LogFields fields;
};

/// `2026-01-31T23:59:59.123Z info    message node=n key=value "another key"="a b"`, or one JSON
/// object with ts, level, node, msg and the fields. Ends with a line end.
std::string log_line(const LogLine& line, LogFormat format);

}  // namespace pollux
