// Which version of SiddhiQL a plan is meant in, where versions read or do things differently.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pollux {

/// Frozen: stands in encoded deploy entries.
enum class Dialect : uint8_t {
  k51 = 0,  ///< Siddhi 5.1
  k31 = 1,  ///< Siddhi 3.1.2, which the plans of IS Analytics were written for
};

/// "5.1" or "3.1"; empty for anything else.
inline std::optional<Dialect> parse_dialect(std::string_view text) {
  if (text == "5.1") return Dialect::k51;
  if (text == "3.1") return Dialect::k31;
  return std::nullopt;
}

}  // namespace pollux
