#include "engine/base/cron.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <limits>
#include <vector>

namespace pollux {
namespace {

int64_t at(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
  std::chrono::sys_days date = std::chrono::year(year) / month / day;
  return (date.time_since_epoch().count() * int64_t{86400} + hour * 3600 + minute * 60 + second) *
         1000;
}

std::string shown(int64_t ms) {
  std::chrono::sys_seconds moment{std::chrono::seconds(ms / 1000)};
  auto day = std::chrono::floor<std::chrono::days>(moment);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss time(moment - day);
  char text[32];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

/// The next moments of an expression after a moment.
std::vector<std::string> next(const std::string& text, int64_t from, int count) {
  std::string error;
  std::optional<CronSchedule> cron = CronSchedule::parse(text, error);
  EXPECT_TRUE(cron.has_value()) << text << ": " << error;
  std::vector<std::string> moments;
  while (cron && count-- > 0) {
    from = cron->next_after(from);
    moments.push_back(shown(from));
  }
  return moments;
}

using Moments = std::vector<std::string>;

TEST(Cron, StepsListsAndRanges) {
  int64_t from = at(2026, 1, 31, 23, 59, 50);
  EXPECT_EQ(next("*/5 * * * * ?", from, 3),
            (Moments{"2026-01-31 23:59:55", "2026-02-01 00:00:00", "2026-02-01 00:00:05"}));
  EXPECT_EQ(next("0 0/20 8-9 * * ?", from, 4),
            (Moments{"2026-02-01 08:00:00", "2026-02-01 08:20:00", "2026-02-01 08:40:00",
                     "2026-02-01 09:00:00"}));
  EXPECT_EQ(next("0 15,45 3 ? * MON-FRI", from, 3),
            (Moments{"2026-02-02 03:15:00", "2026-02-02 03:45:00", "2026-02-03 03:15:00"}));
  EXPECT_EQ(next("0 0 0 ? jan,mar fri-mon", at(2026, 1, 31), 4),
            (Moments{"2026-03-01 00:00:00", "2026-03-02 00:00:00", "2026-03-06 00:00:00",
                     "2026-03-07 00:00:00"}));
}

TEST(Cron, AMomentThatIsNowIsNotNext) {
  EXPECT_EQ(next("0 0 3 * * ?", at(2026, 5, 1, 3), 1), (Moments{"2026-05-02 03:00:00"}));
  EXPECT_EQ(next("0 0 3 * * ?", at(2026, 5, 1, 3) - 1, 1), (Moments{"2026-05-01 03:00:00"}));
}

TEST(Cron, DaysAtTheEndsOfMonths) {
  EXPECT_EQ(next("0 0 12 L * ?", at(2028, 1, 31, 13), 2),
            (Moments{"2028-02-29 12:00:00", "2028-03-31 12:00:00"}));
  EXPECT_EQ(next("0 0 12 31 * ?", at(2026, 3, 31, 13), 2),
            (Moments{"2026-05-31 12:00:00", "2026-07-31 12:00:00"}));
  EXPECT_EQ(next("0 0 0 15W * ?", at(2026, 2, 1), 2),  // a Sunday, twice
            (Moments{"2026-02-16 00:00:00", "2026-03-16 00:00:00"}));
  EXPECT_EQ(next("0 0 0 1W * ?", at(2026, 7, 31), 1), (Moments{"2026-08-03 00:00:00"}));
  EXPECT_EQ(next("0 0 0 ? * 6#3", at(2026, 1, 1), 2),
            (Moments{"2026-01-16 00:00:00", "2026-02-20 00:00:00"}));
  EXPECT_EQ(next("0 0 0 ? * FRIL", at(2026, 1, 1), 2),
            (Moments{"2026-01-30 00:00:00", "2026-02-27 00:00:00"}));
}

TEST(Cron, YearsEnd) {
  EXPECT_EQ(next("0 0 0 29 2 ? 2027-2033", at(2026, 1, 1), 2),
            (Moments{"2028-02-29 00:00:00", "2032-02-29 00:00:00"}));
  std::string error;
  std::optional<CronSchedule> cron = CronSchedule::parse("0 0 0 1 1 ? 2020", error);
  ASSERT_TRUE(cron);
  EXPECT_EQ(cron->next_after(at(2026, 1, 1)), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(next("0 0 0 1 1 ?", std::numeric_limits<int64_t>::min(), 1),
            (Moments{"1970-01-01 00:00:00"}));
  cron = CronSchedule::parse("* * * * * ?", error);
  EXPECT_EQ(cron->next_after(std::numeric_limits<int64_t>::max() - 1),
            std::numeric_limits<int64_t>::max());
}

TEST(Cron, WhatIsWrongIsTold) {
  for (const char* text :
       {"", "* * * *", "60 * * * * ?", "a * * * * ?", "* * * * * *", "* * * ? * ?", "*/0 * * * * ?",
        "1- * * * * ?", "* * 24 * * ?", "* * * 0 * ?", "* * * * 13 ?", "* * * ? * 8",
        "* * * ? * 6#6", "1/2/3 * * * * ?", "* * * * * ? 1900", "* * * * * ? * *"}) {
    std::string error;
    EXPECT_FALSE(CronSchedule::parse(text, error).has_value()) << text;
    EXPECT_FALSE(error.empty()) << text;
  }
}

}  // namespace
}  // namespace pollux
