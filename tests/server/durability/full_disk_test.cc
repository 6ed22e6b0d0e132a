// A disk that is full or broken, and a journal at its limit: what is refused, what is kept, and how
// it goes on.
#include "tests/server/durability/durability_testing.h"

namespace pollux {
namespace {

constexpr const char* kSums =
    "@app:name('Sums') define stream Logins (user string, n int);"
    "from Logins select user, sum(n) as total group by user insert into Totals;";

class FullDiskTest : public DurabilityTest {
 protected:
  /// One that is answered later, or never.
  std::future<Submitted> send_later(const Rows& rows, bool wait = false) {
    auto answer = std::make_shared<std::promise<Submitted>>();
    Submission submission = submission_of(batch_of(node_->intake().schema_of("Logins"), rows));
    submission.wait = wait;
    node_->intake().submit(std::move(submission),
                           [answer](Submitted submitted) { answer->set_value(submitted); });
    return answer->get_future();
  }
  const EntryLog& journal() const { return durability_->journal_log(); }
};

TEST_F(FullDiskTest, EventsAreRefusedWhileTheJournalHasNoRoomAndNothingIsLost) {
  start();
  deploy(kSums);
  send_ok("Logins", {{"ann", 1}});
  files_.fill_up(".journal");
  std::future<Submitted> waits = send_later({{"ann", 2}});
  ASSERT_TRUE(becomes_true([&] { return journal().counts().stuck; }));
  Submitted refused = send("Logins", {{"ann", 4}});
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status)) << refused.status;
  EXPECT_NE(refused.status.message().find("the disk of the journal is full"), std::string::npos);
  EXPECT_NE(logged().find("the journal has no room; events wait for some"), std::string::npos);
  EXPECT_EQ(values("Totals"), Lines{"ann 1"}) << "nothing is applied that does not last";
  files_.heal();
  Submitted taken = waits.get();
  ASSERT_TRUE(taken.status.ok()) << taken.status;
  EXPECT_TRUE(becomes_true([&] { return !journal().counts().stuck; }));
  send_ok("Logins", {{"ann", 8}});
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3", "ann 11"}));
  kill_and_start();
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3", "ann 11"}));
}

TEST_F(FullDiskTest, AProcessThatEndsWhileTheJournalHasNoRoomKeepsWhatItAcknowledged) {
  start();
  deploy(kSums);
  send_ok("Logins", {{"ann", 1}});
  files_.fill_up(".journal");
  std::future<Submitted> waits = send_later({{"ann", 2}});
  ASSERT_TRUE(becomes_true([&] { return journal().counts().stuck; }));
  drop();
  EXPECT_FALSE(waits.get().status.ok());
  files_.heal();
  start();
  send_ok("Logins", {{"ann", 4}});
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 5"}));
}

TEST_F(FullDiskTest, AFailedSyncEndsTheJournalUntilTheNextStart) {
  start();
  deploy(kSums);
  send_ok("Logins", {{"ann", 1}});
  files_.set_fault([](DiskWork work, const std::string& path) {
    bool broken = work == DiskWork::kSync && path.ends_with(".journal");
    return broken ? absl::InternalError(path + ": cannot sync: Input/output error")
                  : absl::OkStatus();
  });
  Submitted unknown = send("Logins", {{"ann", 2}});
  EXPECT_FALSE(unknown.status.ok());
  EXPECT_NE(unknown.status.message().find("unknown"), std::string::npos) << unknown.status;
  files_.heal();
  ASSERT_TRUE(becomes_true([&] { return !journal().counts().failed.ok(); }));
  Submitted refused = send("Logins", {{"ann", 4}});
  EXPECT_TRUE(absl::IsUnavailable(refused.status)) << refused.status;
  EXPECT_NE(refused.status.message().find("the journal has failed"), std::string::npos);
  EXPECT_NE(logged().find("the journal has failed; nothing is taken until the next start"),
            std::string::npos);
  EXPECT_EQ(values("Totals"), Lines{"ann 1"});
  kill_and_start();
  send_ok("Logins", {{"ann", 8}});
  // What was not acknowledged may have come to the disk.
  std::string last = values("Totals").back();
  EXPECT_TRUE(last == "ann 9" || last == "ann 11") << last;
}

TEST_F(FullDiskTest, AStateThatCannotBeWrittenLeavesTheOlderOnes) {
  start();
  deploy(kSums);
  deploy("@app:name('Other') define stream Else (a int); from Else select a insert into Out;");
  send_ok("Logins", {{"ann", 1}});
  persist();
  send_ok("Logins", {{"ann", 2}});
  persist();
  FileMap before = all_of(states_of("Sums"));
  files_.fill_up("/Sums/");
  send_ok("Logins", {{"ann", 4}});
  PersistReport report = persist();
  ASSERT_EQ(report.plans.size(), 2u);
  EXPECT_TRUE(report.plans[0].status.ok()) << "the others' are written";
  EXPECT_TRUE(absl::IsResourceExhausted(report.plans[1].status)) << report.plans[1].status;
  EXPECT_EQ(durability_->persister().counts().failures, 1u);
  EXPECT_NE(logged().find("the state of a plan was not written"), std::string::npos);
  EXPECT_NE(logged().find("No space left on device"), std::string::npos);
  EXPECT_EQ(all_of(states_of("Sums")), before);
  kill_and_start();
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3", "ann 7"}));
  files_.heal();
  EXPECT_TRUE(persist().plans[1].status.ok());
  kill_and_start();
  EXPECT_EQ(recovered().entries, 0u);
}

TEST_F(FullDiskTest, AStateOfTheNodeThatCannotBeWrittenIsTold) {
  start();
  deploy(kSums);
  send_ok("Logins", {{"ann", 1}});
  persist();
  files_.fill_up("/_node/");
  EXPECT_FALSE(durability_->persister().persist(kPatience).ok());
  EXPECT_EQ(durability_->persister().counts().failures, 1u);
  EXPECT_NE(logged().find("states could not be written"), std::string::npos);
  send_ok("Logins", {{"ann", 2}});
  kill_and_start();
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3"}));
}

TEST_F(FullDiskTest, APlanWhoseResultsFindNoRoomRestsVisiblyAndGoesOnInOrder) {
  start();
  deploy(kSums);
  send_ok("Logins", {{"ann", 1}});
  EXPECT_EQ(results("Totals").size(), 1u);
  files_.fill_up(".outbox");
  send_ok("Logins", {{"ann", 2}});
  send_ok("Logins", {{"ann", 4}});
  EXPECT_TRUE(becomes_true([&] { return node_->plan("Sums")->counts.resting; }));
  EXPECT_EQ(node_->find_results("Totals")->rows(), 1u) << "what is not in the file is not seen";
  files_.heal();
  EXPECT_TRUE(becomes_true([&] { return !node_->plan("Sums")->counts.resting; }));
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3", "ann 7"}));
  kill_and_start();
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3", "ann 7"}));
}

TEST_F(FullDiskTest, ABrokenOutboxIsToldAndItsPlansRest) {
  start();
  deploy(kSums);
  files_.set_fault([](DiskWork work, const std::string& path) {
    bool broken = work == DiskWork::kAppend && path.ends_with(".outbox");
    return broken ? absl::InternalError(path + ": cannot write: Input/output error")
                  : absl::OkStatus();
  });
  send_ok("Logins", {{"ann", 1}});
  send_ok("Logins", {{"ann", 2}});
  EXPECT_TRUE(becomes_true([&] { return node_->plan("Sums")->counts.resting; }));
  EXPECT_NE(logged().find("results of a stream can no longer be kept"), std::string::npos);
  files_.heal();
  kill_and_start();
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3"})) << "the replay makes them again";
}

class JournalLimitTest : public FullDiskTest {
 protected:
  static constexpr uint64_t kBytesMax = uint64_t{80} << 20;  // segments have 64 MiB

  void SetUp() override {
    settings_.persistence.journal_bytes_max = kBytesMax;
    settings_.persistence.sync = SyncMode::kNever;  // it is not the disk that is tried here
  }
  /// States may be on their way to the disk: no moment at which all files can be copied.
  void restart() {
    drop();
    start();
  }
  Rows large() const { return {{std::string(4 << 20, 'x'), 1}}; }
  /// Sends until one is refused.
  Submitted fill() {
    while (true) {
      Submitted answer = send("Logins", large());
      if (!answer.status.ok()) return answer;
      ++taken_;
    }
  }

  int taken_ = 0;
};

constexpr const char* kCounts =
    "@app:name('Counts') define stream Logins (user string, n int);"
    "from Logins select sum(n) as total insert into Totals;";

TEST_F(JournalLimitTest, EventsAreRefusedAtTheLimitAndTakenAgainOnceStatesHaveMadeRoom) {
  start();
  deploy(kCounts);
  Submitted refused = fill();
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status)) << refused.status;
  EXPECT_NE(refused.status.message().find("persistence.journal_bytes_max"), std::string::npos);
  EXPECT_GE(taken_, 16);
  EXPECT_LE(journal().counts().journal_bytes, kBytesMax);
  EXPECT_TRUE(becomes_true([&] { return journal().counts().journal_bytes < kBytesMax / 2; }))
      << "one refusal is enough";
  EXPECT_GE(durability_->persister().counts().rounds, 2u);
  send_ok("Logins", large());
  restart();
  EXPECT_EQ(values("Totals").back(), std::to_string(taken_ + 1));
  send_ok("Logins", large());
  EXPECT_EQ(values("Totals").back(), std::to_string(taken_ + 2));
}

TEST_F(JournalLimitTest, WhoWaitsIsTakenWithoutAskingAgain) {
  start();
  deploy(kCounts);
  fill();
  std::future<Submitted> waits = send_later(large(), /*wait=*/true);
  ASSERT_EQ(waits.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(waits.get().status.ok());
}

TEST_F(JournalLimitTest, WhileNoStateCanBeWrittenTheJournalKeepsAllThatIsNeeded) {
  start();
  deploy(kCounts);
  files_.fill_up("/Counts/");
  fill();
  EXPECT_TRUE(becomes_true([&] { return durability_->persister().counts().rounds >= 2; }));
  EXPECT_TRUE(absl::IsResourceExhausted(send("Logins", large()).status));
  EXPECT_EQ(journal().counts().first.value, 1u);
  files_.heal();
  EXPECT_TRUE(becomes_true([&] { return send("Logins", large()).status.ok(); }));
  restart();
  EXPECT_EQ(values("Totals").back(), std::to_string(taken_ + 1));
}

}  // namespace
}  // namespace pollux
