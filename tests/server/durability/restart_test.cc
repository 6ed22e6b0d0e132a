// A node that comes back: events, results, ids, state and senders' numbers are what they were.
#include <atomic>
#include <set>

#include "tests/server/durability/durability_testing.h"

namespace pollux {
namespace {

constexpr const char* kSums =
    "@app:name('Sums') define stream Logins (user string, n int);"
    "define table Users (user string, n int);"
    "from Logins select user, sum(n) as total group by user insert into Totals;"
    "from Logins select user, n insert into Users;"
    "define stream Asks (user string);"
    "from Asks join Users on Asks.user == Users.user select Users.user as user, Users.n as n "
    "insert into Answers;";

/// How the node ends between its two lives.
enum class End { kDrop, kKill, kStop };

class RestartTest : public DurabilityTest, public testing::WithParamInterface<End> {
 protected:
  void restart() {
    if (GetParam() == End::kDrop) drop();
    if (GetParam() == End::kKill) kill();
    if (GetParam() == End::kStop) stop();
    start();
  }
};

INSTANTIATE_TEST_SUITE_P(, RestartTest, testing::Values(End::kDrop, End::kKill, End::kStop),
                         [](const auto& end) {
                           return end.param == End::kDrop   ? "dropped"
                                  : end.param == End::kKill ? "killed"
                                                            : "stopped";
                         });

TEST_P(RestartTest, EventsResultsAndStateAreThere) {
  start();
  deploy(kSums);
  send_ok("Logins", {{"ann", 1}, {"bob", 2}});
  send_ok("Logins", {{"ann", 3}});
  Lines before = results("Totals");
  EXPECT_EQ(before,
            (Lines{"-1234/Sums/1.2.0 ann 1", "-1234/Sums/1.2.1 bob 2", "-1234/Sums/1.3.0 ann 4"}));
  restart();
  EXPECT_EQ(results("Totals"), before) << "with their ids, and none twice";
  EXPECT_EQ(recovered().events, GetParam() == End::kStop ? 0u : 3u);
  send_ok("Asks", {{"ann"}});
  EXPECT_EQ(values("Answers"), (Lines{"ann 1", "ann 3"}));
  send_ok("Logins", {{"ann", 10}});
  EXPECT_EQ(values("Totals").back(), "ann 14");
}

TEST_P(RestartTest, IdsOfResultsGoOnAndNoneIsGivenTwice) {
  start();
  deploy(kSums);
  std::set<std::string> ids;
  for (int life = 1; life <= 4; ++life) {
    send_ok("Logins", {{"ann", life}});
    restart();
  }
  Lines all = results("Totals");
  ASSERT_EQ(all.size(), 4u);
  uint64_t position = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    std::string epoch = "-1234/Sums/" + std::to_string(i + 1) + ".";
    ASSERT_TRUE(all[i].starts_with(epoch)) << all[i];
    uint64_t mine = std::stoull(all[i].substr(epoch.size()));
    EXPECT_GT(mine, position) << all[i];
    position = mine;
  }
}

TEST_P(RestartTest, ARepeatedBatchOfAProducerIsADuplicateAndNotCountedTwice) {
  start();
  deploy(kSums);
  Submitted first = send("Logins", {{"ann", 1}}, "idp", 1);
  Submitted second = send("Logins", {{"ann", 2}}, "idp", 2);
  ASSERT_TRUE(second.status.ok());
  restart();
  Submitted again = send("Logins", {{"ann", 2}}, "idp", 2);
  EXPECT_TRUE(again.status.ok() && again.duplicate) << again.status;
  EXPECT_EQ(again.id, second.id);
  EXPECT_TRUE(send("Logins", {{"ann", 1}}, "idp", 1).duplicate);
  Submitted ahead = send("Logins", {{"ann", 4}}, "idp", 4);
  EXPECT_TRUE(absl::IsFailedPrecondition(ahead.status));
  EXPECT_EQ(ahead.expected_number, 3u);
  EXPECT_FALSE(send("Logins", {{"ann", 4}}, "idp", 3).duplicate);
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3", "ann 7"}));
}

TEST_P(RestartTest, AWriteToATableIsThere) {
  start();
  deploy(kSums);
  auto written = node_->write("Sums", "select 'eve' as user, 5 as n insert into Users;");
  ASSERT_TRUE(written.ok()) << written.status();
  restart();
  send_ok("Asks", {{"eve"}});
  EXPECT_EQ(values("Answers"), Lines{"eve 5"});
}

using StopTest = DurabilityTest;

TEST_F(StopTest, ACleanStopLeavesNothingToReplay) {
  start();
  deploy(kSums);
  for (int i = 0; i < 100; ++i) send_ok("Logins", {{"ann", 1}});
  stop();
  start();
  EXPECT_EQ(recovered().entries, 0u);
  EXPECT_EQ(recovered().plans, 1u);
  send_ok("Logins", {{"ann", 1}});
  EXPECT_EQ(values("Totals").back(), "ann 101");
}

class SyncTest : public DurabilityTest, public testing::WithParamInterface<SyncMode> {};

INSTANTIATE_TEST_SUITE_P(, SyncTest,
                         testing::Values(SyncMode::kEveryCommit, SyncMode::kInterval,
                                         SyncMode::kNever),
                         [](const auto& mode) {
                           return mode.param == SyncMode::kEveryCommit ? "every_commit"
                                  : mode.param == SyncMode::kInterval  ? "interval"
                                                                       : "never";
                         });

TEST_P(SyncTest, AKilledProcessLosesNothingAndTheJournalIsSyncedAsOften) {
  settings_.persistence.sync = GetParam();
  settings_.persistence.sync_interval = std::chrono::milliseconds(10);
  start();
  deploy(kSums);
  std::atomic<uint64_t> syncs{0};
  files_.set_fault([&](DiskWork work, const std::string& path) {
    syncs += work == DiskWork::kSync && path.ends_with(".journal");
    return absl::OkStatus();
  });
  for (int i = 0; i < 20; ++i) send_ok("Logins", {{"ann", 1}});
  uint64_t by_commits = syncs;
  EXPECT_EQ(by_commits >= 20, GetParam() == SyncMode::kEveryCommit) << by_commits;
  if (GetParam() == SyncMode::kInterval) {
    EXPECT_TRUE(becomes_true([&] { return syncs > 0; }));
  } else if (GetParam() == SyncMode::kNever) {
    EXPECT_EQ(by_commits, 0u);
  }
  Lines before = results("Totals");
  kill_and_start();
  EXPECT_EQ(results("Totals"), before);
  EXPECT_EQ(logged().find("acknowledged events may be lost with the power") == std::string::npos,
            GetParam() == SyncMode::kEveryCommit);
}

}  // namespace
}  // namespace pollux
