#include "server/log/log_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>

#include "server/formats/utf8.h"

namespace pollux {

namespace {

constexpr size_t kNumberBytesMax = 32;
constexpr char kHex[] = "0123456789abcdef";

/// Where a text stands: decides what is escaped, and how.
enum class Place : uint8_t { kBare, kQuoted, kJson };

/// The code point at the start of `text` and its length; length 0: no UTF-8.
struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 0;
};

CodePoint code_point_at(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (text.size() < bytes || !is_utf8(text.substr(0, bytes))) return {};
  uint32_t value = lead & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  }
  return {value, bytes};
}

/// Moves a terminal's cursor, ends a line, or turns the direction of what follows.
bool is_treacherous(uint32_t c) {
  return (c >= 0x80 && c <= 0x9F) || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void append_unicode_escape(std::string& out, uint32_t c) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(c >> shift) & 15];
}

void append_ascii(std::string& out, char c, Place place) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
    append_unicode_escape(out, static_cast<unsigned char>(c));
  } else {
    if (place != Place::kBare && (c == '"' || c == '\\')) out += '\\';
    out += c;
  }
}

void append_text(std::string& out, std::string_view text, Place place) {
  const size_t whole = text.size();
  text = text.substr(0, kLogValueBytesMax);
  // A cut inside a character takes the whole character away.
  if (whole > text.size()) {
    for (int i = 0; i < 3 && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80; ++i) {
      text.remove_suffix(1);
    }
    if (static_cast<unsigned char>(text.back()) >= 0xC0) text.remove_suffix(1);
  }
  const size_t kept = text.size();
  while (!text.empty()) {
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      append_ascii(out, text.front(), place);
      text.remove_prefix(1);
      continue;
    }
    const CodePoint c = code_point_at(text);
    if (c.bytes == 0) {
      const auto byte = static_cast<unsigned char>(text.front());
      if (place == Place::kJson) {
        out += "\\ufffd";
      } else {
        out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
      }
    } else if (is_treacherous(c.value)) {
      append_unicode_escape(out, c.value);
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(std::max<size_t>(c.bytes, 1));
  }
  if (whole > kept) out += "... (" + std::to_string(whole - kept) + " bytes more)";
}

void append_quoted(std::string& out, std::string_view text, Place place) {
  out += '"';
  append_text(out, text, place);
  out += '"';
}

bool needs_quotes(std::string_view text) {
  return text.empty() || !std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) > ' ' && static_cast<unsigned char>(c) < 0x7F &&
                  c != '"' && c != '=' && c != '\\';
         });
}

/// As it is where that cannot be misread, else in quotes.
void append_word(std::string& out, std::string_view text) {
  if (needs_quotes(text)) {
    append_quoted(out, text, Place::kQuoted);
  } else {
    append_text(out, text, Place::kBare);
  }
}

template <class T>
void append_number(std::string& out, T number) {
  char digits[kNumberBytesMax];
  out.append(digits, std::to_chars(digits, digits + kNumberBytesMax, number).ptr);
}

void append_value(std::string& out, const LogField::Value& value, LogFormat format) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (format == LogFormat::kJson) {
      append_quoted(out, *text, Place::kJson);
    } else {
      append_word(out, *text);
    }
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* real = std::get_if<double>(&value)) {
    // JSON has no word for these.
    const bool quoted = format == LogFormat::kJson && !std::isfinite(*real);
    if (quoted) out += '"';
    // The sign of a NaN says nothing.
    append_number(out, std::isnan(*real) ? std::abs(*real) : *real);
    if (quoted) out += '"';
  } else if (const auto* number = std::get_if<int64_t>(&value)) {
    append_number(out, *number);
  } else {
    append_number(out, std::get<uint64_t>(value));
  }
}

/// RFC 3339, UTC, milliseconds.
void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ms);
  const std::time_t since_1970 = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  ::gmtime_r(&since_1970, &parts);
  char text[64];
  size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  out.append(text, length);
  const auto fraction = static_cast<unsigned>((ms - seconds).count());
  out += '.';
  for (unsigned unit = 100; unit > 0; unit /= 10)
    out += static_cast<char>('0' + fraction / unit % 10);
  out += 'Z';
}

std::string text_line(const LogLine& line) {
  constexpr size_t kLevelColumns = 7;
  std::string out;
  append_time(out, line.time);
  const std::string_view level = kLogLevelNames[static_cast<size_t>(line.level)];
  out += ' ';
  out += level;
  out.append(kLevelColumns - level.size() + 1, ' ');
  append_text(out, line.message, Place::kBare);
  if (!line.node.empty()) {
    out += " node=";
    append_word(out, line.node);
  }
  for (const LogField& field : line.fields) {
    out += ' ';
    append_word(out, field.key);
    out += '=';
    append_value(out, field.value, LogFormat::kText);
  }
  out += '\n';
  return out;
}

std::string json_line(const LogLine& line) {
  std::string out = R"({"ts":")";
  append_time(out, line.time);
  out += R"(","level":")";
  out += kLogLevelNames[static_cast<size_t>(line.level)];
  out += '"';
  if (!line.node.empty()) {
    out += R"(,"node":)";
    append_quoted(out, line.node, Place::kJson);
  }
  out += R"(,"msg":)";
  append_quoted(out, line.message, Place::kJson);
  for (const LogField& field : line.fields) {
    out += ',';
    append_quoted(out, field.key, Place::kJson);
    out += ':';
    append_value(out, field.value, LogFormat::kJson);
  }
  out += "}\n";
  return out;
}

}  // namespace

std::string log_line(const LogLine& line, LogFormat format) {
  return format == LogFormat::kJson ? json_line(line) : text_line(line);
}

}  // namespace pollux
