#include "persistence/state/state_folder.h"

#include <algorithm>

#include "engine/base/hash.h"

namespace pollux {
namespace {

// A name of 255 bytes is what file systems take; a timestamp and an ending come beside it.
constexpr size_t kBytesMax = 200;

void append_hex(std::string& to, uint64_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    to += "0123456789ABCDEF"[(value >> shift) & 15];
  }
}

bool is_letter_or_digit(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9');
}

}  // namespace

std::string state_folder_of(std::string_view plan) {
  constexpr std::string_view kOthers = "_-.";
  std::string folder;
  for (char byte : plan) {
    bool plain = is_letter_or_digit(byte) ||
                 (!folder.empty() && kOthers.find(byte) != std::string_view::npos);
    if (plain) {
      folder += byte;
    } else {
      folder += '%';
      append_hex(folder, static_cast<uint8_t>(byte), 2);
    }
  }
  if (folder.size() <= kBytesMax && !folder.empty()) return folder;
  folder.resize(std::min(folder.size(), kBytesMax - 17));
  folder += '%';
  append_hex(folder, XXH3_64bits(plan.data(), plan.size()), 16);
  return folder;
}

}  // namespace pollux
