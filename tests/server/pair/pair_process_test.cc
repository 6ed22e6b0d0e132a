// Two polluxd that are a pair: what survives when one of them is killed, stopped or told to hand
// over.
#include <algorithm>
#include <map>
#include <sstream>
#include <string>

#include "tests/server/pair/pair_testing.h"

namespace pollux {
namespace {

TEST_F(PairProcessTest, ThePassiveGoesOnFromTheSameStateWhenTheActiveIsKilled) {
  Member& first = start_pair();
  deploy(first, kSums);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(send(first, R"({"user":"ann","n":1})"), 200);
  kill_member(first);
  Member& second = other(first);
  ASSERT_TRUE(becomes_true([&] { return is_ready(second); })) << read(second.log);
  EXPECT_EQ(role(second), "active-solo");
  ASSERT_EQ(send(second, R"({"user":"ann","n":1})"), 200);
  const std::string all = results(second, "Totals", 6);
  for (int total = 1; total <= 6; ++total) {
    EXPECT_NE(all.find("\"total\":" + std::to_string(total)), std::string::npos) << all;
  }
  EXPECT_TRUE(logged("Became CEP HA Active Member", second.log));
}

TEST_F(PairProcessTest, AKilledNodeComesBackCatchesUpAndTakesOverAgain) {
  Member* active = &start_pair();
  deploy(*active, kSums);
  int sent = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i, ++sent) ASSERT_EQ(send(*active, R"({"user":"ann","n":1})"), 200);
    Member& gone = *active;
    kill_member(gone);
    active = &other(gone);
    ASSERT_TRUE(becomes_true([&] { return is_ready(*active); })) << read(active->log);
    for (int i = 0; i < 10; ++i, ++sent) ASSERT_EQ(send(*active, R"({"user":"ann","n":1})"), 200);
    start_member(gone);
    active = &wait_for_pair();
    EXPECT_TRUE(logged("CEP HA State successfully synced.", other(*active).log));
  }
  const std::string all = results(*active, "Totals", sent);
  EXPECT_NE(all.find("\"total\":" + std::to_string(sent) + "}"), std::string::npos) << all;
  EXPECT_EQ(all.find("\"total\":" + std::to_string(sent + 1)), std::string::npos);
}

TEST_F(PairProcessTest, ALeadIsHandedOverByOrderAndByACleanStop) {
  Member& first = start_pair();
  deploy(first, kSums);
  ASSERT_EQ(send(first, R"({"user":"ann","n":1})"), 200);
  Member& second = other(first);
  ShellResult refused = shell("pollux switchover --server " + second.url);
  EXPECT_EQ(refused.exit_code, 6) << refused.out << refused.err;
  EXPECT_NE(refused.err.find("does not lead"), std::string::npos) << refused.err;
  pid_t subscriber =
      start("exec curl -sN " + first.url + "/v1/streams/Totals/subscribe?from=oldest > subscribed");
  ASSERT_TRUE(becomes_true([&] { return read("subscribed").find("total") != std::string::npos; }));
  ShellResult ordered = shell("pollux switchover --server " + first.url);
  EXPECT_EQ(ordered.exit_code, 0) << ordered.err;
  finish(subscriber);
  EXPECT_NE(read("subscribed").find("event: not_active"), std::string::npos);
  ASSERT_TRUE(becomes_true([&] { return role(second) == "active-paired" && is_ready(second); }));
  EXPECT_TRUE(becomes_true([&] { return role(first) == "passive"; }));
  const std::string status = shell("pollux status --server " + second.url).out;
  for (const char* text : {"pair: active-paired since ", ", in sync; committed ",
                           "the other node holds ", "leads by its last failover at "}) {
    EXPECT_NE(status.find(text), std::string::npos) << text << " in " << status;
  }
  EXPECT_NE(status.find("other node: " + first.name + " at "), std::string::npos) << status;
  ASSERT_EQ(send(second, R"({"user":"ann","n":1})"), 200);
  ShellResult stopped = end(second.process, SIGTERM);
  EXPECT_EQ(stopped.exit_code, 0) << stopped.err << read(second.log);
  ASSERT_TRUE(becomes_true([&] { return is_ready(first); }));
  ASSERT_EQ(send(first, R"({"user":"ann","n":1})"), 200);
  EXPECT_NE(results(first, "Totals", 3).find("\"total\":3"), std::string::npos);
}

TEST_F(PairProcessTest, OnlyTheNodeThatLeadsSaysThatThereIsNoSuchStream) {
  Member& active = start_pair();
  EXPECT_EQ(send(active, R"({"user":"ann","n":1})"), 404);
  EXPECT_EQ(send(other(active), R"({"user":"ann","n":1})"), 503) << "it may not know it yet";
}

TEST_F(PairProcessTest, TheNodeThatDoesNotLeadForwardsEventsAndRefusesWhatOnlyTheActiveDoes) {
  Member& active = start_pair();
  Member& passive = other(active);
  EXPECT_EQ(call("POST", passive.url + "/v1/plans", kSums, "text/plain")->status, 503);
  deploy(active, kSums);
  ASSERT_TRUE(becomes_true([&] { return send(passive, R"({"user":"ann","n":1})") == 200; }));
  ASSERT_EQ(send(passive, R"({"user":"ann","n":1})"), 200);
  ASSERT_EQ(send(active, R"({"user":"ann","n":1})"), 200);
  EXPECT_EQ(call("GET", passive.url + "/v1/streams/Totals/subscribe")->status, 503);
  EXPECT_EQ(call("GET", passive.url + "/readyz?role=active")->status, 503);
  EXPECT_EQ(call("GET", passive.url + "/readyz?role=passive")->status, 200);
  EXPECT_EQ(call("GET", passive.url + "/readyz")->status, 200);
  EXPECT_NE(results(active, "Totals", 3).find("\"total\":3"), std::string::npos);
}

TEST_F(PairProcessTest, EachResultReachesASinkThroughAFailover) {
  Member& first = start_pair();
  deploy(first,
         "@app:name('Lines') define stream Logins (user string, n int);"
         "@sink(type='file', path='" +
             path("out") +
             "') define stream Lines (n int);"
             "from Logins select n insert into Lines;");
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(send(first, "{\"user\":\"ann\",\"n\":" + std::to_string(i) + "}"), 200);
  }
  kill_member(first);
  Member& second = other(first);
  ASSERT_TRUE(becomes_true([&] { return is_ready(second); }));
  for (int i = 20; i < 40; ++i) {
    ASSERT_EQ(send(second, "{\"user\":\"ann\",\"n\":" + std::to_string(i) + "}"), 200);
  }
  EXPECT_TRUE(becomes_true([&] { return read("out").find("\"n\":39") != std::string::npos; }));
  // What the first had let out without having told the second may come again, as the same line.
  std::map<std::string, std::string> lines;
  std::istringstream out(read("out"));
  for (std::string line; std::getline(out, line);) {
    const std::string key =
        line.substr(line.find("\"id\""), line.find("\"data\"") - line.find("\"id\""));
    EXPECT_EQ(lines.try_emplace(key, line).first->second, line);
  }
  EXPECT_EQ(lines.size(), 40U);
}

TEST_F(PairProcessTest, ABatchDoesNotOvertakeThoseThatWereOnTheirWayToTheNodeThatLed) {
  constexpr int kRows = 30'000;
  Member& first = start_pair();
  Member& second = other(first);
  deploy(first, kSums);
  ASSERT_TRUE(becomes_true([&] { return send(second, R"({"user":"ann","n":1})") == 200; }));
  std::string rows;
  for (int i = 0; i < kRows; ++i) rows += "{\"user\":\"ann\",\"n\":1}\n";
  write("rows.jsonl", rows);
  // Forwarded, so many at a time that those taken back are many when the next ones come.
  const auto sending = start(
      "pollux send Logins rows.jsonl --producer p --batch 1 --window 1024 "
      "--acks --server " +
      second.url + " > acks");
  ASSERT_TRUE(becomes_true([&] { return !read("acks").empty(); }));
  ASSERT_EQ(::kill(first.process, SIGSTOP), 0);
  const ShellResult sent = finish(sending);
  EXPECT_EQ(sent.exit_code, 0) << sent.err;
  EXPECT_NE(results(second, "Totals", kRows + 1).find("\"total\":" + std::to_string(kRows + 1)),
            std::string::npos);
}

TEST_F(PairProcessTest, ANodeWithoutADiskGetsACopyOfEverythingAndGoesOnFromIt) {
  Member& active = start_pair();
  Member& lost = other(active);
  deploy(active,
         "@app:name('Sums') define stream Logins (user string, n int);"
         "@sink(type='store', table='TOTALS') define stream Totals (user string, total long);"
         "from Logins select user, sum(n) as total group by user insert into Totals;");
  for (int i = 0; i < 5; ++i) ASSERT_EQ(send(active, R"({"user":"ann","n":1})"), 200);
  kill_member(lost);
  std::filesystem::remove_all(path("data." + lost.name));
  for (int i = 0; i < 5; ++i) ASSERT_EQ(send(active, R"({"user":"ann","n":1})"), 200);
  trim_journal(active);
  start_member(lost);
  ASSERT_TRUE(logged("a copy of the other node's data has come", lost.log));
  ASSERT_TRUE(logged("has taken the place of what was here", lost.log));
  wait_for_pair();
  EXPECT_EQ(role(lost), "passive");
  ASSERT_EQ(send(active, R"({"user":"ann","n":1})"), 200);
  kill_member(active);
  ASSERT_TRUE(becomes_true([&] { return is_ready(lost); })) << read(lost.log);
  ASSERT_EQ(send(lost, R"({"user":"ann","n":1})"), 200);
  const std::string totals =
      shell("pollux query 'from TOTALS select total' --csv --server " + lost.url).out;
  for (int total = 1; total <= 12; ++total) {
    EXPECT_NE(("\n" + totals).find("\n" + std::to_string(total) + "\n"), std::string::npos)
        << totals;
  }
  EXPECT_EQ(std::count(totals.begin(), totals.end(), '\n'), 13) << totals;
  EXPECT_NE(results(lost, "Totals", 12).find("\"total\":12"), std::string::npos);
}

TEST_F(PairProcessTest, ACopyIsOfTheNewestStatesAndOfFreshOnesWhenItIsAskedForOnceMore) {
  Member& active = start_pair();
  Member& lost = other(active);
  deploy(active, kSums);
  ASSERT_EQ(send(active, R"({"user":"ann","n":1})"), 200);
  trim_journal(active);
  auto rounds = [&] { return number_in(get(active.url + "/v1/node"), "rounds"); };
  const auto before = rounds();
  for (int round = 0; round < 2; ++round) {
    kill_member(lost);
    std::filesystem::remove_all(path("data." + lost.name));
    ASSERT_EQ(send(active, R"({"user":"ann","n":1})"), 200);
    start_member(lost);
    wait_for_pair();
    EXPECT_EQ(rounds(), before + round);
  }
  EXPECT_TRUE(logged("a copy of the other node's data has come", lost.log));
  kill_member(active);
  ASSERT_TRUE(becomes_true([&] { return is_ready(lost); })) << read(lost.log);
  ASSERT_EQ(send(lost, R"({"user":"ann","n":1})"), 200);
  EXPECT_NE(results(lost, "Totals", 4).find("\"total\":4"), std::string::npos);
}

TEST_F(PairProcessTest, ANodeThatIsMadeToLeadByForceGoesOnAndTheOtherSetsAsideWhatItLost) {
  Member& active = start_pair();
  Member& forced = other(active);
  deploy(active, kSums);
  ASSERT_EQ(send(active, R"({"user":"ann","n":1})"), 200);
  kill_member(forced);
  ASSERT_TRUE(becomes_true([&] { return role(active) == "active-solo"; }));
  ASSERT_EQ(send(active, R"({"user":"ann","n":10})"), 200) << "only this node has it";
  kill_member(active);
  start_member(forced);
  const std::string order = forced.url + "/v1/cluster/force";
  EXPECT_EQ(call("POST", order)->status, 400) << "without the word";
  EXPECT_FALSE(is_ready(forced));
  ASSERT_TRUE(becomes_true([&] {
    auto ordered = call("POST", order + "?confirm=the-other-node-is-powered-off");
    return ordered.ok() && ordered->status == 200;
  })) << read(forced.log);
  ASSERT_TRUE(becomes_true([&] { return is_ready(forced); })) << read(forced.log);
  ASSERT_EQ(send(forced, R"({"user":"ann","n":2})"), 200);
  start_member(active);
  ASSERT_TRUE(logged("is set aside", active.log));
  EXPECT_EQ(&wait_for_pair(), &forced);
  EXPECT_TRUE(std::filesystem::exists(path("data." + active.name) + "/set-aside/journal"));
  EXPECT_NE(results(forced, "Totals", 2).find("\"total\":3"), std::string::npos);
}

TEST_F(PairProcessTest, PlansOfAFolderAreThoseOfTheNodeThatLeads) {
  for (const char* folder : {"plans.a", "plans.b"}) std::filesystem::create_directory(path(folder));
  write("plans.a/Sums.siddhi", kSums);
  const std::string changed = std::string(kSums) + " from Logins select user insert into Users;";
  write("plans.b/Sums.siddhi", changed);
  write("plans.b/Other.siddhi",
        "define stream Others (n int); from Others select n insert into Seen;");
  start_member(a(), "POLLUX__PLANS_DIR=plans.a POLLUX__PAIR__BOOTSTRAP=true");
  ASSERT_TRUE(becomes_true([&] { return is_ready(a()); }));
  ASSERT_TRUE(becomes_true([&] { return send(a(), R"({"user":"ann","n":1})") == 200; }));
  start_member(b(), "POLLUX__PLANS_DIR=plans.b");
  ASSERT_EQ(&wait_for_pair(), &a());
  EXPECT_TRUE(logged("a plan's file is not what the pair runs", b().log));
  EXPECT_EQ(call("GET", b().url + "/v1/plans/Sums")->status, 200);
  EXPECT_EQ(call("GET", b().url + "/v1/plans/Other")->status, 404);
  kill_member(a());
  ASSERT_TRUE(becomes_true([&] { return is_ready(b()); }));
  EXPECT_TRUE(becomes_true([&] { return call("GET", b().url + "/v1/plans/Other")->status == 200; }))
      << "the folder of the node that leads now";
  EXPECT_EQ(get(b().url + "/v1/plans/Sums").find("Users"), std::string::npos)
      << "a failover changes no plan";
  write("plans.b/Sums.siddhi", changed + " -- once more\n");
  EXPECT_TRUE(becomes_true([&] {
    return read(b().log).find("a plan named 'Sums' is deployed already") != std::string::npos;
  })) << read(b().log);
}

TEST_F(PairProcessTest, WhatAPairNeedsIsAskedForAtTheStart) {
  EXPECT_NE(failing_polluxd("POLLUX__PAIR__ENABLED=true").find("pair.members is empty"),
            std::string::npos);
  EXPECT_NE(failing_polluxd("POLLUX__PAIR__ENABLED=true POLLUX__PAIR__MEMBERS=10.0.0.1,10.0.0.2 "
                            "POLLUX__PAIR__ADVERTISED_HOST=10.0.0.1 POLLUX__PAIR__ARBITER=file:/x")
                .find("is not on this machine"),
            std::string::npos);
  EXPECT_NE(failing_polluxd("POLLUX__PAIR__ENABLED=true POLLUX__PAIR__MEMBERS=10.0.0.1,10.0.0.2 "
                            "POLLUX__PAIR__ARBITER=etcd:http://10.0.0.3:2379")
                .find("is this machine alone"),
            std::string::npos);
  EXPECT_NE(failing_polluxd("POLLUX__PAIR__ENABLED=true POLLUX__PAIR__MEMBERS=127.0.0.1 "
                            "POLLUX__PAIR__ARBITER=zookeeper:x")
                .find("expected file:FOLDER"),
            std::string::npos);
  EXPECT_NE(failing_polluxd("POLLUX__PAIR__ENABLED=true POLLUX__PERSISTENCE__ENABLED=false")
                .find("needs persistence.enabled"),
            std::string::npos);
}

}  // namespace
}  // namespace pollux
