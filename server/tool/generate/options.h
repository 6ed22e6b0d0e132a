// What to generate.
#pragma once

#include <cstdint>

namespace pollux::traffic {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kMinuteMs = 60 * kSecondMs;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;

struct TrafficOptions {
  static constexpr int64_t kDefaultStartMs = 1767571200000;  ///< Monday 2026-01-05T00:00:00Z

  uint64_t seed = 1;
  int64_t start_ms = kDefaultStartMs;
  int64_t duration_ms = kDayMs;
  uint32_t users = 20'000;
  uint64_t events_per_day = 500'000;
  uint32_t attacks_per_kind = 5;

  int64_t end_ms() const { return start_ms + duration_ms; }
};

/// Limits of the options, checked by the command.
constexpr uint32_t kUsersMin = 100;
constexpr uint32_t kUsersMax = 2'000'000;
constexpr uint64_t kEventsPerDayMax = 2'000'000'000;
constexpr int64_t kDurationMaxMs = 366 * kDayMs;
constexpr uint32_t kAttacksMax = 1'000;
/// Journeys take hours: shorter runs have no room for them.
constexpr int64_t kDurationWithAttacksMinMs = 18 * kHourMs;

}  // namespace pollux::traffic
