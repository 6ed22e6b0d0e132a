// Nodes whose stores are in a database: what they let out is there once, whoever goes away.
#include <algorithm>
#include <string>

#include "tests/server/stores/database_testing.h"

namespace pollux {
namespace {

/// Each event is a row, with the running total of its user; and each user is one, with the last.
constexpr const char* kPlan =
    "@app:name('Sums') define stream Logins (user string, n int);"
    "@sink(type='store', store='EVENT_STORE', table='STEPS')"
    "define stream Steps (user string, total long);"
    "@sink(type='store', table='TOTALS', primary.key='user')"
    "define stream Totals (user string, total long);"
    "from Logins select user, sum(n) as total group by user insert into Steps;"
    "from Steps select user, total insert into Totals;";

class SharedStoreTest : public DatabaseTest {
 protected:
  /// `count` events more; all that are sent have n = 1.
  void send_some(const Member& member, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(send(member, R"({"user":"ann","n":1})"), 200);
      ++sent_;
    }
  }
  /// Each total from 1 on once, and the last one.
  void expect_all() {
    const std::string all = std::to_string(sent_);
    EXPECT_TRUE(becomes_true([&] {
      return ask("SELECT count(*) FROM pg_tables WHERE tablename IN ('steps', 'totals')") ==
                 "2\n" &&
             ask("SELECT coalesce(max(total), 0) FROM steps") == all + "\n" &&
             ask("SELECT coalesce(max(total), 0) FROM totals") == all + "\n";
    })) << ask("SELECT * FROM pollux_progress");
    EXPECT_EQ(ask("SELECT count(*), count(DISTINCT total), sum(total) FROM steps"),
              all + "|" + all + "|" + std::to_string(sent_ * (sent_ + 1) / 2) + "\n");
    EXPECT_EQ(ask("SELECT \"user\", total FROM totals"), "ann|" + all + "\n");
  }

  int64_t sent_ = 0;
};

TEST_F(SharedStoreTest, EachRowIsThereOnceAfterFailovers) {
  Member& first = start_pair(variables_);
  deploy(first, kPlan);
  send_some(first, 20);
  kill_member(first);
  Member& second = other(first);
  ASSERT_TRUE(becomes_true([&] { return is_ready(second); })) << read(second.log);
  send_some(second, 20);
  start_member(first, variables_);
  EXPECT_EQ(&wait_for_pair(), &second);
  ASSERT_EQ(call("POST", second.url + "/v1/cluster/switchover")->status, 200);
  ASSERT_TRUE(becomes_true([&] { return role(first) == "active-paired"; })) << read(first.log);
  send_some(first, 20);
  expect_all();
  // The passive lets nothing out, and has nothing left to let out.
  EXPECT_TRUE(becomes_true([&] {
    std::string sinks = get(second.url + "/v1/sinks");
    return number_in(sinks, "lag_rows") == 0;
  })) << get(second.url + "/v1/sinks");
}

TEST_F(SharedStoreTest, RowsWaitForADatabaseThatIsAway) {
  server_.kill();
  start_member(a(), variables_ + " POLLUX__PAIR__BOOTSTRAP=true");
  ASSERT_TRUE(becomes_true([&] { return is_ready(a()); })) << read(a().log);
  deploy(a(), kPlan);
  send_some(a(), 10);
  EXPECT_TRUE(becomes_true([&] {
    return get(a().url + "/v1/sinks").find("retrying") != std::string::npos;
  })) << get(a().url + "/v1/sinks");
  ASSERT_TRUE(server_.start());
  expect_all();
  for (int round = 0; round < 3; ++round) {
    server_.kill();
    send_some(a(), 10);
    ASSERT_TRUE(server_.start());
    expect_all();
  }
}

TEST_F(SharedStoreTest, AQuestionReachesThem) {
  start_member(a(), variables_ + " POLLUX__PAIR__BOOTSTRAP=true");
  ASSERT_TRUE(becomes_true([&] { return is_ready(a()); })) << read(a().log);
  deploy(a(), kPlan);
  send_some(a(), 3);
  expect_all();
  auto answer =
      call("POST", a().url + "/v1/query", "from STEPS select sum(total) as all", "text/plain");
  ASSERT_TRUE(answer.ok());
  EXPECT_NE(answer->body.find("[[6]]"), std::string::npos) << answer->body;
}

TEST_F(SharedStoreTest, AllStoresOfADatasourceHaveItsSessionsTogether) {
  std::string settings = read(path("settings.yaml"));
  settings.insert(settings.find("stores:"), "      max_active: 2\n");
  write("settings.yaml", settings + "  event_store_wo: analytics\n");
  ask("ALTER ROLE pollux CONNECTION LIMIT 2");  // a third one is refused
  start_member(a(), variables_ + " POLLUX__PAIR__BOOTSTRAP=true");
  ASSERT_TRUE(becomes_true([&] { return is_ready(a()); })) << read(a().log);
  deploy(a(), std::string(kPlan) +
                  "@sink(type='store', store='EVENT_STORE_WO', table='RAW')"
                  "define stream Raw (user string);"
                  "from Logins select user insert into Raw;");
  send_some(a(), 20);
  expect_all();
  EXPECT_TRUE(becomes_true([&] { return ask("SELECT count(*) FROM raw") == "20\n"; }))
      << get(a().url + "/v1/sinks");
}

}  // namespace
}  // namespace pollux
