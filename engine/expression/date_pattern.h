// Patterns of dates as Java's SimpleDateFormat has them, such as yyyy-MM-dd HH:mm:ss.SSS.
//
// Letters: G era, y year, M month, d day, D day of the year, E and u day of the week, a AM or PM,
// H (0-23), k (1-24), K (0-11), h (1-12), m, s, S millisecond, z, Z and X zone, w week of the year.
// Other letters are no pattern; text in quotes stands for itself. Names are English.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pollux {

class DatePattern {
 public:
  /// What lies beyond is no date.
  static constexpr int64_t kYearMax = 9'999'999;

  /// Empty when the text is no pattern.
  static std::optional<DatePattern> parse(std::string_view text);

  /// A moment in a zone that is so many minutes ahead of UTC.
  std::string format(int64_t ms, int32_t offset_minutes) const;

  /// The moment that the text begins with; what follows is not looked at. Without a zone in the
  /// text it is in the zone given; what the pattern lacks is that of 1970-01-01 00:00. Empty when
  /// the text does not fit or there is no such day or time.
  std::optional<int64_t> read(std::string_view text, int32_t offset_minutes) const;

 private:
  /// A letter and how often it stands there, or text (letter 0).
  struct Part {
    char letter;
    size_t width;
    std::string text;
  };

  std::vector<Part> parts_;
};

/// Minutes that a zone is ahead of UTC: UTC, GMT, Z, an offset such as +05:30 or GMT+2, or the name
/// of a zone without summer time (IST, JST, EST, ...). Empty when it is none of these.
std::optional<int32_t> zone_offset(std::string_view name);

/// Week of the year as Java counts it in the US: weeks begin on Sunday, the first has January 1st.
int32_t week_of_year(int64_t ms);

}  // namespace pollux
