// Sinks on a log that outlives them: the manager and the log are dropped as a process that ends
// drops them, and made again.
#include <gtest/gtest.h>

#include <cctype>

#include "engine/runtime/engine.h"
#include "persistence/files/posix_file_system.h"
#include "server/publishers/sink_manager.h"
#include "tests/server/publishers/sink_testing.h"

namespace pollux {
namespace {

class DurableSinksTest : public testing::Test {
 protected:
  DurableSinksTest() { start(); }
  ~DurableSinksTest() override { stop(); }

  void start() {
    ResultLogOptions options;
    options.directory = folder_ / "results/Out";
    auto log = ResultLog::open(files_, schema_, options);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
    SinkEnvironment environment;
    environment.log_line = [this](std::string_view line) {
      std::lock_guard lock(mutex_);
      logged_.emplace_back(line);
    };
    environment.warn = [this](const std::string& text) {
      std::lock_guard lock(mutex_);
      warnings_ += text + "\n";
    };
    sinks_ = std::make_unique<SinkManager>(std::move(environment));
  }
  void stop() {
    if (sinks_ != nullptr) sinks_->stop();
    sinks_ = nullptr;
    log_ = nullptr;
  }
  void restart() {
    stop();
    start();
  }

  /// As the node tells it, of a plan that has this sink.
  void deploy(const std::string& sink) {
    std::string text = "@plan:name('P') define stream In (n int);\n" + sink +
                       "\ndefine stream Out (n int);\nfrom In select n insert into Out;";
    struct : ResultSink {
      void on_result(const ResultBatch&) override {}
    } nowhere;
    Engine engine;
    ApplyOutcome outcome =
        engine.apply({{{1}, {1}}, {0}, DeployPayload{.plan = "P", .text = text}}, nowhere);
    ASSERT_EQ(outcome.status, ApplyStatus::kApplied) << outcome.reason;
    PlanDescription description = *engine.describe("P");
    std::vector<StreamInfo> streams = engine.streams("P");
    std::map<std::string, PlanOutput> outputs;
    outputs["Out"] = {log_, log_->hold(log_->end()), log_->end()};
    sinks_->deployed({description, streams}, std::move(outputs));
  }
  void add_row(uint64_t position) {
    ResultSlice slice;
    slice.plan = std::make_shared<const std::string>("P");
    slice.cause = {{1}, {position}};
    slice.ordinals = {0};
    slice.batch = batch_of(schema_, {{static_cast<int32_t>(position)}});
    log_->append(std::move(slice));
    log_->flush();
  }
  uint64_t published() const { return sinks_->states().at(0).counts.published; }
  std::vector<std::string> logged() {
    std::lock_guard lock(mutex_);
    return logged_;
  }
  static std::string sink(const std::string& prefix) {
    return "@sink(type='log', prefix='" + prefix + "', @map(type='text', @payload('{{n}}')))";
  }
  using Lines = std::vector<std::string>;

  TestFolder folder_;
  PosixFileSystem files_;
  SchemaPtr schema_ =
      std::make_shared<const Schema>("Out", std::vector<Attribute>{{"n", AttributeType::kInt}});
  std::mutex mutex_;
  std::vector<std::string> logged_;
  std::string warnings_;
  std::shared_ptr<ResultLog> log_;
  std::unique_ptr<SinkManager> sinks_;
};

TEST_F(DurableSinksTest, a_sink_goes_on_behind_what_it_has_delivered) {
  deploy(sink("one "));
  add_row(2);
  add_row(3);
  ASSERT_TRUE(soon([&] { return published() == 2; }));
  sinks_->stop();
  add_row(4);  // seen, and delivered by nobody
  restart();
  deploy(sink("one "));
  add_row(5);
  ASSERT_TRUE(soon([&] { return published() == 2; }));
  EXPECT_EQ(logged(), (Lines{"one 2", "one 3", "one 4", "one 5"}));
}

TEST_F(DurableSinksTest, what_is_not_delivered_waits_on_disk) {
  std::string file = "@sink(type='file', path='" + (folder_ / "later/out") +
                     "', retry.attempts='0', retry.min='1 ms', retry.max='5 ms', "
                     "@map(type='text', @payload('{{n}}')))";
  deploy(file);
  for (uint64_t position = 2; position <= 30; ++position) add_row(position);
  ASSERT_TRUE(soon([&] { return sinks_->states().at(0).counts.failed > 0; }));
  restart();
  ASSERT_TRUE(files_.make_directories(folder_ / "later").ok());
  deploy(file);
  ASSERT_TRUE(soon([&] { return published() == 29; }));
  std::vector<std::string> lines = lines_of(folder_ / "later/out");
  EXPECT_EQ(lines.size(), 29U);
  EXPECT_EQ(lines.front(), "2");
}

TEST_F(DurableSinksTest, a_webhook_gets_again_only_the_batch_that_it_did_not_confirm) {
  Webhook webhook;
  const std::string hook = "@sink(type='http', publisher.url='" + webhook.url() +
                           "', batch='2', retry.min='1 ms', retry.max='5 ms', "
                           "@map(type='json', @payload('{{n}}')))";
  deploy(hook);
  add_row(2);
  ASSERT_TRUE(soon([&] { return published() == 1; }));
  webhook.be_silent(true);
  add_row(3);
  ASSERT_TRUE(soon([&] { return webhook.requests().size() == 2; }));
  add_row(4);
  add_row(5);
  sinks_->stop();
  webhook.be_silent(false);
  webhook.answer_nobody();
  restart();
  deploy(hook);
  add_row(6);
  ASSERT_TRUE(soon([&] { return published() == 4; }));
  Lines bodies;
  for (const Webhook::Request& request : webhook.requests()) bodies.push_back(request.body);
  ASSERT_GE(bodies.size(), 4u);
  EXPECT_EQ(bodies[0], "[2]");
  EXPECT_EQ(bodies[1], "[3]") << "not confirmed";
  std::string later;
  for (size_t i = 2; i < bodies.size(); ++i) later += bodies[i];
  std::erase_if(later, [](char c) { return std::isdigit(c) == 0; });
  EXPECT_EQ(later, "3456") << "none lost, none but that one twice";
}

TEST_F(DurableSinksTest, a_sink_that_went_with_its_plan_begins_anew) {
  deploy(sink("one "));
  add_row(2);
  ASSERT_TRUE(soon([&] { return published() == 1; }));
  sinks_->undeployed("P");
  add_row(3);
  restart();
  deploy(sink("one "));
  add_row(4);
  ASSERT_TRUE(soon([&] { return published() == 1; }));
  EXPECT_EQ(logged(), (Lines{"one 2", "one 4"}));
}

TEST_F(DurableSinksTest, a_sink_said_otherwise_begins_anew) {
  deploy(sink("one "));
  restart();
  add_row(2);
  deploy(sink("one "));
  ASSERT_TRUE(soon([&] { return published() == 1; }));
  deploy(sink("two "));
  add_row(3);
  ASSERT_TRUE(soon([&] { return published() == 1; }));
  EXPECT_EQ(logged(), (Lines{"one 2", "two 3"}));
}

}  // namespace
}  // namespace pollux
