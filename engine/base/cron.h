// Cron expressions as Quartz writes them: second minute hour day-of-month month day-of-week [year].
//
// Moments are UTC, whole seconds. Each field holds numbers or names, lists (1,5), ranges (1-5),
// steps
// (*/5, 0/15, 1-9/2), * for all; one of the two days is '?'. L in the days of a month is its last
// day, 15W the weekday next to the 15th; in the days of a week (1 or SUN to 7) 6L is the last
// Friday of a month, 6#3 the third. Source: Quartz 2.3, CronExpression.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pollux {

class CronSchedule {
 public:
  /// Nullopt, with the reason in `error`, when the text is no cron expression.
  static std::optional<CronSchedule> parse(std::string_view text, std::string& error);

  /// The first moment after `ms` (milliseconds since 1970); INT64_MAX when there is none until
  /// 2199.
  int64_t next_after(int64_t ms) const;

 private:
  static constexpr int kFirstYear = 1970;
  static constexpr int kLastYear = 2199;

  class Reader;

  bool is_day(int64_t day) const;
  int64_t next_in_day(int64_t second) const;

  std::bitset<60> seconds_, minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;     ///< of the month, from 1
  std::bitset<13> months_;   ///< from 1
  std::bitset<8> weekdays_;  ///< from 1: Sunday
  std::bitset<kLastYear - kFirstYear + 1> years_;
  bool by_weekday_ = false;    ///< the day of the month is '?'
  bool last_day_ = false;      ///< L
  unsigned nearest_to_ = 0;    ///< 15W
  unsigned nth_ = 0;           ///< 6#3
  bool last_weekday_ = false;  ///< 6L
};

}  // namespace pollux
