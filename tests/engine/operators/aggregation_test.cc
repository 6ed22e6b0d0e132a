// Aggregations against a plain count over all events that were sent.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/base/calendar_unit.h"
#include "tests/engine/runtime/query_testing.h"

namespace pollux::test {
namespace {

constexpr const char* kPlan = R"(
  define stream S (user string, amount int, at long);
  @purge(enable='false')
  define aggregation A from S[amount is null or amount < 90]
  select user, sum(amount) as total, count() as events, min(amount) as low, max(amount) as high,
    distinctCount(amount) as kinds, amount * 2 as newest
  group by user aggregate by at every sec ... year;
)";

struct Event {
  std::optional<std::string> user;
  std::optional<int32_t> amount;
  int64_t at;
};

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  int64_t below(int64_t limit) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(limit));
  }

  Event event() {
    static const std::vector<std::string> kUsers = {"ann", "bob", "a user with a long name", ""};
    Event event{{}, {}, 0};
    if (below(8) != 0) event.user = kUsers[static_cast<size_t>(below(4))];
    if (below(6) != 0) event.amount = static_cast<int32_t>(below(100));
    // Spans of all sizes around the end of a leap day.
    constexpr int64_t kSpans[] = {2000,       90'000,        4'000'000,
                                  90'000'000, 3'000'000'000, 40'000'000'000};
    event.at = 1'709'251'200'000 - below(kSpans[below(6)]) + below(kSpans[below(6)]);
    return event;
  }

 private:
  std::mt19937_64 engine_;
};

/// The rows of one bucket and group, as the plan's definition says.
std::string row_of(int64_t from_ms, const std::vector<const Event*>& events) {
  int64_t total = 0;
  std::set<std::optional<int32_t>> kinds;
  std::optional<int32_t> low, high;
  const Event* newest = events[0];
  for (const Event* event : events) {
    kinds.insert(event->amount);
    if (event->at >= newest->at) newest = event;
    if (!event->amount) continue;
    total += *event->amount;
    low = std::min(low.value_or(*event->amount), *event->amount);
    high = std::max(high.value_or(*event->amount), *event->amount);
  }
  auto shown = [](const auto& value) { return value ? std::to_string(*value) : "null"; };
  std::string text = std::to_string(from_ms) + "," + newest->user.value_or("null");
  text += "," + (low ? std::to_string(total) : "null") + "," + std::to_string(events.size());
  text += "," + shown(low) + "," + shown(high) + "," + std::to_string(kinds.size());
  std::optional<int32_t> twice;
  if (newest->amount) twice = *newest->amount * 2;
  return text + "," + shown(twice);
}

/// All rows of a unit that begin in the range.
std::string expected(const std::vector<Event>& events, CalendarUnit unit, const TimeRange& range) {
  struct Group {
    std::optional<std::string> user;
    std::vector<const Event*> events;
  };
  std::map<int64_t, std::vector<Group>> buckets;
  for (const Event& event : events) {
    if (event.amount && *event.amount >= 90) continue;
    std::vector<Group>& groups = buckets[span_of(unit, event.at).from_ms];
    auto at = std::find_if(groups.begin(), groups.end(),
                           [&event](const Group& group) { return group.user == event.user; });
    if (at == groups.end()) at = groups.insert(at, {event.user, {}});
    at->events.push_back(&event);
  }
  std::string text;
  for (const auto& [from_ms, groups] : buckets) {
    if (from_ms < range.from_ms || from_ms >= range.to_ms) continue;
    for (const Group& group : groups) {
      text += (text.empty() ? "" : ";") + row_of(from_ms, group.events);
    }
  }
  return text;
}

TEST(Aggregation, HasWhatTheEventsSayHoweverTheyCome) {
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    AskedPlan plan(kPlan);
    std::vector<Event> events;
    for (int round = 0; round < 8; ++round) {
      std::vector<Row> rows;
      for (int64_t i = random.below(120); i >= 0; --i) {
        events.push_back(random.event());
        const Event& event = events.back();
        rows.push_back({event.user ? Value{*event.user} : Value{},
                        event.amount ? Value{*event.amount} : Value{}, event.at});
      }
      plan.send_all("S", rows, round);
      for (uint8_t number = 0; number < 6; ++number) {
        auto unit = static_cast<CalendarUnit>(number);
        int64_t from = random.event().at;
        TimeRange range{from, from + 1 + random.below(50'000'000'000)};
        std::string query = "from A within " + std::to_string(range.from_ms) + "L, " +
                            std::to_string(range.to_ms) + "L per '" + std::string(name_of(unit)) +
                            "'";
        EXPECT_EQ(plan.answer(query), expected(events, unit, range)) << "seed " << seed << query;
      }
    }
  }
}

TEST(Aggregation, WhatIsPurgedGivesItsMemoryBack) {
  AskedPlan plan(R"(
    define stream S (user string);
    @purge(enable='true', interval='10 sec', @retentionPeriod(sec='120 sec'))
    define aggregation A from S select user, distinctCount(user) as kinds
    group by user aggregate every sec;
  )");
  size_t early = 0;
  for (int second = 0; second < 4000; ++second) {
    plan.send("S", {"a user with the number " + std::to_string(second)}, second * 1000);
    if (second == 2000) early = plan.engine().state_bytes();
  }
  EXPECT_GT(early, 0u);
  EXPECT_LE(plan.engine().state_bytes(), early + early / 4);
  std::string left = plan.answer("from A within 0L, 9000000L per 'sec' select count() as rows");
  EXPECT_LE(std::stoi(left), 131);
}

}  // namespace
}  // namespace pollux::test
