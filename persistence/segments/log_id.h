// What names a log for ever: 128 random bits, drawn when it is made.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace pollux {

struct LogId {
  uint64_t high = 0;
  uint64_t low = 0;
  friend auto operator<=>(const LogId&, const LogId&) = default;
};

/// Of the operating system's randomness. Thread: any.
LogId random_log_id();

/// 32 hexadecimal digits.
std::string to_string(const LogId& id);

}  // namespace pollux
