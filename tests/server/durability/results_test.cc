// Results over restarts: subscribers go on behind what they saw, and persistence that is off.
#include "server/daemon/composition.h"
#include "server/http/http_client.h"
#include "tests/server/durability/durability_testing.h"

namespace pollux {
namespace {

constexpr const char* kSums =
    "@app:name('Sums') define stream Logins (user string, n int);"
    "from Logins select user, sum(n) as total group by user insert into Totals;";

class ResultsTest : public DurabilityTest {
 protected:
  /// What a subscriber gets that has seen the rows up to that id, as "id a b c".
  Lines behind(const std::string& id) {
    settle();
    auto log = node_->find_results("Totals");
    std::optional<uint64_t> from = log->offset_behind(id);
    if (!from) return {"the log does not hold it"};
    Lines lines;
    for (const ResultSlicePtr& slice : log->read(*from, SIZE_MAX).slices) {
      for (uint32_t row = 0; row < slice->batch->rows(); ++row) {
        if (slice->first + row < *from) continue;
        lines.push_back(result_id(*slice, row) + " " + to_text(slice->batch->value(row, 1)));
      }
    }
    return lines;
  }
};

TEST_F(ResultsTest, ASubscriberGoesOnBehindTheLastIdItSawWithoutLossOrRepeat) {
  start();
  deploy(kSums);
  send_ok("Logins", {{"ann", 1}, {"bob", 2}});
  persist();
  send_ok("Logins", {{"ann", 4}});
  Lines all = behind("-1234/Sums/1.2.0");
  EXPECT_EQ(all, (Lines{"-1234/Sums/1.2.1 2", "-1234/Sums/1.4.0 5"}));
  kill_and_start();
  EXPECT_EQ(behind("-1234/Sums/1.2.0"), all);
  EXPECT_EQ(behind("-1234/Sums/1.4.0"), Lines{});
  send_ok("Logins", {{"ann", 8}});
  Lines next = behind("-1234/Sums/1.4.0");
  ASSERT_EQ(next.size(), 1u);
  EXPECT_TRUE(next[0].ends_with(" 13")) << next[0];
  EXPECT_TRUE(next[0].starts_with("-1234/Sums/2.")) << next[0];
  EXPECT_EQ(behind("-1234/Sums/1.3.0"), Lines{"the log does not hold it"});
}

TEST_F(ResultsTest, ResultsThatWereLostAreMadeAgainWithTheirIds) {
  start();
  deploy(kSums);
  send_ok("Logins", {{"ann", 1}});
  send_ok("Logins", {{"ann", 2}});
  Lines before = results("Totals");
  kill();
  std::filesystem::remove_all(data() / "outbox");
  start();
  EXPECT_EQ(results("Totals"), before);
}

TEST_F(ResultsTest, RottenResultsAreSetAsideAndMadeAgainAsFarAsTheJournalReplays) {
  start();
  deploy(kSums);
  send_ok("Logins", {{"ann", 1}});
  persist();
  send_ok("Logins", {{"ann", 2}});
  settle();
  kill();
  for (const auto& file : files_in(data() / "outbox")) {
    if (file.extension() == ".outbox") rot(file, 64 + 70);
  }
  start();
  EXPECT_NE(logged().find("they are set aside"), std::string::npos) << logged();
  EXPECT_EQ(values("Totals"), Lines{"ann 3"});
}

// ---- persistence.enabled: false ----

class OffTest : public DurabilityTest {
 protected:
  void SetUp() override {
    settings_.persistence.enabled = false;
    settings_.http.port = settings_.grpc.port = 0;
    settings_.http.bind_address = settings_.grpc.bind_address = "127.0.0.1";
    log_ = *Logger::open({.file = folder_ / "log"});
  }
  std::unique_ptr<Composition> compose() {
    auto composed = Composition::start(settings_, "test", *log_);
    EXPECT_TRUE(composed.ok()) << composed.status();
    return *std::move(composed);
  }
};

TEST_F(OffTest, NothingIsWrittenAndTheLogSaysSo) {
  auto node = compose();
  DeployRequest request;
  request.text = kSums;
  ASSERT_EQ(node->node().deploy(request).outcome, Deployed::Outcome::kDeployed);
  Intake& intake = node->node().intake();
  auto batch = batch_of(intake.schema_of("Logins"), {{"ann", 1}});
  ASSERT_TRUE(submit(intake, submission_of(batch)).status.ok());
  HttpClient client;
  HttpClientRequest about;
  about.url = "http://127.0.0.1:" + std::to_string(node->http_port()) + "/v1/node";
  auto said = client.request(about);
  ASSERT_TRUE(said.ok()) << said.status();
  EXPECT_NE(said->body.find("acknowledged events and all state are lost"), std::string::npos);
  node->stop(kPatience);
  node.reset();
  EXPECT_NE(logged().find("persistence is off: nothing outlives the process"), std::string::npos);
  for (const char* name : {"journal", "cep_persistence", "outbox", "marks"}) {
    EXPECT_FALSE(std::filesystem::exists(data() / name)) << name;
  }
  node = compose();
  EXPECT_TRUE(node->node().plans().empty());
}

TEST_F(OffTest, WhatWasWrittenBeforeStaysForALaterStart) {
  settings_.persistence.enabled = true;
  start();
  deploy(kSums);
  send_ok("Logins", {{"ann", 1}});
  persist();
  settle();
  kill();
  FileMap before = all_of(data());
  settings_.persistence.enabled = false;
  compose()->stop(kPatience);
  FileMap after = all_of(data());
  for (const auto& [file, bytes] : before) {
    EXPECT_TRUE(after[file] == bytes || file.ends_with("/epoch")) << file;
  }
  settings_.persistence.enabled = true;
  start();
  send_ok("Logins", {{"ann", 2}});
  EXPECT_EQ(values("Totals"), (Lines{"ann 1", "ann 3"}));
}

}  // namespace
}  // namespace pollux
