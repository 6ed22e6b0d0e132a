// Times written as text, as in `within '2017-06-01 04:05:50', '2017-06-02 00:00:00 +05:30'`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/calendar_unit.h"

namespace pollux {

/// yyyy-MM-dd HH:mm:ss, in UTC unless an offset follows (+HH:mm or -HH:mm after a space):
/// milliseconds since 1970. Blanks around it do not count. Empty when the text is no such time or
/// no such day exists.
std::optional<int64_t> parse_time_text(std::string_view text);

/// The same with stars for its last parts, as in '2017-06-** **:**:** +05:30': all of that month
/// there. Without stars it is one second.
std::optional<TimeRange> parse_time_pattern(std::string_view text);

}  // namespace pollux
