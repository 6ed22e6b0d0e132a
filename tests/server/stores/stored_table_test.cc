// Tables and aggregations of plans that are kept in a store: it follows, and a plan begins with it.
#include <string>

#include "storage/remote/postgres_session.h"
#include "tests/server/stores/database_testing.h"

namespace pollux {
namespace {

constexpr const char* kPlan =
    "@app:name('Users') define stream Logins (user string, n int);"
    "define stream Leavers (user string);"
    "@store(type='rdbms', datasource='analytics', table.name='USERS') @PrimaryKey('user')"
    "define table Users (user string, total long);"
    "from Logins select user, convert(n, 'long') as total "
    "update or insert into Users set Users.total = total on Users.user == user;"
    "from Leavers delete Users on Users.user == user;";

constexpr int64_t kPatienceMs = 20'000;

class StoredTableTest : public DatabaseTest {
 protected:
  void start() {
    start_member(a(), variables_ + " POLLUX__PAIR__BOOTSTRAP=true");
    ASSERT_TRUE(becomes_true([&] { return is_ready(a()); })) << read(a().log);
  }
  int leave(const std::string& user) {
    auto answer =
        call("POST", a().url + "/v1/streams/Leavers/events", R"({"user":")" + user + R"("})");
    return answer.ok() ? answer->status : 0;
  }
  std::string in_memory() {
    auto answer = call("POST", a().url + "/v1/query?plan=Users",
                       "from Users select user, total order by user", "text/plain");
    return answer.ok() ? answer->body.substr(answer->body.find("\"rows\"")) : "";
  }
  void expect_stored(const std::string& rows) {
    EXPECT_TRUE(becomes_true([&] {
      return ask("SELECT count(*) FROM pg_tables WHERE tablename = 'users'") == "1\n" &&
             ask("SELECT \"user\", total FROM users ORDER BY 1") == rows;
    })) << ask("SELECT * FROM users");
  }
};

TEST_F(StoredTableTest, TheStoreFollowsAndAPlanBeginsWithIt) {
  start();
  deploy(a(), kPlan);
  ASSERT_EQ(send(a(), R"([{"user":"ann","n":1},{"user":"bob","n":2},{"user":"ann","n":3}])"), 200);
  ASSERT_EQ(send(a(), R"({"user":"'; DROP TABLE users; --","n":4})"), 200);
  ASSERT_EQ(leave("bob"), 200);
  expect_stored("'; DROP TABLE users; --|4\nann|3\n");
  const std::string before = in_memory();
  // What somebody else wrote is there from the next deployment on.
  ASSERT_EQ(call("DELETE", a().url + "/v1/plans/Users")->status, 200);
  ask("UPDATE users SET total = 7 WHERE \"user\" = 'ann'");
  deploy(a(), kPlan);
  EXPECT_NE(in_memory(), before);
  EXPECT_NE(in_memory().find("[\"ann\",7]"), std::string::npos) << in_memory();
  ASSERT_EQ(leave("'; DROP TABLE users; --"), 200);
  expect_stored("ann|7\n");
}

TEST_F(StoredTableTest, BothNodesOfAPairBeginWithTheSame) {
  Member& first = start_pair(variables_);
  deploy(first, kPlan);
  ASSERT_EQ(send(first, R"([{"user":"ann","n":1},{"user":"bob","n":2}])"), 200);
  expect_stored("ann|1\nbob|2\n");
  ASSERT_EQ(call("DELETE", first.url + "/v1/plans/Users")->status, 200);
  deploy(first, kPlan);
  kill_member(first);
  Member& second = other(first);
  ASSERT_TRUE(becomes_true([&] { return is_ready(second); })) << read(second.log);
  auto answer = call("POST", second.url + "/v1/query?plan=Users",
                     "from Users select user, total order by user", "text/plain");
  EXPECT_NE(answer->body.find(R"([["ann",1],["bob",2]])"), std::string::npos) << answer->body;
  ASSERT_EQ(send(second, R"({"user":"ann","n":5})"), 200);
  expect_stored("ann|5\nbob|2\n");
}

TEST_F(StoredTableTest, ATableOfSomebodyElseIsReadAsFarAsThePlanKnowsIt) {
  start();
  deploy(a(), kPlan);
  ASSERT_EQ(send(a(), R"([{"user":"ann","n":1},{"user":"bob","n":2}])"), 200);
  expect_stored("ann|1\nbob|2\n");
  deploy(a(),
         "@app:name('Reader') define stream Questions (user string);"
         "@from(eventtable='rdbms', datasource.name='analytics', table.name='USERS')"
         "define table Known (total long, user string);"
         "from Questions join Known on Questions.user == Known.user "
         "select Known.user as user, Known.total as total insert into Answers;");
  EXPECT_NE(get(a().url + "/v1/sinks").find("Users.changes"), std::string::npos);
  EXPECT_EQ(get(a().url + "/v1/sinks").find("Known.changes"), std::string::npos);
  auto asked = call("POST", a().url + "/v1/streams/Questions/events", R"({"user":"bob"})");
  ASSERT_EQ(asked->status, 200) << asked->body;
  EXPECT_NE(results(a(), "Answers", 1).find("\"total\":2"), std::string::npos);
}

TEST_F(StoredTableTest, WhatIsOnItsWayToAStoreStillArrivesWhenItsPlanGoes) {
  start();
  deploy(a(), kPlan);
  ASSERT_EQ(send(a(), R"({"user":"ann","n":0})"), 200);
  expect_stored("ann|0\n");
  PostgresSessionOptions options;
  options.address.port = server_.port();
  options.address.password = "secret";
  auto holder = PostgresSession::connect(options, {"127.0.0.1"}, Deadline(kPatienceMs));
  ASSERT_TRUE(holder.ok()) << holder.status();
  for (const char* sql : {"BEGIN", "LOCK TABLE users"}) {
    ASSERT_TRUE((*holder)->query(sql, {}, Deadline(kPatienceMs)).ok());
  }
  for (int n = 1; n <= 3; ++n) {  // the first is with the database, and the others are not
    ASSERT_EQ(send(a(), "{\"user\":\"u" + std::to_string(n) + "\",\"n\":1}"), 200);
    ASSERT_TRUE(
        becomes_true([&] { return number_in(get(a().url + "/v1/sinks"), "lag_rows") == n; }));
  }
  const pid_t gone = DaemonTest::start("pollux plan undeploy Users --server " + a().url);
  ASSERT_TRUE(
      becomes_true([&] { return get(a().url + "/v1/plans").find("Users") == std::string::npos; }));
  holder->reset();  // and with it the lock
  const ShellResult undeployed = finish(gone);
  EXPECT_EQ(undeployed.exit_code, 0) << undeployed.err;
  expect_stored("ann|0\nu1|1\nu2|1\nu3|1\n");
}

TEST_F(StoredTableTest, SetupMakesWhatPlansNeedAndMayBeRunAgain) {
  write("plan.siddhi", kPlan);
  write("reader.siddhi",
        "@app:name('Reader') define stream Questions (user string);"
        "@store(type='store', table.name='NOT_OURS') define table Known (user string);"
        "from Questions[(Known.user == user) in Known] select user insert into Answers;");
  for (int round = 0; round < 2; ++round) {
    ShellResult done = shell("env " + variables_ + " pollux store setup --config " +
                             path("settings.yaml") + " plan.siddhi reader.siddhi");
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_NE(done.err.find("; tables of plans: 1"), std::string::npos) << done.err;
  }
  EXPECT_EQ(ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"),
            "pollux_columns\npollux_progress\npollux_refused_rows_event_store\n"
            "pollux_refused_rows_processed_data_store\npollux_stores\npollux_tables\nusers\n");
  write("broken.siddhi", "define stream S (a int); from S select b insert into T;");
  EXPECT_EQ(shell("env " + variables_ + " pollux store setup --config " + path("settings.yaml") +
                  " broken.siddhi")
                .exit_code,
            2);
  server_.kill();
  const auto unreachable =
      shell("env " + variables_ + " pollux store setup --config " + path("settings.yaml"));
  EXPECT_EQ(unreachable.exit_code, 5);
}

TEST_F(StoredTableTest, APlanIsRefusedWhoseTableCannotBeRead) {
  start();
  server_.kill();
  auto answer = call("POST", a().url + "/v1/plans", kPlan, "text/plain");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->status, 503) << answer->body;
  ASSERT_TRUE(server_.start());
  EXPECT_TRUE(becomes_true([&] {
    auto again = call("POST", a().url + "/v1/plans", kPlan, "text/plain");
    return again.ok() && again->status == 201;
  }));
}

TEST_F(StoredTableTest, WrongOptionsAreTold) {
  start();
  const std::string with[][2] = {
      {"type='mongodb'", "unknown type of store 'mongodb'"},
      {"type='rdbms', datasource='nowhere'", "no store is in a datasource 'nowhere'"},
      {"type='rdbms', jdbc.url='jdbc:x'", "databases stand in the settings"},
      {"type='store', store='NO_STORE'", "there is no store"},
      {"type='store', table.name='a; DROP TABLE x'", "a; DROP TABLE x"},
      {"type='store', tabel='T'", "tabel"}};
  for (const auto& [options, expected] : with) {
    auto answer = call("POST", a().url + "/v1/plans",
                       "define stream S (a int); @store(" + options +
                           ") @PrimaryKey('a') define table T (a int);"
                           "from S select a insert into T;",
                       "text/plain");
    EXPECT_EQ(answer->status, 400) << options;
    EXPECT_NE(answer->body.find(expected), std::string::npos) << answer->body;
  }
}

}  // namespace
}  // namespace pollux
