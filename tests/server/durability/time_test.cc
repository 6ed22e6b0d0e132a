// Windows over time, after a restart: what leaves them leaves at the time at which it was to leave.
#include "server/node/wall_clock.h"
#include "tests/server/durability/durability_testing.h"

namespace pollux {
namespace {

class TimeTest : public DurabilityTest {
 protected:
  /// One row with a time of its own.
  void send_at(int64_t ms, const std::string& user) {
    auto batch = std::make_shared<EventBatch>(node_->intake().schema_of("Logins"));
    batch->append_value(0, user);
    batch->end_row(ms);
    Submitted answer = submit(node_->intake(), submission_of(std::move(batch)));
    ASSERT_TRUE(answer.status.ok()) << answer.status;
  }
  /// Waits for so many rows.
  Lines rows(const std::string& stream, uint64_t count) {
    return results_of(*node_->find_results(stream), count + 1);  // offsets begin with 1
  }
};

constexpr const char* kPlayback =
    "@app:name('Back') @app:playback define stream Logins (user string);"
    "from Logins#window.timeBatch(1 sec) select user, count() as times group by user "
    "insert into Batches;"
    "from Logins#window.time(1 sec) select user, count() as times insert all events into Slides;"
    "from every a=Logins -> not Logins for 700 millisec select a.user as user insert into Silent;";

TEST_F(TimeTest, APlaybackPlanGivesTheSameHoweverOftenTheNodeIsKilled) {
  constexpr int64_t kTimes[] = {1000, 1400, 1900, 2050, 2100, 3500, 3600, 6000, 6100, 9000};
  constexpr const char* kStreams[] = {"Batches", "Slides", "Silent"};
  std::map<std::string, Lines> expected;
  for (int kills : {0, 1, 2}) {
    std::filesystem::remove_all(data());
    start();
    deploy(kPlayback);
    int sent = 0;
    for (int64_t ms : kTimes) {
      send_at(ms, sent % 3 == 0 ? "ann" : "bob");
      ++sent;
      if (kills == 2 && sent % 2 == 0) persist();
      settle();
      if (kills > 0) kill_and_start();
    }
    for (const char* stream : kStreams) {
      Lines mine = values(stream);
      if (kills == 0) expected[stream] = mine;
      EXPECT_EQ(mine, expected[stream]) << stream << ", kind of kill " << kills;
      EXPECT_GT(mine.size(), 2u) << stream;
    }
    drop();
  }
}

constexpr const char* kLive =
    "@app:name('Live') define stream Logins (user string);"
    "from Logins#window.time(700 millisec) select user insert expired events into Gone;";

TEST_F(TimeTest, ARowLeavesALiveWindowAtItsTimeThoughTheNodeWasKilledMeanwhile) {
  start();
  deploy(kLive);
  int64_t sent_ms = wall_clock_ms();
  send_at(sent_ms, "ann");
  persist();
  kill_and_start();
  EXPECT_EQ(rows("Gone", 1).size(), 1u);
  EXPECT_GE(wall_clock_ms(), sent_ms + 700);
  send_at(wall_clock_ms(), "bob");
  EXPECT_EQ(rows("Gone", 2).size(), 2u);
  EXPECT_EQ(values("Gone"), (Lines{"ann", "bob"})) << "each once";
}

TEST_F(TimeTest, ARowWhoseTimeCameWhileNoNodeWasThereLeavesAtTheStart) {
  start();
  deploy(kLive);
  int64_t sent_ms = wall_clock_ms();
  send_at(sent_ms, "ann");
  settle();
  kill();
  ASSERT_TRUE(becomes_true([&] { return wall_clock_ms() > sent_ms + 700; }));
  start();
  EXPECT_EQ(rows("Gone", 1).size(), 1u);
  kill_and_start();
  EXPECT_EQ(values("Gone"), Lines{"ann"}) << "once";
}

}  // namespace
}  // namespace pollux
