// Plans that are replaced, removed and deployed again, and what is there of them after a restart.
#include <future>

#include "tests/server/durability/durability_testing.h"

namespace pollux {
namespace {

std::string plan_of(const std::string& second_query) {
  return "@app:name('Sums') define stream Logins (user string, n int);"
         "@info(name='sums') from Logins select user, sum(n) as total group by user "
         "insert into Totals;"
         "@info(name='second') from Logins select " +
         second_query + " insert into Seconds;";
}
const std::string kFirst = plan_of("sum(n) as value");
const std::string kEdited = plan_of("max(n) as value");

/// When states are written, if they are.
enum class Persist { kNever, kBefore, kBehind, kBoth };
constexpr const char* kNames[] = {"unpersisted", "persisted_before", "persisted_behind",
                                  "persisted_both"};

class EditTest : public DurabilityTest, public testing::WithParamInterface<Persist> {
 protected:
  bool before() const { return GetParam() == Persist::kBefore || GetParam() == Persist::kBoth; }
  bool behind() const { return GetParam() == Persist::kBehind || GetParam() == Persist::kBoth; }
  void persist_if(bool wanted) {
    if (wanted) persist();
  }
};

INSTANTIATE_TEST_SUITE_P(, EditTest,
                         testing::Values(Persist::kNever, Persist::kBefore, Persist::kBehind,
                                         Persist::kBoth),
                         [](const auto& when) { return kNames[static_cast<int>(when.param)]; });

TEST_P(EditTest, AReplacedPlanKeepsWhatIsUnchangedOverARestart) {
  start();
  deploy(kFirst);
  send_ok("Logins", {{"ann", 7}});
  persist_if(before());
  send_ok("Logins", {{"ann", 1}});
  Deployed replaced = deploy(kEdited, /*replace=*/true);
  ASSERT_TRUE(replaced.handed_over);
  send_ok("Logins", {{"ann", 2}});
  persist_if(behind());
  send_ok("Logins", {{"ann", 1}});
  Lines totals = results("Totals");
  Lines seconds = results("Seconds");
  kill_and_start();
  EXPECT_EQ(results("Totals"), totals);
  EXPECT_EQ(results("Seconds"), seconds);
  send_ok("Logins", {{"ann", 1}});
  EXPECT_EQ(values("Totals").back(), "ann 12") << "by name and text";
  EXPECT_EQ(values("Seconds").back(), "2") << "begun anew with the edit";
  EXPECT_EQ(node_->plan("Sums")->text, kEdited);
}

TEST_P(EditTest, AnUndeployedPlanStaysAway) {
  start();
  deploy(kFirst);
  send_ok("Logins", {{"ann", 7}});
  persist_if(before());
  ASSERT_TRUE(node_->undeploy("Sums", false).ok());
  persist_if(behind());
  kill_and_start();
  EXPECT_TRUE(node_->plans().empty());
  EXPECT_TRUE(absl::IsNotFound(send("Logins", {{"ann", 1}}).status));
}

TEST_P(EditTest, APlanDeployedUnderAnOldNameBeginsWithoutTheOldState) {
  start();
  deploy(kFirst);
  send_ok("Logins", {{"ann", 7}});
  persist_if(before());
  persist_if(before());
  ASSERT_TRUE(node_->undeploy("Sums", false).ok());
  Deployed again = deploy(kFirst);
  send_ok("Logins", {{"ann", 1}});
  persist_if(behind());
  Lines totals = results("Totals");
  EXPECT_EQ(values("Totals").back(), "ann 1");
  kill_and_start();
  EXPECT_EQ(results("Totals"), totals);
  send_ok("Logins", {{"ann", 1}});
  EXPECT_EQ(values("Totals").back(), "ann 2");
  EXPECT_EQ(node_->plan("Sums")->entry, again.entry);
}

TEST_P(EditTest, TheStateOfAnEarlierPlanOfThatNameIsNotTakenWhereTheNewestHasRotten) {
  start();
  deploy(kFirst);
  send_ok("Logins", {{"ann", 7}});
  persist_if(before());
  ASSERT_TRUE(node_->undeploy("Sums", false).ok());
  deploy(kFirst);
  send_ok("Logins", {{"ann", 1}});
  persist_if(behind());
  Lines totals = results("Totals");
  kill();
  if (behind()) rot(files_in(states_of("Sums")).back());
  start();
  EXPECT_EQ(results("Totals"), totals);
  send_ok("Logins", {{"ann", 1}});
  EXPECT_EQ(values("Totals").back(), "ann 2");
}

TEST_P(EditTest, APlanThatSuspendedItselfStaysSoUntilItIsReplaced) {
  const std::string loops =
      "@app:name('Sums') define stream Logins (user string, n int);"
      "@info(name='sums') from Logins select user, sum(n) as total group by user "
      "insert into Totals; from Logins[n > 100] select * insert into Logins;";
  start();
  deploy(loops);
  send_ok("Logins", {{"ann", 7}});
  settle();
  persist_if(before());
  send_ok("Logins", {{"ann", 101}});
  ASSERT_TRUE(becomes_true([&] { return !suspended_because("Sums").empty(); }));
  std::string why = suspended_because("Sums");
  send_ok("Logins", {{"ann", 1}});
  persist_if(behind());
  Lines totals = results("Totals");
  kill_and_start();
  EXPECT_TRUE(becomes_true([&] { return suspended_because("Sums") == why; }))
      << suspended_because("Sums") << ", before: " << why;
  EXPECT_EQ(results("Totals"), totals);
  deploy(kFirst, /*replace=*/true);
  send_ok("Logins", {{"ann", 1}});
  Lines mended = results("Totals");
  EXPECT_EQ(mended.size(), totals.size() + 1);
  kill_and_start();
  EXPECT_EQ(results("Totals"), mended);
  EXPECT_EQ(suspended_because("Sums"), "");
}

/// Keeps a plan at work until it is told to go on.
class SlowLog final : public PlanLog {
 public:
  void on_log(std::string_view, LogPriority, std::string_view) override { go_on_.wait(); }
  void go_on() { told_.set_value(); }

 private:
  std::promise<void> told_;
  std::shared_future<void> go_on_{told_.get_future()};
};

class RedeployTest : public DurabilityTest {
 protected:
  RedeployTest() { plan_log_ = &slow_; }
  SlowLog slow_;
};

TEST_F(RedeployTest, APlanOfAnOldNameComesBehindTheOneThatIsStillAtWork) {
  const std::string first =
      "@app:name('Sums') define stream Logins (user string, n int);"
      "from Logins#log('at work') select user, sum(n) as total group by user insert into Totals;";
  const std::string second =
      "@app:name('Sums') define stream Logins (user string, n int);"
      "from Logins select user, sum(n) as total group by user insert into Totals;";
  start();
  deploy(first);
  send_ok("Logins", {{"ann", 1}});
  send_ok("Logins", {{"ann", 2}});
  ASSERT_TRUE(node_->undeploy("Sums", false).ok());
  deploy(second);
  send_ok("Logins", {{"ann", 4}});
  slow_.go_on();
  const Lines expected = {"-1234/Sums/1.2.0 ann 1", "-1234/Sums/1.3.0 ann 3",
                          "-1234/Sums/1.6.0 ann 4"};
  EXPECT_EQ(results("Totals"), expected);
  kill();
  std::filesystem::remove_all(data() / "outbox");
  start();
  EXPECT_EQ(results("Totals"), expected) << "and so they do in a replay";
}

}  // namespace
}  // namespace pollux
