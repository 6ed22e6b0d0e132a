// Tables that are looked up in a database for each batch: what an event found is what it found, on
// both nodes and for ever, whatever becomes of the row and of the database.
#include <string>

#include "tests/server/stores/database_testing.h"

namespace pollux {
namespace {

const std::string kStore =
    "@store(type='rdbms', datasource='analytics', external='true', table.name='CLIENTS')"
    "@primaryKey('user') ";

class ExternalTableTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    server_.run(
        "CREATE TABLE clients (\"user\" varchar(40) PRIMARY KEY, tier text, since date);"
        "GRANT SELECT ON clients TO pollux;"
        "INSERT INTO clients VALUES ('ann', 'gold', '2020-01-02'), ('o''neil', 'iron', NULL)",
        "pollux");
  }
  static std::string plan() {
    return "@app:name('Logins') define stream Logins (user string, n int);"
           "define stream Plain (user string);" +
           kStore +
           "define table Clients (user string, tier string, since string);"
           "@primaryKey('tier') define table Tiers (tier string, n long);"
           "from Logins left outer join Clients on Logins.user == Clients.user "
           "select Logins.user as user, tier, since, n insert into Rich;"
           "from Rich[not (tier is null)] "
           "select tier, sum(n) as n group by tier insert into Sums;"
           "from Sums select tier, n update or insert into Tiers set Tiers.n = n "
           "on Tiers.tier == tier;"
           "from Plain select user insert into Seen;";
  }
  void start(const std::string& more = "") {
    start_member(a(), variables_ + " POLLUX__PAIR__BOOTSTRAP=true " + more);
    ASSERT_TRUE(becomes_true([&] { return is_ready(a()); })) << read(a().log);
  }
  int plain(const Member& member) {
    auto answer = call("POST", member.url + "/v1/streams/Plain/events", R"({"user":"ann"})");
    return answer.ok() ? answer->status : 0;
  }
  std::string tiers(const Member& member) {
    auto answer = call("POST", member.url + "/v1/query?plan=Logins",
                       "from Tiers select tier, n order by tier", "text/plain");
    return answer.ok() ? answer->body.substr(answer->body.find("\"rows\"")) : "";
  }
  HttpClientResponse tried(const std::string& text) {
    auto answer = call("POST", a().url + "/v1/plans", text, "text/plain");
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : HttpClientResponse{};
  }
};

TEST_F(ExternalTableTest, EventsFindTheRowsThatAreThereThen) {
  start();
  deploy(a(), plan());
  ASSERT_EQ(send(a(), R"([{"user":"ann","n":1},{"user":"eve","n":2},{"user":null,"n":3},)"
                      R"({"user":"o'neil","n":4},{"user":"ann","n":5}])"),
            200);
  ask("UPDATE clients SET tier = 'iron' WHERE \"user\" = 'ann'");
  ask("INSERT INTO clients VALUES ('eve', 'tin', NULL)");
  ASSERT_EQ(send(a(), R"([{"user":"ann","n":6},{"user":"eve","n":7}])"), 200);
  const std::string rich = results(a(), "Rich", 7);
  const char* const wanted[] = {R"("user":"ann","tier":"gold","since":"2020-01-02","n":1)",
                                R"("user":"eve","tier":null,"since":null,"n":2)",
                                R"("user":null,"tier":null,"since":null,"n":3)",
                                R"("user":"o'neil","tier":"iron","since":null,"n":4)",
                                R"("user":"ann","tier":"gold","since":"2020-01-02","n":5)",
                                R"("user":"ann","tier":"iron","since":"2020-01-02","n":6)",
                                R"("user":"eve","tier":"tin","since":null,"n":7)"};
  size_t at = 0;
  for (const char* each : wanted) {
    at = rich.find(each, at);
    ASSERT_NE(at, std::string::npos) << each << "\n" << rich;
  }
  EXPECT_NE(tiers(a()).find(R"([["gold",6],["iron",10],["tin",7]])"), std::string::npos)
      << tiers(a());
  EXPECT_NE(get(a().url + "/metrics").find("pollux_lookup_keys_total 5"), std::string::npos);
}

TEST_F(ExternalTableTest, WhileTheDatabaseIsAwayOnlyWhatNeedsItIsRefused) {
  start("POLLUX__EXTERNAL_TABLES__TIMEOUT=2s");
  deploy(a(), plan());
  ASSERT_EQ(send(a(), R"({"user":"ann","n":1})"), 200);
  for (bool killed : {true, false}) {
    if (killed) {
      server_.kill();
    } else {
      server_.pause();
    }
    auto refused = call("POST", a().url + "/v1/streams/Logins/events", R"({"user":"ann","n":1})");
    ASSERT_TRUE(refused.ok());
    EXPECT_EQ(refused->status, 503) << refused->body;
    EXPECT_NE(refused->body.find("store_failed"), std::string::npos) << refused->body;
    EXPECT_EQ(plain(a()), 200);
    if (killed) {
      ASSERT_TRUE(server_.start());
    } else {
      server_.resume();
    }
    EXPECT_TRUE(becomes_true([&] { return send(a(), R"({"user":"ann","n":1})") == 200; }));
  }
  const std::string log = read(a().log);
  EXPECT_NE(log.find("rows of external tables cannot be looked up"), std::string::npos) << log;
  EXPECT_NE(log.find("rows of external tables are found again"), std::string::npos) << log;
  EXPECT_NE(tiers(a()).find(R"([["gold",3]])"), std::string::npos)
      << "what was refused had no effect: " << tiers(a());
}

TEST_F(ExternalTableTest, TheOtherNodeGoesOnWithWhatTheEventsHadFound) {
  Member& first = start_pair(variables_);
  Member& second = other(first);
  deploy(first, plan());
  ASSERT_EQ(send(first, R"({"user":"ann","n":1})"), 200);
  // The node that leads looks it up. The other one may not have the plan yet.
  ASSERT_TRUE(becomes_true([&] { return send(second, R"({"user":"ann","n":2})") == 200; }));
  ask("UPDATE clients SET tier = 'iron' WHERE \"user\" = 'ann'");
  kill_member(first);
  ASSERT_TRUE(becomes_true([&] { return is_ready(second); })) << read(second.log);
  EXPECT_NE(tiers(second).find(R"([["gold",3]])"), std::string::npos) << tiers(second);
  ASSERT_EQ(send(second, R"({"user":"ann","n":4})"), 200);
  EXPECT_NE(tiers(second).find(R"([["gold",3],["iron",4]])"), std::string::npos) << tiers(second);
  start_member(first, variables_);
  EXPECT_EQ(&wait_for_pair(), &second);
  ASSERT_EQ(call("POST", second.url + "/v1/cluster/switchover")->status, 200);
  ASSERT_TRUE(becomes_true([&] { return is_ready(first); })) << read(first.log);
  EXPECT_NE(tiers(first).find(R"([["gold",3],["iron",4]])"), std::string::npos) << tiers(first);
}

TEST_F(ExternalTableTest, AReplayNeedsNoDatabase) {
  start();
  deploy(a(), plan());
  for (int i = 0; i < 20; ++i) ASSERT_EQ(send(a(), R"({"user":"ann","n":1})"), 200);
  ask("DELETE FROM clients");
  kill_member(a());
  server_.kill();
  launch_member(a(), variables_);
  a().url = base_url(a().log);
  ASSERT_TRUE(becomes_true([&] { return is_ready(a()); })) << read(a().log);
  EXPECT_NE(tiers(a()).find(R"([["gold",20]])"), std::string::npos) << tiers(a());
  EXPECT_EQ(plain(a()), 200);
  EXPECT_EQ(send(a(), R"({"user":"ann","n":1})"), 503);
  ASSERT_TRUE(server_.start());
  EXPECT_TRUE(becomes_true([&] { return send(a(), R"({"user":"ann","n":1})") == 200; }));
  EXPECT_NE(tiers(a()).find(R"([["gold",20]])"), std::string::npos) << "the row is gone";
}

TEST_F(ExternalTableTest, WhatTheStoreHasNotIsToldWhenThePlanIsDeployed) {
  start();
  auto with = [&](const std::string& store, const std::string& columns) {
    return tried("define stream Logins (user string, n int);" + store + "define table Clients (" +
                 columns +
                 "); from Logins join Clients on Logins.user == Clients.user "
                 "select Clients.user insert into Out;");
  };
  const std::string nowhere =
      "@store(type='rdbms', datasource='analytics', external='true') @primaryKey('user') ";
  const std::string strange =
      "@store(type='rdbms', datasource='elsewhere', external='true') @primaryKey('user') ";
  const std::string unknown =
      "@store(type='rdbms', external='true', retries='7') @primaryKey('user') ";
  const struct {
    std::string store, columns, message;
  } cases[] = {{kStore, "user string, colour string", "colour"},
               {kStore, "user string, n long, tier string", "n does not exist"},
               {nowhere, "user string, tier string", "clients_of_nobody"},
               {strange, "user string, tier string", "no store is in a datasource 'elsewhere'"},
               {unknown, "user string, tier string", "retries"}};
  for (const auto& each : cases) {
    std::string store = each.store;
    if (&each == &cases[2]) {
      store.replace(store.find("external"), 0, "table.name='CLIENTS_OF_NOBODY', ");
    }
    HttpClientResponse answer = with(store, each.columns);
    EXPECT_EQ(answer.status / 100, 4) << answer.body;
    EXPECT_NE(answer.body.find(each.message), std::string::npos) << answer.body;
  }
  server_.kill();
  EXPECT_EQ(tried(plan()).status, 503);
  ASSERT_TRUE(server_.start());
  EXPECT_TRUE(becomes_true([&] { return tried(plan()).status == 201; }));
}

TEST_F(ExternalTableTest, ANodeOfAnOlderVersionIsToBeBroughtToThisOneFirst) {
  b().program = "polluxd_previous";
  start();
  deploy(a(),
         "@app:name('Other') define stream Other (user string);"
         "from Other select user insert into OtherOut;");
  start_member(b(), variables_);
  EXPECT_EQ(&wait_for_pair(), &a());
  HttpClientResponse refused = tried(plan());
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_NE(refused.body.find("older version"), std::string::npos) << refused.body;
  kill_member(b());
  b().program = "polluxd";
  start_member(b(), variables_);
  EXPECT_EQ(&wait_for_pair(), &a());
  EXPECT_EQ(tried(plan()).status, 201);
  EXPECT_EQ(send(a(), R"({"user":"ann","n":1})"), 200);
}

// A table that another plan writes: what is a store's own is read by its key as well.
TEST_F(ExternalTableTest, ATableOfAnotherPlanIsLookedUpInEveryStore) {
  start();
  for (const char* store : {"PROCESSED_DATA_STORE", "EVENT_STORE_WO"}) {
    const std::string name = std::string(store).substr(0, 5);
    const std::string where =
        std::string("type='store', store='") + store + "', table.name='" + name + "'";
    deploy(a(), "@app:name('W" + name + "') define stream Set (user string, tier string); @store(" +
                    where +
                    ") @primaryKey('user') define table Kept (user string, tier string);"
                    "from Set select user, tier update or insert into Kept "
                    "set Kept.tier = tier on Kept.user == user;");
    ASSERT_EQ(
        call("POST", a().url + "/v1/streams/Set/events", R"({"user":"ann","tier":"gold"})")->status,
        200);
    EXPECT_TRUE(becomes_true([&] {
      auto answer =
          call("POST", a().url + "/v1/query", "from " + name + " select tier", "text/plain");
      return answer.ok() && answer->body.find("gold") != std::string::npos;
    }));
    deploy(a(), "@app:name('R" + name + "') define stream Ask (user string); @store(" + where +
                    ", external='true') @primaryKey('user') "
                    "define table Known (user string, tier string);"
                    "from Ask join Known on Ask.user == Known.user select tier insert into R" +
                    name + ";");
    ASSERT_EQ(call("POST", a().url + "/v1/streams/Ask/events", R"({"user":"ann"})")->status, 200);
    EXPECT_NE(results(a(), "R" + name, 1).find(R"("tier":"gold")"), std::string::npos);
  }
}

}  // namespace
}  // namespace pollux
