// Revisions of plans' states: how many stand, and what a node goes on from when they have rotted.
#include <set>

#include "tests/server/durability/durability_testing.h"

namespace pollux {
namespace {

constexpr const char* kSums =
    "@app:name('Sums') define stream Logins (user string, n int);"
    "from Logins select user, sum(n) as total group by user insert into Totals;";
/// Another query behind it: the sums are handed over.
constexpr const char* kMoreSums =
    "@app:name('Sums') define stream Logins (user string, n int);"
    "from Logins select user, sum(n) as total group by user insert into Totals;"
    "from Logins select user insert into Seen;";

class RevisionsTest : public DurabilityTest {
 protected:
  using Path = std::filesystem::path;

  /// Newest last.
  std::vector<Path> revisions(const std::string& plan) const { return files_in(states_of(plan)); }
  void send_some(int count) {
    for (int i = 0; i < count; ++i) send_ok("Logins", {{"ann", 1}, {"bob", i}});
  }
  /// Events around two states of the plan.
  void live() {
    start();
    deploy(kSums);
    send_some(5);
    persist();
    send_some(5);
    persist();
    send_some(5);
  }
  /// What the plan says of events that it has taken over all its lives.
  void expect_undisturbed(const Lines& results_before) {
    EXPECT_EQ(results("Totals"), results_before);
    EXPECT_EQ(suspended_because("Sums"), "");
    send_ok("Logins", {{"ann", 1}, {"bob", 0}});
    Lines now = values("Totals");
    EXPECT_EQ(now[now.size() - 2], "ann 16");
    EXPECT_EQ(now.back(), "bob 30");
  }
};

TEST_F(RevisionsTest, AfterTenRoundsTwoStandForEachPlanAndForTheNode) {
  start();
  deploy(kSums);
  deploy("@app:name('Other') define stream Else (a int); from Else select a insert into Out;");
  std::set<std::string> paths;
  for (int round = 0; round < 10; ++round) {
    send_some(1);
    for (const PersistedPlan& plan : persist().plans) paths.insert(plan.path);
  }
  EXPECT_EQ(paths.size(), 20u) << "each round wrote its own";
  for (const char* plan : {"Sums", "Other", "_node"}) {
    EXPECT_EQ(revisions(plan).size(), 2u) << plan;
  }
  kill_and_start();
  EXPECT_EQ(recovered().entries, 0u);
  EXPECT_EQ(recovered().fallbacks, 0u);
}

TEST_F(RevisionsTest, ARottenNewestLeadsToTheOneBeforeAndToTheSameResults) {
  live();
  Lines before = results("Totals");
  kill();
  Path newest = revisions("Sums").back();
  rot(newest);
  start();
  EXPECT_EQ(recovered().fallbacks, 1u);
  EXPECT_EQ(recovered().plans, 1u);
  EXPECT_NE(logged().find("a state of a plan is passed over"), std::string::npos);
  EXPECT_NE(logged().find(newest.filename().string()), std::string::npos) << logged();
  expect_undisturbed(before);
  EXPECT_TRUE(std::filesystem::exists(newest)) << "what has rotted is left for whoever looks at it";
}

TEST_F(RevisionsTest, APlanWhoseStateIsWholeTakesNothingTwiceForOneWhoseStateIsNot) {
  start();
  deploy(kSums);
  deploy(
      "@app:name('Counts') define stream Logins (user string, n int);"
      "define table Seen (user string, times long); define stream Asks (user string);"
      "from Logins select user, count() as times group by user insert into Counts;"
      "from Logins select user, 1L as times insert into Seen;"
      "from Asks join Seen on Asks.user == Seen.user select count() as rows insert into Rows;");
  send_some(5);
  persist();
  send_some(5);
  persist();
  send_some(5);
  Lines sums = results("Totals");
  Lines counts = results("Counts");
  kill();
  rot(revisions("Sums").back());
  start();
  EXPECT_EQ(recovered().plans, 2u);
  EXPECT_EQ(results("Counts"), counts);
  expect_undisturbed(sums);
  EXPECT_EQ(values("Counts").back(), "bob 16");
  send_ok("Asks", {{"ann"}});
  EXPECT_EQ(values("Rows").back(), "16");
}

TEST_F(RevisionsTest, WhereBothHaveRottenTheJournalBuildsThePlanAgain) {
  live();
  Lines before = results("Totals");
  kill();
  for (const Path& file : revisions("Sums")) rot(file);
  start();
  EXPECT_EQ(recovered().fallbacks, 2u);
  EXPECT_EQ(recovered().plans, 0u);
  EXPECT_EQ(recovered().lost_plans, 0u);
  expect_undisturbed(before);
}

TEST_F(RevisionsTest, APlanThatReplacedAnotherIsBuiltAgainFromTheFirst) {
  start();
  deploy(kSums);
  send_some(5);
  deploy(kMoreSums, /*replace=*/true);
  persist();
  send_some(5);
  persist();
  send_some(5);
  Lines before = results("Totals");
  kill();
  for (const Path& file : revisions("Sums")) rot(file);
  start();
  expect_undisturbed(before);
}

TEST_F(RevisionsTest, ARottenStateOfTheNodeLeadsToTheOneBefore) {
  live();
  Lines before = results("Totals");
  ASSERT_FALSE(send("Logins", {{"joe", 1}}, "idp", 1).duplicate);
  before = results("Totals");
  kill();
  rot(revisions("_node").back());
  start();
  EXPECT_EQ(recovered().fallbacks, 1u);
  EXPECT_NE(logged().find("a state of the node is passed over"), std::string::npos);
  EXPECT_TRUE(send("Logins", {{"joe", 1}}, "idp", 1).duplicate);
  expect_undisturbed(before);
}

TEST_F(RevisionsTest, WithoutAnyStateTheJournalIsEnough) {
  live();
  Lines before = results("Totals");
  kill();
  std::filesystem::remove_all(data() / "cep_persistence");
  start();
  EXPECT_EQ(recovered().plans, 0u);
  expect_undisturbed(before);
}

TEST_F(RevisionsTest, APlanWithoutStateOrJournalStandsThereSuspendedAndSaysWhy) {
  live();
  persist();
  Lines before = results("Totals");
  stop();
  for (const Path& file : revisions("Sums")) rot(file);
  std::filesystem::remove_all(data() / "journal");
  start();
  EXPECT_EQ(recovered().lost_plans, 1u);
  EXPECT_NE(logged().find("a plan cannot be restored"), std::string::npos);
  EXPECT_NE(suspended_because("Sums").find("its state is lost"), std::string::npos)
      << suspended_because("Sums");
  EXPECT_EQ(results("Totals"), before) << "its results are there";
  deploy(kSums, /*replace=*/true);
  send_ok("Logins", {{"ann", 3}});
  EXPECT_EQ(values("Totals").back(), "ann 3");
}

TEST_F(RevisionsTest, RotInStateAndJournalCostsOnlyThePlanThatNeedsBoth) {
  start();
  deploy(kSums);
  deploy(
      "@app:name('Counts') define stream Logins (user string, n int);"
      "from Logins select count() as times insert into Counts;");
  send_some(5);
  persist();
  Path journal = files_in(data() / "journal").front();
  uint64_t first_state = std::filesystem::file_size(journal);
  send_some(5);
  persist();
  send_some(5);
  Lines counts = results("Counts");
  kill();
  rot(journal, first_state + 70);
  rot(revisions("Sums").back());
  start();
  EXPECT_EQ(recovered().lost_plans, 1u);
  EXPECT_NE(logged().find("the journal behind it has rotted"), std::string::npos);
  EXPECT_NE(suspended_because("Sums").find("its state is lost"), std::string::npos);
  EXPECT_EQ(results("Counts"), counts);
  send_some(1);
  EXPECT_EQ(values("Counts").back(), "32");
}

TEST_F(RevisionsTest, FilesOfOthersAreLeftAloneAndDisturbNothing) {
  namespace fs = std::filesystem;
  live();
  Lines before = results("Totals");
  kill();
  Path folder = states_of("Sums");
  size_t ours = revisions("Sums").size();
  for (const char* name : {"abc_Sums", "00123_Sums", "99999999999999999990_Sums", "123_Sums.bak",
                           "123_Other", "_Sums", "123", ".hidden", "notes.txt"}) {
    write_file(folder / name, "not ours");
  }
  write_file(folder / "9999999999998_Sums", "goes by our name, but is none");
  fs::create_directory(folder / "9999999999990_Sums");
  write_file(folder / "9999999999990_Sums" / "inside", "not ours");
  fs::create_directory(folder / "old");
  fs::create_symlink("nowhere", folder / "dangling");
  fs::create_symlink("..", folder / "circle");
  write_file(folder.parent_path() / "a file among the folders", "not ours");
  fs::create_symlink("nowhere", folder.parent_path() / "Dangling");
  fs::create_directory(folder.parent_path() / "Unknown plan");
  write_file(folder.parent_path() / "Unknown plan" / "1_Unknown plan", "not ours");
  write_file(folder / "123_Sums.tmp", "left by a process that died");
  FileMap foreign = all_of(folder.parent_path());
  start();
  expect_undisturbed(before);
  for (int round = 0; round < 4; ++round) EXPECT_TRUE(persist().plans.at(0).status.ok());
  kill_and_start();
  size_t left = 0;
  for (const auto& [path, bytes] : foreign) left += fs::exists(path) && content_of(path) == bytes;
  // The node's two states and the plan's two have gone, and what was not finished.
  EXPECT_EQ(left, foreign.size() - 2 - ours - 1);
  EXPECT_TRUE(fs::is_symlink(folder / "dangling"));
  EXPECT_TRUE(fs::is_symlink(folder / "circle"));
  EXPECT_EQ(values("Totals").back(), "bob 30");
}

}  // namespace
}  // namespace pollux
