#include "engine/base/utf8.h"

#include <cstdint>

namespace pollux {
namespace {

/// The surrogate in [first, first + 0x3FF] that `text` begins with, three bytes as if it were a
/// character; 0 when there is none.
uint32_t surrogate(std::string_view text, uint32_t first) {
  if (text.size() < 3 || text[0] != '\xED') return 0;
  auto second = static_cast<unsigned char>(text[1]);
  auto third = static_cast<unsigned char>(text[2]);
  if ((second & 0xC0) != 0x80 || (third & 0xC0) != 0x80) return 0;
  uint32_t value = 0xD000U | (second & 0x3FU) << 6 | (third & 0x3FU);
  return value >= first && value < first + 0x400 ? value : 0;
}

}  // namespace

size_t utf8_size(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t size = byte(0) < 0x80   ? 1
                : byte(0) < 0xC2 ? 0
                : byte(0) < 0xE0 ? 2
                : byte(0) < 0xF0 ? 3
                : byte(0) < 0xF5 ? 4
                                 : 0;
  if (size == 0 || size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F) ||
      (byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return size;
}

std::string repaired_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    size_t size = utf8_size(text);
    uint32_t high = size == 0 ? surrogate(text, 0xD800) : 0;
    uint32_t low = high != 0 ? surrogate(text.substr(3), 0xDC00) : 0;
    if (size > 0) {
      out += text.substr(0, size);
    } else if (low != 0) {
      uint32_t code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
      for (uint32_t shift : {18U, 12U, 6U, 0U}) {
        uint32_t lead = shift == 18 ? 0xF0 : 0x80;
        out += static_cast<char>(lead | ((code >> shift) & 0x3F));
      }
      size = 6;
    } else {
      out += "\xEF\xBF\xBD";
      size = 1;
    }
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace pollux
