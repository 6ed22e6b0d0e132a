#include "server/formats/json_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace pollux {

namespace {

constexpr size_t kNumberBytesMax = 32;
constexpr size_t kPieceBytes = 4096;
constexpr size_t kEscapedBytesMax = 6;  // \u00XX

/// 0: stands for itself; 'u': \u00XX; else the letter behind the backslash.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (size_t c = 0; c < 0x20; ++c) escapes[c] = 'u';
  escapes[0x7F] = 'u';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  return escapes;
}();

char* write_escaped(char* to, char c, char escape) {
  constexpr char kHex[] = "0123456789abcdef";
  *to++ = '\\';
  *to++ = escape;
  if (escape == 'u') {
    *to++ = '0';
    *to++ = '0';
    *to++ = kHex[static_cast<unsigned char>(c) >> 4];
    *to++ = kHex[c & 15];
  }
  return to;
}

/// `to` has room for kEscapedBytesMax bytes per byte of `text`.
char* write_escaped(char* to, std::string_view text) {
  for (char c : text) {
    char escape = kEscapes[static_cast<unsigned char>(c)];
    if (escape == 0) [[likely]] {
      *to++ = c;
    } else {
      to = write_escaped(to, c, escape);
    }
  }
  return to;
}

template <class T>
void append_number(OutputBuffer& out, T value) {
  char* to = out.reserve(kNumberBytesMax);
  char* end = std::to_chars(to, to + kNumberBytesMax, value).ptr;
  out.commit(static_cast<size_t>(end - to));
}

template <class T>
void append_fractional(OutputBuffer& out, T value) {
  if (std::isfinite(value)) [[likely]] {
    append_number(out, value);
  } else if (std::isnan(value)) {
    out.append("\"NaN\"");
  } else {
    out.append(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  }
}

}  // namespace

void append_json_string(OutputBuffer& out, std::string_view text) {
  out.append('"');
  while (!text.empty()) {
    std::string_view piece = text.substr(0, kPieceBytes);
    text.remove_prefix(piece.size());
    char* to = out.reserve(piece.size() * kEscapedBytesMax);
    out.commit(static_cast<size_t>(write_escaped(to, piece) - to));
  }
  out.append('"');
}

std::string json_string(std::string_view text) {
  std::string quoted(text.size() * kEscapedBytesMax + 2, '"');
  char* end = write_escaped(quoted.data() + 1, text);
  *end++ = '"';
  quoted.resize(static_cast<size_t>(end - quoted.data()));
  return quoted;
}

void append_json_number(OutputBuffer& out, int32_t value) { append_number(out, value); }
void append_json_number(OutputBuffer& out, int64_t value) { append_number(out, value); }
void append_json_number(OutputBuffer& out, uint64_t value) { append_number(out, value); }
void append_json_number(OutputBuffer& out, float value) { append_fractional(out, value); }
void append_json_number(OutputBuffer& out, double value) { append_fractional(out, value); }

}  // namespace pollux
