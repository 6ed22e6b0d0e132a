// Entries that processes die of: the plan is suspended there, and everything else goes on.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "server/extensions/extension_loader.h"
#include "tests/server/durability/durability_testing.h"

namespace pollux {
namespace {

constexpr const char* kRisky =
    "@app:name('Risky') define stream Logins (user string, n int);"
    "from Logins select user, deadly:die(n) as n, count() as times insert into Risks;";
constexpr const char* kMended =
    "@app:name('Risky') define stream Logins (user string, n int);"
    "from Logins select user, n, count() as times insert into Risks;";
constexpr const char* kCalm =
    "@app:name('Calm') define stream Logins (user string, n int);"
    "from Logins select user, deadly:with(n) as n, count() as times insert into Calms;";
constexpr int kDeadly = 666;
constexpr int kDeadlyTogether = 667;

class PoisonTest : public DurabilityTest {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_ / "extensions");
    std::filesystem::copy(POLLUX_DEADLY_EXTENSION, folder_ / "extensions" / "deadly.so");
    auto loaded = load_extensions((folder_ / "extensions").string());
    ASSERT_TRUE(loaded.ok()) << loaded.status();
  }

  /// Whether a process that starts the node and does `work` is killed. Anything else that goes
  /// wrong in it fails the test.
  static bool dies(const std::function<void()>& work) {
    pid_t child = ::fork();
    if (child == 0) {
      work();
      ::_exit(HasFailure() ? 1 : 0);
    }
    int ended = 0;
    EXPECT_EQ(::waitpid(child, &ended, 0), child);
    if (WIFSIGNALED(ended)) return true;
    EXPECT_EQ(WEXITSTATUS(ended), 0) << "the process failed";
    return false;
  }
  bool dies_at_start() {
    return dies([this] {
      start();
      settle();
    });
  }
  void deploy_and_send(int deadly, const std::function<void()>& before = nullptr) {
    start();
    deploy(kRisky);
    deploy(kCalm);
    send_ok("Logins", {{"ann", 1}});
    send_ok("Logins", {{"bob", 2}});
    settle();
    if (before) before();
    send_ok("Logins", {{"eve", deadly}});
    settle();
  }
  void expect_suspended() {
    EXPECT_EQ(recovered().poisoned, 1u);
    EXPECT_TRUE(becomes_true([&] { return !suspended_because("Risky").empty(); }));
    EXPECT_NE(suspended_because("Risky").find("processes died while they applied entry"),
              std::string::npos)
        << suspended_because("Risky");
    EXPECT_EQ(suspended_because("Calm"), "");
    EXPECT_EQ(values("Risks"), (Lines{"ann 1 1", "bob 2 2"}));
    EXPECT_EQ(values("Calms").size(), 3u);
    send_ok("Logins", {{"joe", 4}});
    EXPECT_EQ(values("Calms").back(), "joe 4 4");
    EXPECT_EQ(values("Risks").size(), 2u);
  }
};

TEST_F(PoisonTest, APlanIsSuspendedAtTheEntryThatTwoProcessesDiedOfThoughOthersAreReplayedBefore) {
  ASSERT_TRUE(dies([&] { deploy_and_send(kDeadly); }));
  ASSERT_TRUE(dies_at_start()) << "once may be chance: it is tried again";
  start();
  expect_suspended();
  EXPECT_NE(logged().find("processes died while a plan was at an entry"), std::string::npos);
  EXPECT_NE(logged().find("a plan failed and is suspended"), std::string::npos);
  kill_and_start();
  EXPECT_EQ(values("Calms").size(), 4u) << "and at the next start as well";
  EXPECT_NE(suspended_because("Risky"), "");
}

TEST_F(PoisonTest, APlanThatWasRestoredFromARevisionIsSuspendedAsWell) {
  ASSERT_TRUE(dies([&] { deploy_and_send(kDeadly, [&] { persist(); }); }));
  ASSERT_TRUE(dies_at_start());
  start();
  EXPECT_EQ(recovered().plans, 2u);
  expect_suspended();
  persist();
  kill_and_start();
  EXPECT_NE(suspended_because("Risky").find("processes died"), std::string::npos)
      << "its state says so: " << suspended_because("Risky");
  EXPECT_EQ(recovered().entries, 0u);
}

TEST_F(PoisonTest, AMendedPlanGoesOnAndTheEntryIsPassedOverByEachReplay) {
  ASSERT_TRUE(dies([&] { deploy_and_send(kDeadly); }));
  ASSERT_TRUE(dies_at_start());
  start();
  EXPECT_TRUE(becomes_true([&] { return !suspended_because("Risky").empty(); }));
  deploy(kMended, /*replace=*/true);
  EXPECT_EQ(suspended_because("Risky"), "");
  send_ok("Logins", {{"joe", 4}});
  Lines before = results("Risks");
  EXPECT_TRUE(before.back().find("joe 4") != std::string::npos) << before.back();
  kill();
  ASSERT_FALSE(dies_at_start()) << "the replay comes by the entry";
  start();
  EXPECT_EQ(results("Risks"), before);
  EXPECT_EQ(suspended_because("Risky"), "");
}

TEST_F(PoisonTest, APlanDiesOfTwoEntriesAndIsSuspendedAtBoth) {
  ASSERT_TRUE(dies([&] { deploy_and_send(kDeadly); }));
  ASSERT_TRUE(dies_at_start());
  // Mended in the wrong way.
  std::string again = std::string(kRisky) + "from Logins select user insert into Seen;";
  ASSERT_TRUE(dies([&] {
    start();
    deploy(again, /*replace=*/true);
    send_ok("Logins", {{"eve", kDeadly + 5}});
    settle();
  }));
  ASSERT_TRUE(dies_at_start());
  ASSERT_FALSE(dies_at_start()) << "both entries are known";
  start();
  EXPECT_EQ(recovered().poisoned, 1u) << "plans";
  EXPECT_TRUE(becomes_true([&] { return !suspended_because("Risky").empty(); }));
  EXPECT_EQ(values("Calms").size(), 4u);
}

TEST_F(PoisonTest, APlanThatWasAtWorkOnTheSameEntryIsNotBlamed) {
  ASSERT_TRUE(dies([&] { deploy_and_send(kDeadlyTogether); }));
  ASSERT_TRUE(dies_at_start());
  start();
  expect_suspended();
}

}  // namespace
}  // namespace pollux
