#include "ha/base/random_id.h"

#include <charconv>

#include "absl/strings/str_format.h"

namespace pollux {
namespace {

constexpr size_t kDigits = 16;  // of half an id

bool read_half(std::string_view text, uint64_t& half) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), half, 16);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string hex_of(uint64_t high, uint64_t low) { return absl::StrFormat("%016x%016x", high, low); }

bool read_hex(std::string_view text, uint64_t& high, uint64_t& low) {
  return text.size() == 2 * kDigits && read_half(text.substr(0, kDigits), high) &&
         read_half(text.substr(kDigits), low);
}

}  // namespace pollux
