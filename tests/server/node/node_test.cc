#include "server/node/node.h"

#include <atomic>
#include <map>
#include <thread>
#include <utility>

#include "tests/server/node/node_testing.h"

namespace pollux {
namespace {

constexpr const char* kFailures =
    "@app:name('Failures') define stream Logins (user string, ok bool);"
    "from Logins[ok == false] select user insert into Alerts;";

NodeOptions options() {
  NodeOptions options;
  options.epoch = {7};
  options.workers = 2;
  return options;
}

Deployed deploy(Node& node, std::string text, bool replace = false) {
  DeployRequest request;
  request.text = std::move(text);
  request.replace = replace;
  return node.deploy(request);
}

SchemaPtr logins(Node& node) { return node.intake().schema_of("Logins"); }

Submission failure_of(Node& node, const std::string& user) {
  return submission_of(batch_of(logins(node), {{user, false}}));
}

/// Sends until the plan rests because a log is full, then until its queue is full; the refusal.
Submitted fill(Node& node, const Submission& submission, uint64_t& sent) {
  Submitted answer;
  while (!node.plan("Failures")->counts.resting) {
    answer = submit(node.intake(), submission);
    if (answer.status.ok()) ++sent;
  }
  while (answer = submit(node.intake(), submission), answer.status.ok()) ++sent;
  return answer;
}

TEST(Node, ResultsCarryTheIdOfTheEntryThatCausedThem) {
  Node node(options());
  ASSERT_EQ(deploy(node, kFailures).outcome, Deployed::Outcome::kDeployed);
  Submitted first =
      submit(node.intake(), submission_of(batch_of(logins(node), {{std::string("ada"), false},
                                                                  {std::string("bob"), true},
                                                                  {std::string("eve"), false}})));
  ASSERT_TRUE(first.status.ok()) << first.status;
  EXPECT_EQ(first.accepted, 3);
  EXPECT_EQ(first.id.epoch.value, 7);
  EXPECT_EQ(first.id.position.value, 2);  // the plan was 1
  EXPECT_EQ(results_of(*node.find_results("Alerts"), 2),
            (std::vector<std::string>{"-1234/Failures/7.2.0 ada", "-1234/Failures/7.2.1 eve"}));
}

TEST(Node, UnknownStreamsAreRefused) {
  Node node(options());
  auto schema =
      std::make_shared<Schema>("Nobody", std::vector<Attribute>{{"user", AttributeType::kString}});
  Submitted answer = submit(node.intake(), submission_of(batch_of(schema, {{std::string("x")}})));
  EXPECT_TRUE(absl::IsNotFound(answer.status)) << answer.status;
  EXPECT_EQ(node.intake().schema_of("Nobody"), nullptr);
  EXPECT_EQ(node.counts().refused_other, 1);
}

TEST(Node, ANumberedBatchTakesEffectOnce) {
  Node node(options());
  deploy(node, kFailures);
  auto batch = batch_of(logins(node), {{std::string("ada"), false}});
  Submitted first = submit(node.intake(), submission_of(batch, "idp", 1));
  Submitted again = submit(node.intake(), submission_of(batch, "idp", 1));
  Submitted ahead = submit(node.intake(), submission_of(batch, "idp", 3));
  Submitted second = submit(node.intake(), submission_of(batch, "idp", 2));
  EXPECT_TRUE(first.status.ok() && !first.duplicate);
  EXPECT_TRUE(again.status.ok() && again.duplicate);
  EXPECT_EQ(again.accepted, 0);
  EXPECT_EQ(again.id, first.id);
  EXPECT_TRUE(absl::IsFailedPrecondition(ahead.status)) << ahead.status;
  EXPECT_EQ(ahead.expected_number, 2);
  EXPECT_TRUE(second.status.ok() && !second.duplicate);
  EXPECT_EQ(results_of(*node.find_results("Alerts"), 2).size(), 2);
}

TEST(Node, AllErrorsOfAPlanAreToldAndNothingIsDeployed) {
  Node node(options());
  Deployed refused = deploy(node, "define stream S (a int); from S select b, c insert into T;");
  EXPECT_EQ(refused.outcome, Deployed::Outcome::kErrors);
  EXPECT_EQ(refused.diagnostics.size(), 2);
  EXPECT_TRUE(node.plans().empty());
  EXPECT_EQ(node.intake().schema_of("S"), nullptr);
}

TEST(Node, AStreamMeansTheSameInAllPlans) {
  Node node(options());
  deploy(node, kFailures);
  Deployed other = deploy(node,
                          "@app:name('Other') define stream Logins (user string, ok int);"
                          "from Logins select user insert into Else;");
  EXPECT_EQ(other.outcome, Deployed::Outcome::kConflict);
  EXPECT_NE(other.reason.find("'Logins'"), std::string::npos) << other.reason;
  EXPECT_EQ(deploy(node, kFailures).outcome, Deployed::Outcome::kExists);
  EXPECT_EQ(node.plans().size(), 1);
}

TEST(Node, APlanIsReplacedInOneStep) {
  Node node(options());
  deploy(node, kFailures);
  SchemaPtr old_schema = logins(node);
  ASSERT_EQ(deploy(node,
                   "@app:name('Failures') define stream Logins (user string, ok bool, ip string);"
                   "from Logins[ok == false] select ip insert into Alerts;",
                   true)
                .outcome,
            Deployed::Outcome::kDeployed);
  EXPECT_EQ(logins(node)->size(), 3);
  Submitted stale =
      submit(node.intake(), submission_of(batch_of(old_schema, {{std::string("ada"), false}})));
  EXPECT_TRUE(absl::IsAborted(stale.status)) << stale.status;
  submit(node.intake(), submission_of(batch_of(
                            logins(node), {{std::string("ada"), false, std::string("10.0.0.1")}})));
  EXPECT_EQ(results_of(*node.find_results("Alerts"), 1),
            (std::vector<std::string>{"-1234/Failures/7.3.0 10.0.0.1"}));
}

TEST(Node, APlanThatOthersNeedGoesOnlyByForce) {
  Node node(options());
  deploy(node, kFailures);
  node.set_dependents([](const PlanInfo& plan) {
    return std::vector<std::string>{"sink 'mail' reads a stream of " + plan.name};
  });
  absl::Status refused = node.undeploy("Failures", false);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_NE(refused.message().find("sink 'mail'"), std::string::npos);
  EXPECT_TRUE(node.undeploy("Failures", true).ok());
  EXPECT_TRUE(absl::IsNotFound(node.undeploy("Failures", true)));
  EXPECT_EQ(node.find_results("Alerts"), nullptr);
  EXPECT_EQ(node.intake().schema_of("Logins"), nullptr);
}

TEST(Node, AFullQueueRefusesOnlyItsOwnStreams) {
  NodeOptions small = options();
  small.shard.entries_max = 4;
  small.result_log_bytes_max = 1;
  Node node(small);
  deploy(node, kFailures);
  deploy(node,
         "@app:name('Other') define stream Visits (user string);"
         "from Visits select user insert into Seen;");
  auto log = node.find_results("Alerts");
  auto hold = log->hold(0);
  uint64_t sent = 0;
  Submitted answer = fill(node, failure_of(node, "ada"), sent);
  ASSERT_TRUE(absl::IsResourceExhausted(answer.status)) << answer.status;
  EXPECT_GT(answer.retry_after.count(), 0);
  EXPECT_TRUE(submit(node.intake(), submission_of(batch_of(node.intake().schema_of("Visits"),
                                                           {{std::string("bob")}})))
                  .status.ok());
  EXPECT_EQ(results_of(*node.find_results("Seen"), 1).size(), 1);

  // Who may wait is answered once there is room, in the order of arrival.
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<uint64_t> positions;
  for (int i = 0; i < 3; ++i) {
    Submission waiting = failure_of(node, "eve");
    waiting.wait = true;
    node.intake().submit(std::move(waiting), [&](Submitted placed) {
      std::lock_guard lock(mutex);
      positions.push_back(placed.status.ok() ? placed.id.position.value : 0);
      changed.notify_all();
    });
  }
  EXPECT_EQ(node.counts().waiting, 3);
  hold.reset();
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, kPatience, [&] { return positions.size() == 3; }));
  EXPECT_TRUE(std::is_sorted(positions.begin(), positions.end()));
  EXPECT_GT(positions[0], 0);
  lock.unlock();
  results_of(*log, sent + 3);
  EXPECT_EQ(log->end(), sent + 3);
}

TEST(Node, WhoWaitsForAPlanThatGoesHearsSo) {
  NodeOptions small = options();
  small.shard.entries_max = 2;
  small.result_log_bytes_max = 1;
  Node node(small);
  deploy(node, kFailures);
  auto hold = node.find_results("Alerts")->hold(0);
  Submission submission = failure_of(node, "ada");
  uint64_t sent = 0;
  fill(node, submission, sent);
  std::promise<Submitted> answer;
  submission.wait = true;
  submission.producer = "idp";
  submission.number = 1;
  node.intake().submit(submission, [&](Submitted placed) { answer.set_value(placed); });
  ASSERT_TRUE(node.undeploy("Failures", false).ok());
  absl::Status gone = answer.get_future().get().status;
  EXPECT_TRUE(absl::IsNotFound(gone)) << gone;
  hold.reset();
  // The number was not used up.
  deploy(node, kFailures);
  Submitted later = submit(node.intake(), submission);
  EXPECT_TRUE(later.status.ok() && !later.duplicate) << later.status;
}

/// A node whose plan's queue is full as long as nobody takes its results.
class FullNode {
 public:
  FullNode() : node(small()) {
    deploy(node, kFailures);
    hold = node.find_results("Alerts")->hold(0);
    fill(node, failure_of(node, "ada"), sent);
  }
  /// By a receiver that waits; answers come into `answers`.
  void submit(Submission submission) {
    submission.wait = true;
    const uint64_t number = submission.number;
    node.intake().submit(std::move(submission), [this, number](Submitted answer) {
      std::lock_guard lock(mutex);
      answers[number] = std::move(answer);
      changed.notify_all();
    });
  }
  Submission failure(uint64_t number) {
    Submission submission = failure_of(node, "eve");
    submission.producer = "idp";
    submission.number = number;
    return submission;
  }
  /// What became of so many.
  std::map<uint64_t, Submitted> wait_for(size_t count) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, kPatience, [&] { return answers.size() == count; }));
    return answers;
  }
  /// Results are taken one at a time until some of those that wait have room, and not all.
  void make_some_room() {
    const auto before = node.counts().waiting;
    const auto until = std::chrono::steady_clock::now() + kPatience;
    for (uint64_t row = 1; node.counts().waiting == before; row = std::min(row + 1, sent)) {
      hold->confirm(row);
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      std::this_thread::yield();
    }
    ASSERT_GT(node.counts().waiting, 0);
  }

  static NodeOptions small() {
    NodeOptions small = options();
    small.shard.entries_max = 2;
    small.result_log_bytes_max = 1;
    return small;
  }

  Node node;
  std::unique_ptr<ResultLog::Hold> hold;
  uint64_t sent = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<uint64_t, Submitted> answers;
};

TEST(Node, NumbersThatWaitForRoomAreTakenOnceEachAndInTurn) {
  FullNode full;
  for (uint64_t number = 1; number <= 40; ++number) full.submit(full.failure(number));
  ASSERT_EQ(full.node.counts().waiting, 40);
  // A state that is saved now does not say that they were taken.
  EXPECT_EQ(full.node.judge("idp", 1).verdict, ProducerTable::Verdict::kNext);
  full.make_some_room();
  // The connection was lost: what still waits comes again, and then what follows it.
  Submitted again = submit(full.node.intake(), full.failure(40));
  EXPECT_TRUE(absl::IsResourceExhausted(again.status)) << again.status;
  Submitted ahead = submit(full.node.intake(), full.failure(42));
  EXPECT_TRUE(absl::IsFailedPrecondition(ahead.status)) << ahead.status;
  EXPECT_EQ(ahead.expected_number, 41);
  full.submit(full.failure(41));
  full.hold.reset();
  uint64_t position = 0;
  for (const auto& [number, answer] : full.wait_for(41)) {
    EXPECT_TRUE(answer.status.ok() && !answer.duplicate) << number << answer.status;
    EXPECT_GT(answer.id.position.value, std::exchange(position, answer.id.position.value));
  }
  for (uint64_t number = 1; number <= 41; ++number) {
    EXPECT_TRUE(submit(full.node.intake(), full.failure(number)).duplicate) << number;
  }
  auto log = full.node.find_results("Alerts");
  results_of(*log, full.sent + 41);
  EXPECT_EQ(log->end(), full.sent + 41);
}

TEST(Node, AProducersNextBatchWaitsBehindItsFirstOneAlsoOfAnotherStream) {
  FullNode full;
  deploy(full.node,
         "@app:name('Other') define stream Visits (user string);"
         "from Visits select user insert into Seen;");
  auto visit = [&](uint64_t number) {
    return submission_of(batch_of(full.node.intake().schema_of("Visits"), {{std::string("bob")}}),
                         "idp", number);
  };
  full.submit(full.failure(1));
  Submitted now = submit(full.node.intake(), visit(2));
  EXPECT_TRUE(absl::IsResourceExhausted(now.status)) << now.status;
  full.submit(visit(2));
  full.submit(full.failure(3));
  full.submit(visit(4));
  EXPECT_EQ(full.node.counts().waiting, 4);
  full.hold.reset();
  uint64_t position = 0;
  for (const auto& [number, answer] : full.wait_for(4)) {
    EXPECT_TRUE(answer.status.ok() && !answer.duplicate) << number << answer.status;
    EXPECT_GT(answer.id.position.value, std::exchange(position, answer.id.position.value));
  }
}

TEST(Node, WhatWaitsBehindABatchThatIsRefusedIsRefusedToo) {
  FullNode full;
  deploy(full.node,
         "@app:name('Other') define stream Visits (user string);"
         "from Visits select user insert into Seen;");
  auto visit = [&](uint64_t number) {
    return submission_of(batch_of(full.node.intake().schema_of("Visits"), {{std::string("bob")}}),
                         "idp", number);
  };
  full.submit(full.failure(1));
  full.submit(full.failure(2));
  full.submit(visit(3));
  ASSERT_TRUE(full.node.undeploy("Failures", false).ok());
  std::map<uint64_t, Submitted> answers = full.wait_for(3);
  EXPECT_TRUE(absl::IsNotFound(answers[1].status)) << answers[1].status;
  EXPECT_TRUE(absl::IsNotFound(answers[2].status)) << answers[2].status;
  EXPECT_TRUE(absl::IsFailedPrecondition(answers[3].status)) << answers[3].status;
  EXPECT_EQ(answers[3].expected_number, 1);
  // No number was used up.
  EXPECT_TRUE(submit(full.node.intake(), visit(1)).status.ok());
}

TEST(Node, TimePassesWithoutEvents) {
  Node node(options());
  deploy(node,
         "@app:name('Timed') define stream Logins (user string, ok bool);"
         "from Logins#window.timeBatch(50 millisec) select count() as n insert into Counts;"
         "from Logins#window.timeBatch(120 millisec) select count() as n insert into Later;");
  submit(node.intake(), failure_of(node, "ada"));
  EXPECT_EQ(results_of(*node.find_results("Counts"), 1).size(), 1);
  EXPECT_EQ(results_of(*node.find_results("Later"), 1).size(), 1) << "more than one tick comes";
}

TEST(Node, WhatIsOldWhenItComesLeavesAtOnce) {
  Node node(options());
  deploy(node,
         "@app:name('Timed') define stream Logins (user string, ok bool);"
         "from Logins#window.time(1 sec) select user insert expired events into Gone;");
  auto gone = node.find_results("Gone");
  for (uint64_t i = 1; i <= 5; ++i) {
    submit(node.intake(), failure_of(node, "ada"));
    EXPECT_EQ(results_of(*gone, i).size(), i);
  }
}

TEST(Node, ShowsTheStateThatAShortBurstLeft) {
  Node node(options());
  deploy(
      node,
      "@app:name('Held') define stream Logins (user string, ok bool);"
      "from Logins#window.length(1000) select user, count() as n group by user insert into Out;");
  for (int i = 0; i < 200; ++i) submit(node.intake(), failure_of(node, std::to_string(i)));
  results_of(*node.find_results("Out"), 200);
  EXPECT_GT(node.plan("Held")->counts.state_bytes, 1000);
}

TEST(Node, ARequestsOwnParametersWinOverTheNodes) {
  NodeOptions given = options();
  given.parameters = {{"out", "Everyone"}, {"name", "Given"}};
  Node node(given);
  DeployRequest request;
  request.text =
      "@app:name('${name}') define stream Logins (user string, ok bool);"
      "from Logins select user insert into ${out};";
  EXPECT_EQ(node.check(request).plan, "Given");
  request.parameters = {{"name", "Own"}};
  EXPECT_EQ(node.deploy(request).plan, "Own");
  EXPECT_NE(node.find_results("Everyone"), nullptr);
  submit(node.intake(), failure_of(node, "ada"));
  EXPECT_EQ(results_of(*node.find_results("Everyone"), 1),
            (std::vector<std::string>{"-1234/Own/7.2.0 ada"}));
}

TEST(Node, DrainAppliesWhatWasTakenAndRefusesTheRest) {
  Node node(options());
  deploy(node, kFailures);
  Submission last = failure_of(node, "eve");
  for (int i = 0; i < 1000; ++i) submit(node.intake(), failure_of(node, "ada"));
  ASSERT_TRUE(node.drain(kPatience));
  EXPECT_EQ(node.find_results("Alerts")->end(), 1000);
  EXPECT_TRUE(absl::IsUnavailable(submit(node.intake(), last).status));
  EXPECT_EQ(deploy(node, kFailures, true).outcome, Deployed::Outcome::kStopping);
}

TEST(Node, ManySendersWhilePlansComeAndGo) {
  Node node(options());
  deploy(node, kFailures);
  SchemaPtr schema = logins(node);
  std::atomic<uint64_t> accepted{0};
  std::vector<std::thread> senders;
  for (int s = 0; s < 4; ++s) {
    senders.emplace_back([&, s] {
      for (uint64_t n = 1; n <= 500; ++n) {
        Submission submission = submission_of(batch_of(schema, {{std::string("ada"), false}}),
                                              "sender-" + std::to_string(s), n);
        submission.wait = true;
        Submitted answer = submit(node.intake(), submission);
        if (answer.status.ok()) accepted += answer.accepted;
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    std::string name = "Extra" + std::to_string(i % 3);
    deploy(node,
           "@app:name('" + name +
               "') define stream Logins (user string, ok bool);"
               "from Logins#window.length(5) select user, count() as n insert into " +
               name + "Out;",
           true);
    EXPECT_TRUE(
        node.with_engine(name, [&](Engine& engine) { EXPECT_EQ(engine.plans().size(), 1); }).ok());
    if (i % 5 == 4) {
      EXPECT_TRUE(node.undeploy(name, false).ok());
    }
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(accepted, 2000);
  results_of(*node.find_results("Alerts"), 2000);
  EXPECT_EQ(node.find_results("Alerts")->end(), 2000);
}

Entry events_at(uint64_t position, const SchemaPtr& schema) {
  return {{Epoch{1}, Position{position}},
          {1000},
          EventsPayload{batch_of(schema, {{std::string("ada"), false}})}};
}

TEST(Node, OfAPairKnowsWhatMayStillComeWhenItBeginsToLead) {
  NodeOptions options;
  options.shared = true;
  Node node(options);
  const Entry deployed{{Epoch{1}, Position{1}},
                       {1000},
                       DeployPayload{.plan = "P",
                                     .text = "define stream Logins (user string, ok bool);"
                                             "from Logins select user insert into Alerts;"}};
  node.begin_replay({}, SenderState(node.no_producers()));
  ASSERT_TRUE(node.replay(deployed).ok());
  const SchemaPtr schema = std::make_shared<const Schema>(
      "Logins",
      std::vector<Attribute>{{"user", AttributeType::kString}, {"ok", AttributeType::kBool}});
  auto log = node.find_results("Alerts");
  // What is said to be applied can be seen: else somebody would be told that it never comes.
  for (uint64_t position = 2; position < 500; ++position) {
    ASSERT_TRUE(node.replay(events_at(position, schema)).ok());
    while (node.applied() < Position{position}) std::this_thread::yield();
    ASSERT_EQ(log->end(), position - 1);
  }
  std::promise<void> stands;
  std::promise<void> goes_on;
  std::thread holder([&] {
    absl::Status held = node.with_engine("P", [&](Engine&) {
      stands.set_value();
      goes_on.get_future().wait();
    });
    EXPECT_TRUE(held.ok()) << held;
  });
  stands.get_future().wait();
  ASSERT_TRUE(node.replay(events_at(500, schema)).ok());
  node.lead(Epoch{2}, {Position{501}, 1000});
  EXPECT_EQ(log->offset_behind("-1234/P/1.500.0"), std::nullopt);
  EXPECT_TRUE(node.may_come("-1234/P/1.500.0"));
  EXPECT_FALSE(node.may_come("-1234/P/1.499.1")) << "that entry was applied";
  EXPECT_FALSE(node.may_come("-1234/P/1.502.0")) << "there is no such entry";
  EXPECT_FALSE(node.may_come("nonsense"));
  goes_on.set_value();
  holder.join();
  results_of(*log, 499);
  EXPECT_TRUE(log->offset_behind("-1234/P/1.500.0").has_value());
}

}  // namespace
}  // namespace pollux
