// conf/plans/sessions.siddhi: sessions that begin, go on, end, and are forgotten by their users.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/engine/plans/shipped_plan.h"
#include "tests/engine/runtime/stored_testing.h"

namespace pollux {
namespace {

using test::Row;
using test::StoredNode;
using Lines = std::vector<std::string>;

constexpr int64_t kMinute = 60'000;
constexpr int64_t kDay = 1440 * kMinute;
constexpr int64_t kBegin = 20'000 * kDay;  // a day's first moment

class Sessions {
 public:
  explicit Sessions(const PlanParameters& parameters = {}, int64_t now_ms = kBegin,
                    std::vector<StoredRows> stored = {})
      : node(now_ms) {
    node.must_deploy(test::shipped_plan("sessions", parameters), std::move(stored));
  }

  struct Event {
    std::string session;
    int action = 1;
    int64_t start_ms = kBegin;
    int64_t ends_ms = kBegin + kDay;
    std::string user = "ada";
    bool remembered = false;
    int tenant = -1234;
  };
  void send(const Event& event) {
    node.send("OverallSession",
              {event.tenant, event.session, event.start_ms, node.now_ms, event.ends_ms,
               event.action, event.user, std::string("PRIMARY"), std::string("10.0.0.1"),
               std::string("LK"), std::string("carbon.super"), std::string("travel"),
               std::string("LOCAL"), event.remembered, std::string("agent"), node.now_ms});
  }
  void pass(int64_t ms) { node.pass(ms); }
  int64_t now() const { return node.now_ms; }

  /// A session of the user that has lasted so long.
  void ended(const std::string& session, int64_t lasted_ms, const std::string& user = "ada") {
    int64_t start = now() - lasted_ms;
    send({session, 1, start, now() + kDay, user});
    send({session, 0, start, now(), user});
  }

  std::string live() { return node.answer("from ActiveSessions select sessionId"); }
  std::string count() {
    return node.answer("from ActiveCount select meta_tenantId, activeSessionCount");
  }
  /// What came out on the stream in all entries, as its columns say, without entry and ordinal.
  Lines results(const std::string& stream, const std::vector<size_t>& columns) const {
    Lines found;
    for (const std::string& line : node.all_lines) {
      Lines words;
      for (size_t at = 0; at <= line.size();) {
        size_t end = std::min(line.find(' ', at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end + 1;
      }
      if (words.at(1) != stream) continue;
      std::string row;
      for (size_t column : columns) row += (row.empty() ? "" : " ") + words.at(2 + column);
      found.push_back(row);
    }
    return found;
  }
  Lines long_sessions() const { return results("LongSessions", {2, 3, 4, 5}); }

  StoredNode node;
};

TEST(Sessions, ASessionIsLiveFromItsBeginToItsEnd) {
  Sessions s;
  s.send({"one"});
  s.send({"two"});
  EXPECT_EQ(s.live(), "one;two");
  EXPECT_EQ(s.count(), "-1234 2");
  s.send({"one", 2, kBegin, kBegin + 2 * kDay});
  EXPECT_EQ(s.live(), "one;two") << "it goes on";
  EXPECT_EQ(s.count(), "-1234 2");
  s.send({"one", 0, kBegin, kBegin + 5000});
  EXPECT_EQ(s.live(), "two");
  EXPECT_EQ(s.count(), "-1234 1");
  // sessionId, endTimestamp - begin, duration, isActive
  EXPECT_EQ(s.results("SessionInfo", {1, 6, 7}),
            (Lines{"one 0 true", "two 0 true", "one 0 true", "one 5000 false"}));
}

TEST(Sessions, WhatComesTwiceCountsOnce) {
  Sessions s;
  for (int i = 0; i < 3; ++i) s.send({"one"});
  EXPECT_EQ(s.count(), "-1234 1");
  for (int i = 0; i < 3; ++i) s.send({"one", 0, kBegin, kBegin + 1000});
  s.send({"unknown", 0, kBegin, kBegin + 1000});
  EXPECT_EQ(s.count(), "-1234 0");
  EXPECT_EQ(s.node.answer("from SessionDuration within 0L, 9000000000000L per 'days' "
                          "select username, totalDuration, sessions"),
            "ada 1000 1");
}

TEST(Sessions, BegunAndEndedWithinOneBatchIsGone) {
  Sessions s;
  auto row = [&](int action) {
    return Row{-1234,
               std::string("one"),
               kBegin,
               kBegin,
               kBegin + 10,
               action,
               std::string("ada"),
               std::string("PRIMARY"),
               Value{},
               Value{},
               std::string("carbon.super"),
               Value{},
               Value{},
               false,
               Value{},
               kBegin};
  };
  s.node.send_all("OverallSession", {row(1), row(0)});
  EXPECT_EQ(s.live(), "");
  EXPECT_EQ(s.count(), "-1234 0");
  EXPECT_EQ(s.node.store_of("Sessions:ActiveSessions.changes"), Lines{});
}

TEST(Sessions, AnIdleSessionEndsAtItsTime) {
  Sessions s;
  for (const char* session : {"a", "b", "c"}) s.send({session, 1, kBegin, kBegin + 90'000});
  s.send({"d", 1, kBegin, kBegin + kDay});
  s.pass(kMinute);
  EXPECT_EQ(s.count(), "-1234 4");
  s.send({"a", 2, kBegin, kBegin + 300'000});
  s.pass(kMinute);
  EXPECT_EQ(s.live(), "a;d") << "b and c ended together, a was renewed";
  EXPECT_EQ(s.count(), "-1234 2");
  Lines info = s.results("SessionInfo", {1, 6, 7});
  EXPECT_EQ(Lines(info.end() - 2, info.end()), (Lines{"b 90000 false", "c 90000 false"}));
}

TEST(Sessions, EachMinuteCountsWhatBeganAndEndedAndIsLive) {
  Sessions s;
  s.send({"a"});
  s.send({"b"});
  s.send({"x", 1, kBegin, kBegin + kDay, "eve", false, 7});
  s.pass(kMinute + 1000);
  s.send({"a", 0, kBegin, s.now()});
  s.send({"c"});
  s.send({"d"});
  s.pass(200);
  // AGG_TIMESTAMP, tenant, live, began, ended, time of the last change, erased
  auto stat = [&](const std::string& unit) {
    Lines rows = s.node.store_of("Sessions:SessionStat." + unit + ".changes");
    for (std::string& row : rows) row.erase(row.rfind(' '));
    return rows;
  };
  const std::string first = std::to_string(kBegin);
  const std::string second = std::to_string(kBegin + kMinute);
  EXPECT_EQ(stat("minutes"),
            (Lines{first + " -1234 2 2 0", first + " 7 1 1 0", second + " -1234 3 2 1"}));
  EXPECT_EQ(stat("days"), (Lines{first + " -1234 3 4 1", first + " 7 1 1 0"}));
}

TEST(Sessions, ALongSessionIsToldOnce) {
  Sessions s;
  s.ended("e1", 600'000);
  s.ended("e2", 1'000'000);  // 800 s on average
  s.send({"long", 1, kBegin});
  s.send({"remembered", 1, kBegin, kBegin + kDay, "ada", true});
  s.send({"new user", 1, kBegin, kBegin + kDay, "eve"});
  s.pass(1'200'000);
  EXPECT_EQ(s.long_sessions(), Lines{}) << "no longer than by a half";
  s.pass(120'000);
  EXPECT_EQ(s.long_sessions(), Lines{"long ada 1320000 800000.0"});
  s.send({"long", 2, kBegin});
  s.pass(3'600'000);
  EXPECT_EQ(s.long_sessions().size(), 1U);
  EXPECT_EQ(s.results("AbnormalLongSessionAlert", {0, 1, 2}),
            Lines{"-1234 AbnormalLongSessionAlert carbon.super"});
  EXPECT_NE(std::find_if(s.node.all_lines.begin(), s.node.all_lines.end(),
                         [](const std::string& line) {
                           return line.find(
                                      "Abnormal long session of 1320000 milliseconds detected "
                                      "by user: ada on session id: long.") != std::string::npos;
                         }),
            s.node.all_lines.end());
}

TEST(Sessions, TheAverageIsOfTheLastDays) {
  Sessions s;
  s.ended("e1", 10 * 3'600'000);  // it began the day before
  s.pass(5 * kDay);
  s.ended("e2", 100'000);
  const int64_t start = s.now();
  s.send({"long", 1, start, start + kDay});
  s.pass(1'000'000);
  EXPECT_EQ(s.long_sessions(), Lines{}) << "ten hours are usual for this user";
  s.send({"long", 0, start, start});  // 0 ms: the average is smaller still
  s.pass(2 * kDay);
  s.send({"later", 1, s.now(), s.now() + kDay});
  s.pass(1'000'000);
  EXPECT_EQ(s.long_sessions().size(), 1U) << "the ten hours are out of the seven days";
}

TEST(Sessions, TheNumbersAreParameters) {
  Sessions s({{"sessionDurationThreshold", "100000"},
              {"avgPercentageThreshold", "10.0"},
              {"numberOfDays", "1"}});
  s.pass(600'000);
  s.ended("e1", 100'000);
  s.send({"long", 1, s.now()});
  s.pass(120'000);
  EXPECT_EQ(s.long_sessions(), Lines{"long ada 120000 100000.0"});
}

TEST(Sessions, SeveralLongSessionsOfSeveralUsersEachHaveTheirOwnAverage) {
  Sessions s;
  s.ended("e1", 100'000);
  s.ended("e2", 300'000, "bob");
  s.ended("e3", 500'000, "bob");
  s.send({"l1", 1, kBegin, kBegin + kDay, "ada"});
  s.send({"l2", 1, kBegin, kBegin + kDay, "bob"});
  s.pass(960'000);
  s.send({"l3", 1, kBegin, kBegin + kDay, "bob"});
  s.pass(120'000);
  EXPECT_EQ(s.long_sessions(),
            (Lines{"l1 ada 960000 100000.0", "l2 bob 960000 400000.0", "l3 bob 1080000 400000.0"}));
}

/// What a day of some users looks like; `between` comes between any two steps.
template <class Between>
void some_day(Sessions& s, Between&& between) {
  for (int i = 0; i < 60; ++i) {
    const std::string session = "s" + std::to_string(i % 20);
    const std::string user = "user " + std::to_string(i % 3);
    switch (i % 4) {
      case 3:
        s.send({session, 0, s.now() - 600'000, s.now(), user});
        break;
      default:
        s.send({session, i % 4 == 0 ? 1 : 2, s.now() - 500'000,
                s.now() + (i % 5 == 0 ? 100'000 : 3'000'000), user});
    }
    between();
    s.pass(70'000);
    between();
  }
}

TEST(Sessions, ARestartChangesNothing) {
  Sessions whole;
  Sessions restarted;
  some_day(whole, [] {});
  some_day(restarted, [&] {
    std::string state = restarted.node.engine.save_state("Sessions");
    ASSERT_EQ(restarted.node.engine.restore_state("Sessions", state), "");
  });
  EXPECT_EQ(restarted.node.all_lines, whole.node.all_lines);
  EXPECT_FALSE(whole.long_sessions().empty());
}

TEST(Sessions, AFreshPlanGoesOnFromTheTables) {
  Sessions s;
  s.ended("e1", 600'000);
  s.send({"long", 1, kBegin});
  s.send({"idle", 1, kBegin, kBegin + 1'030'000});
  s.pass(1'000'000);
  EXPECT_EQ(s.long_sessions().size(), 2U);

  Sessions fresh({}, s.now(), s.node.stored());
  EXPECT_EQ(fresh.live(), "long;idle");
  EXPECT_EQ(fresh.count(), "-1234 2");
  fresh.pass(600'000);
  EXPECT_EQ(fresh.live(), "long");
  EXPECT_EQ(fresh.count(), "-1234 1");
  EXPECT_EQ(fresh.long_sessions(), Lines{}) << "it was told before";
}

}  // namespace
}  // namespace pollux
