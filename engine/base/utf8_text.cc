#include "engine/base/utf8_text.h"

namespace pollux {
namespace {

/// Bytes of the character that begins here: 1 to 4.
size_t width_at(std::string_view text, size_t at) {
  auto first = static_cast<uint8_t>(text[at]);
  size_t width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  for (size_t i = 1; i < width; ++i) {
    if (at + i >= text.size() || (static_cast<uint8_t>(text[at + i]) & 0xc0) != 0x80) return 1;
  }
  return width;
}

bool between(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

/// Blocks where a capital is followed by its small letter; `odd`: capitals are odd.
bool is_paired(char32_t c, bool& odd) {
  odd = between(c, 0x139, 0x148) || between(c, 0x179, 0x17e);
  return odd || between(c, 0x100, 0x12f) || between(c, 0x132, 0x137) || between(c, 0x14a, 0x177) ||
         between(c, 0x1e00, 0x1e95) || between(c, 0x1ea0, 0x1eff) || between(c, 0x460, 0x481) ||
         between(c, 0x48a, 0x4bf) || between(c, 0x4d0, 0x52f);
}

}  // namespace

std::u32string characters_of(std::string_view text) {
  std::u32string characters;
  for (size_t at = 0; at < text.size();) {
    size_t width = width_at(text, at);
    auto character = static_cast<char32_t>(static_cast<uint8_t>(text[at]));
    if (width > 1) {
      character &= 0x7fU >> width;
      for (size_t i = 1; i < width; ++i) {
        character = (character << 6) | (static_cast<uint8_t>(text[at + i]) & 0x3fU);
      }
    }
    characters += character;
    at += width;
  }
  return characters;
}

void append_character(std::string& text, char32_t c) {
  auto put = [&text](char32_t byte) { text += static_cast<char>(static_cast<uint8_t>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3f));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

std::string text_of(std::u32string_view characters) {
  std::string text;
  for (char32_t c : characters) append_character(text, c);
  return text;
}

int64_t count_characters(std::string_view text) {
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); at += width_at(text, at)) ++count;
  return count;
}

size_t byte_of_character(std::string_view text, int64_t n) {
  size_t at = 0;
  for (; n > 0 && at < text.size(); --n) at += width_at(text, at);
  return at;
}

char32_t lower_case(char32_t c) {
  if (between(c, 'A', 'Z')) return c + 32;
  if (c < 0x80) return c;
  if (between(c, 0xc0, 0xde) && c != 0xd7) return c + 32;
  if (c == 0x178) return 0xff;
  if (between(c, 0x391, 0x3a9) && c != 0x3a2) return c + 32;
  if (between(c, 0x410, 0x42f)) return c + 32;
  if (between(c, 0x400, 0x40f)) return c + 80;
  bool odd = false;
  if (is_paired(c, odd) && (c % 2 == 1) == odd) return c + 1;
  return c;
}

char32_t upper_case(char32_t c) {
  if (between(c, 'a', 'z')) return c - 32;
  if (c < 0x80) return c;
  if (between(c, 0xe0, 0xfe) && c != 0xf7) return c - 32;
  if (c == 0xff) return 0x178;
  if (c == 0x3c2) return 0x3a3;
  if (between(c, 0x3b1, 0x3c9)) return c - 32;
  if (between(c, 0x430, 0x44f)) return c - 32;
  if (between(c, 0x450, 0x45f)) return c - 80;
  bool odd = false;
  if (is_paired(c, odd) && (c % 2 == 1) != odd) return c - 1;
  return c;
}

}  // namespace pollux
