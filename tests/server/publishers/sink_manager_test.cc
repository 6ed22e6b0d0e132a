#include "server/publishers/sink_manager.h"

#include "storage/rocks_store.h"
#include "tests/server/publishers/sink_testing.h"

namespace pollux {
namespace {

using SinkManagerTest = SinkTest;

EndpointDefinition of_settings(const std::string& name, const std::string& type,
                               std::vector<EndpointOption> options) {
  EndpointDefinition sink;
  sink.name = name;
  sink.type = type;
  sink.stream = "Out";
  sink.options = std::move(options);
  sink.place = {"pollux.yaml", {7, 1}};
  return sink;
}

TEST_F(SinkManagerTest, everything_that_is_wrong_is_said_before_anything_is_deployed) {
  Deployed deployed = deploy(
      plan_text("@sink(type='http', methd='POST', retry.min='soon')\n"
                "@sink(type='flie', path='x')\n"
                "@sink(type='file', path='x', @map(type='json', @payload('{\"a\": {{nme}}}')))\n"
                "@sink(type='log', @map(type='json', @payload('{{n')))\n"
                "@sink(type='log', @map(type='json', @payload('{\"a\": ')))\n"
                "@sink(type='store', store='NO_STORE')"));
  EXPECT_EQ(deployed.outcome, Deployed::Outcome::kErrors);
  std::string text = to_text(deployed.diagnostics, "plan");
  for (const char* part :
       {"plan:3:1: error: option 'url' is missing", "unknown option 'methd'", "'method'",
        "'retry.min' must be a time", "plan:4:1: error: unknown type of sink 'flie'", "'file'",
        "no attribute 'nme'", "a '{{' has no '}}'", "not JSON", "there is no store"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_TRUE(node_->plans().empty());
  EXPECT_TRUE(sinks_->states().empty());
}

TEST_F(SinkManagerTest, a_sink_on_a_stream_that_nothing_writes_is_a_mistake) {
  Deployed deployed = deploy(
      "@plan:name('P') @sink(type='log') define stream In (a int);\n"
      "from In select a insert into Out;");
  EXPECT_NE(to_text(deployed.diagnostics, "plan").find("no query of the plan inserts into"),
            std::string::npos);
}

TEST_F(SinkManagerTest, templates_escape_what_they_insert) {
  deploy_sinks(
      "@sink(type='log', @map(type='json', @payload("
      "'{\"who\": \"<{{name}}>\", \"raw\": {{name}}, \"n\": {{ n }}, "
      "\"of\": \"{{_stream}} {{_plan}} {{_timestamp}}\", \"id\": {{_id}}}')))");
  ASSERT_TRUE(send("a\"\\\nb", 7).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  std::lock_guard lock(mutex_);
  EXPECT_EQ(logged_[0], R"({"who": "<a\"\\\nb>", "raw": "a\"\\\nb", "n": 7, "of": "Out P 1000", )"
                        R"("id": "-1234/P/1.2.0"})");
}

TEST_F(SinkManagerTest, a_sink_that_its_replacement_says_again_goes_on_where_it_stood) {
  Webhook webhook;
  webhook.be_silent(true);
  std::string sink = "@sink(type='http', url='" + webhook.url() +
                     "', retry.attempts='0', retry.min='1 ms', retry.max='5 ms', timeout='30 ms')";
  deploy_sinks(sink);
  ASSERT_TRUE(send("before", 1).ok());
  ASSERT_TRUE(soon([&] { return counts().failed > 0; }));
  deploy_sinks(sink, /*replace=*/true);
  ASSERT_TRUE(send("after", 2).ok());
  webhook.be_silent(false);
  ASSERT_TRUE(soon([&] { return counts().published == 2; }));
  EXPECT_EQ(counts().dropped, 0U);
  EXPECT_NE(webhook.requests().back().body.find("after"), std::string::npos);
}

TEST_F(SinkManagerTest, a_sink_said_otherwise_begins_with_new_results) {
  deploy_sinks("@sink(type='log', prefix='one ')");
  ASSERT_TRUE(send("a", 1).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  deploy_sinks("@sink(type='log', prefix='two ')", /*replace=*/true);
  ASSERT_TRUE(send("b", 2).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1 && counts().lag_rows == 0; }));
  ASSERT_TRUE(node_->undeploy("P", false).ok());
  std::lock_guard lock(mutex_);
  ASSERT_EQ(logged_.size(), 2U);
  EXPECT_EQ(logged_[1].substr(0, 4), "two ");
}

TEST_F(SinkManagerTest, sinks_of_the_settings_wait_for_their_stream_and_keep_it) {
  ASSERT_TRUE(sinks_->set_settings({of_settings("alerts", "log", {})}).empty());
  EXPECT_EQ(counts().state, SinkState::kStopped);
  deploy_sinks("");
  ASSERT_TRUE(send("a", 1).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  absl::Status refused = node_->undeploy("P", false);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_NE(refused.message().find("sink 'alerts' (pollux.yaml:7) reads stream 'Out'"),
            std::string::npos)
      << refused;
  ASSERT_EQ(deploy("@plan:name('Q') define stream In2 (name string, n long);"
                   "from In2 select name, n insert into Out;")
                .outcome,
            Deployed::Outcome::kDeployed);
  EXPECT_TRUE(node_->undeploy("P", false).ok());
  EXPECT_TRUE(node_->undeploy("Q", true).ok());
  deploy_sinks("");
  ASSERT_TRUE(send("b", 2).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 2; }));
}

TEST_F(SinkManagerTest, settings_are_checked_with_their_places) {
  EndpointMistakes mistakes = sinks_->set_settings(
      {of_settings("a", "file", {}),
       of_settings("b", "http", {{"url", "ftp://x", {"pollux.yaml", {9, 1}}}})});
  ASSERT_EQ(mistakes.size(), 2U);
  EXPECT_EQ(to_text(mistakes[0]).substr(0, 14), "pollux.yaml:7:");
  EXPECT_TRUE(sinks_->states().empty());
}

TEST_F(SinkManagerTest, a_plan_that_a_sink_of_the_settings_cannot_read_is_refused) {
  ASSERT_TRUE(
      sinks_
          ->set_settings({of_settings("a", "log",
                                      {{"payload", "{{nam}}", {"pollux.yaml", {9, 1}}},
                                       {"payload.type", "text", {"pollux.yaml", {10, 1}}}})})
          .empty());
  Deployed deployed = deploy(plan_text(""));
  EXPECT_EQ(deployed.outcome, Deployed::Outcome::kErrors);
  EXPECT_NE(to_text(deployed.diagnostics, "plan").find("pollux.yaml:9: stream 'Out' has no"),
            std::string::npos);
}

TEST_F(SinkManagerTest, drain_waits_for_what_is_on_its_way) {
  Webhook webhook;
  webhook.will_answer(503);
  deploy_sinks("@sink(type='http', url='" + webhook.url() + "', retry.min='50 ms')");
  ASSERT_TRUE(send("a", 1).ok());
  ASSERT_TRUE(node_->drain(kPatience));
  EXPECT_TRUE(sinks_->drain(kPatience));
  EXPECT_EQ(counts().published, 1U);
}

TEST_F(SinkManagerTest, a_store_has_each_key_once) {
  auto opened = open_rocks_store({"PROCESSED_DATA_STORE", folder_ / "store"});
  ASSERT_TRUE(opened.ok()) << opened.status();
  store_ = *std::move(opened);
  deploy_sinks("@sink(type='store', primary.key='name', retention='30 days')");
  for (int64_t n = 1; n <= 5; ++n) ASSERT_TRUE(send(n % 2 == 0 ? "even" : "odd", n).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 5; })) << warnings();
  auto tables = store_->tables();
  ASSERT_TRUE(tables.ok());
  ASSERT_EQ(tables->size(), 1U);
  EXPECT_EQ(tables->front().definition.name, "OUT");
  EXPECT_EQ(tables->front().definition.retention_ms, int64_t{30} * 86'400'000);
  EXPECT_EQ(tables->front().rows, 2U);
  // Another key for the table that is there: said before the deploy.
  Deployed deployed = deploy(plan_text("@sink(type='store', primary.key='n')"), /*replace=*/true);
  EXPECT_EQ(deployed.outcome, Deployed::Outcome::kErrors);
  sinks_->stop();
  node_->stop();
}

TEST(RetryWait, doubles_up_to_the_maximum) {
  RetryOptions retry;
  EXPECT_EQ(retry_wait(retry, 1, 1.0).count(), 100);
  EXPECT_EQ(retry_wait(retry, 1, 0.0).count(), 50);
  EXPECT_EQ(retry_wait(retry, 3, 1.0).count(), 400);
  EXPECT_EQ(retry_wait(retry, 1'000'000, 1.0).count(), 30'000);
}

}  // namespace
}  // namespace pollux
