#include "server/formats/row_error.h"

#include "server/formats/utf8.h"

namespace pollux {

namespace {

constexpr size_t kShownBytesMax = 48;

}  // namespace

std::string_view name_of(RowErrorKind kind) {
  switch (kind) {
    case RowErrorKind::kShortRow:
      return "short row";
    case RowErrorKind::kLongRow:
      return "long row";
    case RowErrorKind::kWrongType:
      return "wrong type";
    case RowErrorKind::kOutOfRange:
      return "out of range";
    case RowErrorKind::kBadUtf8:
      return "broken UTF-8";
    case RowErrorKind::kBadQuote:
      return "bad quote";
    case RowErrorKind::kLineTooLong:
      return "line too long";
    case RowErrorKind::kBadJson:
      return "bad JSON";
    case RowErrorKind::kBadTimestamp:
      return "bad timestamp";
    case RowErrorKind::kBadHeader:
      return "bad header";
    case RowErrorKind::kOtherStream:
      return "other stream";
    case RowErrorKind::kUnreadable:
      return "unreadable";
  }
  return "error";
}

std::string to_text(const RowError& error, std::string_view file) {
  std::string text(file);
  text += ':';
  text += std::to_string(error.line);
  text += ": ";
  if (!error.field.empty()) {
    text += error.field;
    text += ": ";
  }
  text += error.reason;
  return text;
}

std::string shown_for_message(std::string_view text) {
  bool cut = text.size() > kShownBytesMax;
  if (cut) {
    text = text.substr(0, kShownBytesMax);
    // Do not cut inside a character: drop its bytes (at most four) with the leading one.
    bool inside = (text.back() & 0x80) != 0;
    for (int i = 0; i < 4 && inside; ++i) {
      inside = (text.back() & 0xC0) == 0x80;
      text.remove_suffix(1);
    }
  }
  bool valid = is_utf8(text);
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string shown;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !valid)) {
      shown += "\\x";
      shown += kHex[byte >> 4];
      shown += kHex[byte & 15];
    } else {
      shown += c;
    }
  }
  if (cut) shown += "...";
  return shown;
}

std::string quoted_for_message(std::string_view text) {
  return '"' + shown_for_message(text) + '"';
}

}  // namespace pollux
