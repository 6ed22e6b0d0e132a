// Numbers and durations as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pollux::tool {

/// 14549 as "14,549".
std::string with_thousands(uint64_t value);

/// "1 event", "2 events", "no events"; the plural is `noun` + "s".
std::string counted(uint64_t value, std::string_view noun);

/// Milliseconds of "90s", "1 min", "2h", "500 ms", "1 day"; empty when it is no duration. The unit
/// is needed. At most ten years.
std::optional<int64_t> parse_duration_ms(std::string_view text);

/// "850 ms", "12 s", "3 min 20 s", "2 h 5 min", "4 d 1 h".
std::string duration_text(uint64_t ms);

/// `text` without what would move a terminal: control characters become '?'.
std::string printable(std::string_view text);

}  // namespace pollux::tool
