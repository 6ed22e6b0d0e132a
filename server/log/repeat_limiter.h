// How often the same complaint is let through: so many in each interval, and a count of the rest.
//
// Names are the code's own words; beyond kLimitNamesMax of them all others share one limit.
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pollux {

struct RepeatLimit {
  uint32_t messages = 10;
  std::chrono::milliseconds interval{10'000};
};

class RepeatLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr size_t kLimitNamesMax = 256;

  struct Suppressed {
    std::string name;
    uint64_t count = 0;
  };

  explicit RepeatLimiter(RepeatLimit limit) : limit_(limit) {}

  /// May one more message of this name be logged?
  bool admit(std::string_view name, Time now);
  /// What was held back in intervals that are over (all: in those that run too); told once.
  std::vector<Suppressed> take_suppressed(Time now, bool all);

 private:
  struct Window {
    Time begin;
    uint32_t admitted = 0;
    uint64_t suppressed = 0;
  };

  const RepeatLimit limit_;
  std::mutex mutex_;
  std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace pollux
