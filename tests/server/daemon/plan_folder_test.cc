// Plans as files: deployed with the start, followed while they change, removed with their file.

#include "tests/server/daemon/daemon_testing.h"

namespace pollux {
namespace {

class PlanFolderTest : public DaemonTest {
 protected:
  static constexpr const char* kPlan = "define stream S (a int); from S select a insert into T;";

  void SetUp() override {
    ShellTest::SetUp();
    std::filesystem::create_directory(path("plans"));
  }
  void run() {
    start_polluxd("POLLUX__PLANS_DIR=plans");
    base_ = base_url();
  }
  bool deployed(const std::string& plan) {
    auto answer = call("GET", base_ + "/v1/plans/" + plan);
    return answer.ok() && answer->status == 200;
  }
  std::string named(const std::string& name, const std::string& stream) {
    return "@app:name('" + name + "') define stream " + stream + " (a int); from " + stream +
           " select a insert into Of" + stream + ";";
  }

  std::string base_;
};

TEST_F(PlanFolderTest, PlansAreThereBeforeTheFirstRequest) {
  write("plans/one.siddhi", kPlan);
  write("plans/two.siddhi", named("Second", "U"));
  write("plans/note.txt", "no plan");
  std::filesystem::create_directory(path("plans/folder.siddhi"));
  run();
  std::string plans = get(base_ + "/v1/plans");
  EXPECT_NE(plans.find("\"name\":\"one\""), std::string::npos) << plans;
  EXPECT_NE(plans.find("\"name\":\"Second\""), std::string::npos) << plans;
  EXPECT_NE(plans.find("\"origin\":\"plans/one.siddhi\""), std::string::npos) << plans;
  EXPECT_EQ(plans.find("note"), std::string::npos) << plans;
  EXPECT_EQ(plans.find("folder"), std::string::npos) << plans;
}

TEST_F(PlanFolderTest, NewChangedRemovedFilesAreFollowed) {
  run();
  write("plans/one.siddhi", kPlan);
  ASSERT_TRUE(becomes_true([&] { return deployed("one"); })) << read("log");
  write("plans/one.siddhi", std::string(kPlan) + " from S select a as b insert into V;");
  ASSERT_TRUE(becomes_true(
      [&] { return get(base_ + "/v1/plans/one").find("\"V\"") != std::string::npos; }));
  EXPECT_TRUE(logged("plan replaced"));
  // Under another name: the old plan goes.
  write("plans/one.siddhi", named("Renamed", "S"));
  ASSERT_TRUE(becomes_true([&] { return deployed("Renamed") && !deployed("one"); })) << read("log");
  std::filesystem::remove(path("plans/one.siddhi"));
  ASSERT_TRUE(becomes_true([&] { return !deployed("Renamed"); })) << read("log");
}

TEST_F(PlanFolderTest, ABrokenFileIsToldAndWhatRanGoesOn) {
  write("plans/good.siddhi", kPlan);
  write("plans/bad.siddhi", "define stream B (a int);\nfrom B selct a insert into C;\n");
  run();
  EXPECT_TRUE(logged("bad.siddhi:2:"));
  EXPECT_TRUE(deployed("good"));
  EXPECT_FALSE(deployed("bad"));
  write("plans/good.siddhi", "from Nowhere select a insert into T;");
  ASSERT_TRUE(logged("good.siddhi:1:"));
  EXPECT_TRUE(deployed("good"));
  EXPECT_EQ(call("POST", base_ + "/v1/streams/S/events", R"({"a":1})")->status, 200);
  write("plans/good.siddhi", std::string(kPlan) + "\n");
  EXPECT_TRUE(logged("plan replaced"));
  write("plans/bad.siddhi", named("Good", "B"));
  EXPECT_TRUE(becomes_true([&] { return deployed("Good"); }));
}

TEST_F(PlanFolderTest, AFileTakesNoPlanOfSomebodyElse) {
  write("plans/a.siddhi", named("A", "S"));
  run();
  ASSERT_EQ(call("POST", base_ + "/v1/plans", named("Api", "X"), "text/plain")->status, 201);
  write("plans/b.siddhi", named("B", "U"));
  ASSERT_TRUE(becomes_true([&] { return deployed("B"); }));
  write("plans/b.siddhi", named("A", "Other"));
  ASSERT_TRUE(logged("'A' is deployed already")) << read("log");
  EXPECT_NE(get(base_ + "/v1/plans/A").find("OfS"), std::string::npos);
  write("plans/b.siddhi", named("Api", "Other2"));
  ASSERT_TRUE(logged("'Api' is deployed already"));
  EXPECT_NE(get(base_ + "/v1/plans/Api").find("OfX"), std::string::npos);
  EXPECT_TRUE(deployed("B")) << "what ran goes on";
}

TEST_F(PlanFolderTest, AFolderThatGoesAwayTakesNoPlans) {
  write("plans/one.siddhi", kPlan);
  run();
  std::filesystem::rename(path("plans"), path("away"));
  ASSERT_TRUE(logged("the folder of plans cannot be read"));
  EXPECT_TRUE(deployed("one"));
  std::filesystem::rename(path("away"), path("plans"));
  write("plans/two.siddhi", named("Two", "U"));
  EXPECT_TRUE(becomes_true([&] { return deployed("Two"); }));
  EXPECT_TRUE(deployed("one"));
}

}  // namespace
}  // namespace pollux
