#include "engine/expression/time_text.h"

#include <gtest/gtest.h>

namespace pollux {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDay = 24 * kHourMs;
constexpr int64_t kLeapDay = 1'709'164'800'000;  // 2024-02-29 00:00:00

TEST(TimeText, ReadsATimeWithAndWithoutAnOffset) {
  EXPECT_EQ(parse_time_text("2024-02-29 00:00:00"), kLeapDay);
  EXPECT_EQ(parse_time_text("  2024-02-29 00:00:00 "), kLeapDay);
  EXPECT_EQ(parse_time_text("2024-02-29 05:30:00 +05:30"), kLeapDay);
  EXPECT_EQ(parse_time_text("2024-02-28 13:00:01 -11:00"), kLeapDay + 1000);
  EXPECT_EQ(parse_time_text("2024-02-29 18:00:00 +18:00"), kLeapDay);
  EXPECT_EQ(parse_time_text("1970-01-01 00:00:00"), 0);
  EXPECT_EQ(parse_time_text("1969-12-31 23:59:59"), -1000);
}

TEST(TimeText, RefusesWhatIsNoTime) {
  for (const char* none :
       {"", " ", "2024-02-29", "2023-02-29 00:00:00", "2024-13-01 00:00:00", "2024-00-01 00:00:00",
        "2024-02-00 00:00:00", "2024-02-29 24:00:00", "2024-02-29 00:60:00", "2024-02-29 00:00:60",
        "2024-02-29T00:00:00", "2024-02-29 00:00:00Z", "2024-02-29 00:00:00 +18:01",
        "2024-02-29 00:00:00 +05:60", "2024-02-29 00:00:00 05:30", "2024-02-29 00:00:**",
        "2024-2-29 00:00:00", "2024-02-29 00:00:00.5"}) {
    EXPECT_EQ(parse_time_text(none), std::nullopt) << none;
  }
}

TEST(TimePattern, StarsAreAllOfASpan) {
  auto expect = [](const char* text, int64_t from, int64_t to) {
    auto range = parse_time_pattern(text);
    ASSERT_TRUE(range) << text;
    EXPECT_EQ(range->from_ms, from) << text;
    EXPECT_EQ(range->to_ms, to) << text;
  };
  expect("2024-02-29 01:02:03", kLeapDay + kHourMs + 123'000, kLeapDay + kHourMs + 124'000);
  expect("2024-02-29 01:02:**", kLeapDay + kHourMs + 120'000, kLeapDay + kHourMs + 180'000);
  expect("2024-02-29 01:**:**", kLeapDay + kHourMs, kLeapDay + 2 * kHourMs);
  expect("2024-02-29 **:**:**", kLeapDay, kLeapDay + kDay);
  expect("2024-02-** **:**:**", kLeapDay - 28 * kDay, kLeapDay + kDay);
  expect("2024-**-** **:**:**", kLeapDay - 59 * kDay, kLeapDay + 307 * kDay);
  expect("2024-02-** **:**:** +05:30", kLeapDay - 28 * kDay - 11 * kHourMs / 2,
         kLeapDay + kDay - 11 * kHourMs / 2);
  expect("2024-02-29 **:**:** -11:00", kLeapDay + 11 * kHourMs, kLeapDay + kDay + 11 * kHourMs);
}

TEST(TimePattern, StarsStandLastAndWhole) {
  for (const char* none :
       {"", "****-**-** **:**:**", "2024-**-29 **:**:**", "2024-02-29 **:00:00",
        "2024-02-29 01:**:00", "2024-02-29 01:02:*3", "2024-02-29 01:02:**:1000",
        "2024-13-** **:**:**", "2023-02-29 **:**:**", "2024-02-** **:**:** +5:30", "**"}) {
    EXPECT_EQ(parse_time_pattern(none), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace pollux
