// The blanks of JSON.
#pragma once

#include <string_view>

namespace pollux {

constexpr std::string_view kJsonBlanks = " \t\r\n";

/// Without blanks at both ends.
inline std::string_view json_trimmed(std::string_view text) {
  size_t begin = text.find_first_not_of(kJsonBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kJsonBlanks) - begin + 1);
}

}  // namespace pollux
