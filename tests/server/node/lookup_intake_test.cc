// Batches of streams that are joined with external tables: looked up before they are numbered, in
// the order in which they came, whatever the store, the plans and the senders do.
#include "server/node/lookup_intake.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/server/node/node_testing.h"
#include "tests/support/becomes_true.h"

namespace pollux {
namespace {

using Lines = std::vector<std::string>;
using std::chrono::milliseconds;

std::string plan_text(const std::string& name = "Rich", const std::string& table = "Customers",
                      const std::string& column = "tier") {
  return absl::StrCat("@app:name('", name,
                      "') define stream Logins (user string);"
                      "define stream Plain (user string);"
                      "@store(type='rdbms', external='true') @primaryKey('user') define table ",
                      table, " (user string, ", column,
                      " string);"
                      "from Logins left outer join ",
                      table, " on Logins.user == ", table,
                      ".user "
                      "select Logins.user as user, ",
                      column, " as tier insert into ", name,
                      "Out;"
                      "from Plain select user, 'none' as tier insert into ",
                      name, "Out;");
}

/// A store that answers when it is let, and as it is told.
class Store {
 public:
  LookupOptions options() {
    LookupOptions options;
    options.find = [this](const StoredHolder& holder, const EventBatch& keys) {
      return find(holder, keys);
    };
    options.store_of = [](const StoredHolder& holder) { return "store of " + holder.type; };
    options.told = [this](const std::string&, const absl::Status& status) {
      std::lock_guard lock(mutex_);
      told_.push_back(status.ok() ? "well" : "trouble");
    };
    return options;
  }
  void set(const std::string& user, const std::string& tier) {
    std::lock_guard lock(mutex_);
    rows_[user] = tier;
  }
  void fail(const absl::Status& status) {
    std::lock_guard lock(mutex_);
    status_ = status;
  }
  void repeat_rows(bool twice) {
    std::lock_guard lock(mutex_);
    twice_ = twice;
  }
  /// Whoever asks for this user waits.
  void hold(const std::string& user) {
    std::lock_guard lock(mutex_);
    held_.insert(user);
  }
  void let(const std::string& user) {
    {
      std::lock_guard lock(mutex_);
      held_.erase(user);
    }
    changed_.notify_all();
  }
  /// Waits until somebody has asked so often.
  void asked(uint64_t times) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, kPatience, [&] { return asked_.size() >= times; }));
  }
  Lines questions() {
    std::lock_guard lock(mutex_);
    return asked_;
  }
  Lines told() {
    std::lock_guard lock(mutex_);
    return told_;
  }

 private:
  absl::StatusOr<EventBatchPtr> find(const StoredHolder& holder, const EventBatch& keys) {
    std::unique_lock lock(mutex_);
    std::string question;
    for (uint32_t row = 0; row < keys.rows(); ++row) {
      question += (question.empty() ? "" : " ") + to_text(keys.value(row, 0));
    }
    asked_.push_back(question);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_.contains(question); });
    if (!status_.ok()) return status_;
    auto found = std::make_shared<EventBatch>(holder.schema);
    for (uint32_t row = 0; row < keys.rows(); ++row) {
      const std::string user = to_text(keys.value(row, 0));
      auto known = rows_.find(user);
      for (int i = 0; known != rows_.end() && i < (twice_ ? 2 : 1); ++i) {
        found->append_string(0, user);
        found->append_string(1, known->second + (holder.name == "Customers" ? "" : "!"));
        found->end_row(5);
      }
    }
    return EventBatchPtr(found);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> rows_;
  std::set<std::string> held_;
  absl::Status status_;
  bool twice_ = false;
  Lines asked_, told_;
};

/// Answers in the order in which they came.
class Answers {
 public:
  std::function<void(Submitted)> take(const std::string& name) {
    return [this, name](Submitted submitted) {
      std::lock_guard lock(mutex_);
      all_.emplace_back(name, std::move(submitted));
      changed_.notify_all();
    };
  }
  std::vector<std::pair<std::string, Submitted>> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return all_.size() >= count; }));
    return all_;
  }
  size_t count() {
    std::lock_guard lock(mutex_);
    return all_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, Submitted>> all_;
};

class LookupIntakeTest : public ::testing::Test {
 protected:
  ~LookupIntakeTest() override {
    for (const char* user : {"slow", "slow2"}) store_.let(user);
  }
  void start(LookupOptions lookups, size_t entries_max = 4096, size_t log_bytes = 1 << 20) {
    NodeOptions options;
    options.epoch = {7};
    options.workers = 2;
    options.shard.entries_max = entries_max;
    options.result_log_bytes_max = log_bytes;
    options.lookups = std::move(lookups);
    node_ = std::make_unique<Node>(std::move(options));
    deploy(plan_text());
  }
  void start() { start(store_.options()); }
  void deploy(const std::string& text, bool replace = false) {
    DeployRequest request;
    request.text = text;
    request.replace = replace;
    Deployed deployed = node_->deploy(request);
    ASSERT_EQ(deployed.outcome, Deployed::Outcome::kDeployed)
        << deployed.reason << to_text(deployed.diagnostics, "plan");
  }
  Submission of(const std::string& stream, const Lines& users, const std::string& producer = "",
                uint64_t number = 0) {
    std::vector<std::vector<Value>> rows;
    for (const std::string& user : users) {
      rows.push_back({user == "null" ? Value{} : Value{user}});
    }
    return submission_of(batch_of(node_->intake().schema_of(stream), rows), producer, number);
  }
  void send(Answers& answers, const std::string& name, Submission submission) {
    node_->intake().submit(std::move(submission), answers.take(name));
  }
  /// Sends until the plan rests because a log is full, then until its queue is; how many were
  /// taken.
  uint64_t fill() {
    uint64_t sent = 0;
    const auto taken = [&] {
      const bool good = submit(node_->intake(), of("Logins", {"x"})).status.ok();
      if (good) ++sent;
      return good;
    };
    while (!node_->plan("Rich")->counts.resting) taken();
    while (taken()) continue;
    return sent;
  }
  /// Without their ids.
  Lines results(uint64_t rows, const std::string& stream = "RichOut") {
    Lines lines = results_of(*node_->find_results(stream), rows);
    for (std::string& line : lines) line = line.substr(line.find(' ') + 1);
    return lines;
  }

  Store store_;
  std::unique_ptr<Node> node_;
};

TEST_F(LookupIntakeTest, EachKeyIsAskedForOnceAndNullsAreNot) {
  start();
  store_.set("ann", "gold");
  Submitted answer =
      submit(node_->intake(), of("Logins", {"ann", "bob", "null", "ann", "o'neil\"; --"}));
  ASSERT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_EQ(results(5),
            (Lines{"ann gold", "bob null", "null null", "ann gold", "o'neil\"; -- null"}));
  EXPECT_EQ(store_.questions(), Lines{"ann bob o'neil\"; --"});
  ASSERT_TRUE(submit(node_->intake(), of("Logins", {"null"})).status.ok());
  ASSERT_TRUE(submit(node_->intake(), of("Plain", {"ann"})).status.ok());
  EXPECT_EQ(store_.questions().size(), 1U) << "of no keys, and no table, nobody is asked";
  const LookupCounts counts = node_->lookup_counts();
  EXPECT_EQ(counts.batches, 2U);
  EXPECT_EQ(counts.keys, 3U);
  EXPECT_EQ(counts.rows, 1U);
  EXPECT_TRUE(becomes_true([&] { return node_->lookup_counts().waiting == 0; }));
}

TEST_F(LookupIntakeTest, BatchesOfAStreamKeepTheirOrderAndOthersPass) {
  start();
  Answers answers;
  store_.hold("slow");
  send(answers, "slow", of("Logins", {"slow"}));
  send(answers, "quick", of("Logins", {"quick"}));
  store_.asked(2);
  send(answers, "plain", of("Plain", {"plain"}));
  EXPECT_EQ(answers.wait_for(1)[0].first, "plain");
  EXPECT_EQ(answers.count(), 1U);
  EXPECT_EQ(node_->lookup_counts().waiting, 2U);
  store_.let("slow");
  answers.wait_for(3);
  EXPECT_EQ(results(3), (Lines{"plain none", "slow null", "quick null"}));
}

TEST_F(LookupIntakeTest, BatchesOfAProducerKeepTheirOrderOnAllStreams) {
  start();
  Answers answers;
  store_.hold("slow");
  send(answers, "1", of("Logins", {"slow"}, "p", 1));
  send(answers, "2", of("Plain", {"two"}, "p", 2));
  send(answers, "3", of("Logins", {"three"}, "p", 3));
  send(answers, "1 again", of("Logins", {"slow"}, "p", 1));
  send(answers, "other", of("Plain", {"other"}, "q", 1));
  EXPECT_EQ(answers.wait_for(1)[0].first, "other");
  store_.let("slow");
  auto all = answers.wait_for(5);
  for (const auto& [name, answer] : all) {
    EXPECT_TRUE(answer.status.ok()) << name << ' ' << answer.status;
    EXPECT_EQ(answer.duplicate, name == "1 again");
  }
  EXPECT_EQ(results(4), (Lines{"other none", "slow null", "two none", "three null"}));
}

TEST_F(LookupIntakeTest, AStoreThatIsAwayRefusesAndNothingIsNumbered) {
  start();
  store_.fail(absl::UnavailableError("the database is away"));
  Answers answers;
  store_.hold("slow");
  send(answers, "1", of("Logins", {"slow"}, "p", 1));
  send(answers, "2", of("Plain", {"two"}, "p", 2));
  store_.let("slow");
  auto all = answers.wait_for(2);
  EXPECT_TRUE(absl::IsUnavailable(all[0].second.status)) << all[0].second.status;
  EXPECT_NE(std::string(all[0].second.status.message()).find("the database is away"),
            std::string::npos);
  EXPECT_GT(all[0].second.retry_after.count(), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(all[1].second.status)) << all[1].second.status;
  EXPECT_EQ(all[1].second.expected_number, 1U);
  EXPECT_TRUE(submit(node_->intake(), of("Plain", {"plain"})).status.ok());
  store_.fail(absl::OkStatus());
  store_.set("slow", "gold");
  EXPECT_TRUE(submit(node_->intake(), of("Logins", {"slow"}, "p", 1)).status.ok());
  EXPECT_EQ(results(2), (Lines{"plain none", "slow gold"}));
  EXPECT_EQ(store_.told(), (Lines{"trouble", "well"}));
  EXPECT_EQ(node_->lookup_counts().unavailable, 1U);
}

TEST_F(LookupIntakeTest, AStoreThatIsTooSlowRefusesAndIsNotWaitedFor) {
  LookupOptions lookups = store_.options();
  lookups.deadline = milliseconds(20);
  start(std::move(lookups));
  store_.hold("slow");
  Submitted answer = submit(node_->intake(), of("Logins", {"slow"}));
  EXPECT_TRUE(absl::IsUnavailable(answer.status)) << answer.status;
  EXPECT_EQ(node_->counts().events, 0U);
  store_.let("slow");
  EXPECT_TRUE(
      becomes_true([&] { return submit(node_->intake(), of("Logins", {"quick"})).status.ok(); }));
  EXPECT_EQ(results(1), Lines{"quick null"}) << "what comes too late has no effect";
}

TEST_F(LookupIntakeTest, AFullQueueRefuses) {
  LookupOptions lookups = store_.options();
  lookups.batches_max = 2;
  start(std::move(lookups));
  Answers answers;
  store_.hold("slow");
  send(answers, "1", of("Logins", {"slow"}, "p", 1));
  send(answers, "2", of("Logins", {"slow"}, "p", 2));
  Submitted refused = submit(node_->intake(), of("Logins", {"x"}, "p", 3));
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status)) << refused.status;
  EXPECT_GT(refused.retry_after.count(), 0);
  EXPECT_EQ(node_->lookup_counts().refused_full, 1U);
  store_.let("slow");
  answers.wait_for(2);
  EXPECT_TRUE(submit(node_->intake(), of("Logins", {"x"}, "p", 3)).status.ok());
}

TEST_F(LookupIntakeTest, APlanInTheOthersPlaceIsLookedUpForAgain) {
  start();
  store_.set("slow", "gold");
  Answers answers;
  store_.hold("slow");
  send(answers, "1", of("Logins", {"slow"}));
  send(answers, "2", of("Logins", {"other"}));
  store_.asked(2);
  deploy(plan_text("Rich", "Clients", "rank"), true);
  deploy(plan_text("Second", "Third"));
  store_.let("slow");
  for (const auto& [name, answer] : answers.wait_for(2)) {
    EXPECT_TRUE(answer.status.ok()) << answer.status;
  }
  EXPECT_EQ(results(2), (Lines{"slow gold!", "other null"}));
  EXPECT_EQ(results(2, "SecondOut"), (Lines{"slow gold!", "other null"}));
  EXPECT_EQ(node_->lookup_counts().again, 2U);
  EXPECT_EQ(node_->plan("Rich")->suspended_because, "");
}

TEST_F(LookupIntakeTest, APlanThatGoesOrComesWithoutATableNeedsNothing) {
  start();
  Answers answers;
  store_.hold("slow");
  send(answers, "1", of("Logins", {"slow"}));
  store_.asked(1);
  deploy(
      "@app:name('Rich') define stream Logins (user string);"
      "from Logins select user, 'plain' as tier insert into RichOut;",
      true);
  store_.let("slow");
  EXPECT_TRUE(answers.wait_for(1)[0].second.status.ok());
  EXPECT_EQ(results(1), Lines{"slow plain"});

  deploy(plan_text(), true);
  store_.hold("slow");
  send(answers, "2", of("Logins", {"slow"}, "p", 1));
  store_.asked(2);
  ASSERT_TRUE(node_->undeploy("Rich", false).ok());
  store_.let("slow");
  EXPECT_TRUE(absl::IsNotFound(answers.wait_for(2)[1].second.status));
  deploy(plan_text());
  EXPECT_TRUE(submit(node_->intake(), of("Logins", {"slow"}, "p", 1)).status.ok())
      << "the number was not used up";
}

TEST_F(LookupIntakeTest, AStopAnswersWhatWaitsOnce) {
  for (bool drained : {false, true}) {
    Answers answers;
    start();
    store_.hold("slow");
    for (int i = 0; i < 8; ++i) {
      send(answers, absl::StrCat(i), of("Logins", {"slow"}, absl::StrCat("p", i % 3), 1 + i / 3));
    }
    store_.asked(1);
    if (drained) {
      node_->drain(kPatience);
      EXPECT_EQ(answers.wait_for(8).size(), 8U) << "without waiting for the store";
    }
    std::thread stopping([&] { node_->stop(); });
    answers.wait_for(8);
    store_.let("slow");
    stopping.join();
    for (const auto& [name, answer] : answers.wait_for(8)) {
      EXPECT_FALSE(answer.status.ok());
    }
    EXPECT_TRUE(absl::IsUnavailable(
        submit(node_->intake(),
               [&] {
                 Submission late;
                 late.batch = std::make_shared<EventBatch>(std::make_shared<Schema>(
                     "Logins", std::vector<Attribute>{{"user", AttributeType::kString}}));
                 return late;
               }())
            .status));
    node_.reset();
    EXPECT_EQ(answers.count(), 8U);
  }
}

TEST_F(LookupIntakeTest, MoreThanABatchMayNeedIsRefused) {
  LookupOptions lookups = store_.options();
  lookups.found_bytes_max = 1 << 16;
  start(std::move(lookups));
  store_.set("big", std::string(1 << 17, 'x'));
  Submitted refused = submit(node_->intake(), of("Logins", {"big"}));
  EXPECT_TRUE(absl::IsInvalidArgument(refused.status)) << refused.status;
  EXPECT_NE(std::string(refused.status.message()).find("send smaller ones"), std::string::npos);
  EXPECT_TRUE(submit(node_->intake(), of("Logins", {"small"})).status.ok());
  EXPECT_EQ(store_.told(), Lines{}) << "the store is well";
  // Many keys are asked for in parts.
  Lines many;
  for (int i = 0; i < 1201; ++i) many.push_back(absl::StrCat("u", i));
  EXPECT_TRUE(submit(node_->intake(), of("Logins", many)).status.ok());
  EXPECT_EQ(store_.questions().size(), 2U + 3U);
}

TEST_F(LookupIntakeTest, RowsThatAPlanCannotTakeAreNotNumbered) {
  start();
  store_.set("ann", "gold");
  store_.repeat_rows(true);
  Submitted refused = submit(node_->intake(), of("Logins", {"ann"}));
  EXPECT_TRUE(absl::IsUnavailable(refused.status)) << refused.status;
  EXPECT_NE(std::string(refused.status.message()).find("two rows of one key"), std::string::npos);
  store_.repeat_rows(false);
  EXPECT_TRUE(submit(node_->intake(), of("Logins", {"ann"})).status.ok());
  EXPECT_EQ(results(1), Lines{"ann gold"});
}

TEST_F(LookupIntakeTest, WhoWaitsForRoomKeepsItsPlace) {
  start(store_.options(), 4, 1);
  auto log = node_->find_results("RichOut");
  auto hold = log->hold(0);
  const uint64_t sent = fill();
  const size_t asked = store_.questions().size();
  Answers answers;
  for (int i = 0; i < 3; ++i) {
    Submission submission = of(i == 1 ? "Plain" : "Logins", {absl::StrCat("u", i)}, "p", 1 + i);
    submission.wait = true;
    send(answers, absl::StrCat(i), std::move(submission));
  }
  store_.asked(asked + 2);
  EXPECT_EQ(answers.count(), 0U);
  hold.reset();
  auto all = answers.wait_for(3);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(all[i].second.status.ok()) << all[i].second.status;
  Lines last = results(sent + 3);
  EXPECT_EQ(Lines(last.end() - 1, last.end()), Lines{"u2 null"});
  EXPECT_EQ(log->end(), sent + 3);
}

// A pair's intake asks the node whether it leads, also for a batch that an answer brings.
TEST_F(LookupIntakeTest, WhoWaitsForRoomHearsThatItsPlanIsGone) {
  start(store_.options(), 4, 1);
  auto hold = node_->find_results("RichOut")->hold(0);
  fill();
  Submission submission = of("Logins", {"y"}, "p", 1);
  submission.wait = true;
  std::promise<absl::Status> told;
  node_->intake().submit(submission, [&](Submitted answer) {
    EXPECT_TRUE(node_->leads());
    told.set_value(answer.status);
  });
  EXPECT_TRUE(becomes_true([&] { return node_->lookup_counts().waiting == 1; }));
  ASSERT_TRUE(node_->undeploy("Rich", false).ok());
  const absl::Status gone = told.get_future().get();
  EXPECT_TRUE(absl::IsNotFound(gone)) << gone;
  hold.reset();
  deploy(plan_text());
  Submission again = of("Logins", {"y"}, "p", 1);
  again.wait = true;
  EXPECT_TRUE(submit(node_->intake(), again).status.ok()) << "the number was not used up";
}

// What every sender was told is what happened, each number once and in order, with the row that was
// there, while plans come and go and the store fails now and then.
TEST_F(LookupIntakeTest, ManySendersWhilePlansChangeAndTheStoreFails) {
  LookupOptions lookups = store_.options();
  lookups.batches_max = 6;
  start(std::move(lookups), 4096, size_t{64} << 20);
  constexpr int kSenders = 4;
  constexpr uint64_t kBatches = 200;
  for (int s = 0; s < kSenders; ++s) store_.set(absl::StrCat("u", s), "gold");
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&, s] {
      const std::string producer = absl::StrCat("p", s);
      const SchemaPtr streams[] = {node_->intake().schema_of("Logins"),
                                   node_->intake().schema_of("Plain")};
      // Some are on their way at a time; from the first that is refused on all are sent again.
      for (uint64_t next = 1; next <= kBatches;) {
        std::vector<std::future<Submitted>> answers;
        for (uint64_t n = next; n <= std::min(kBatches, next + 4); ++n) {
          auto answer = std::make_shared<std::promise<Submitted>>();
          answers.push_back(answer->get_future());
          Submission submission = submission_of(
              batch_of(streams[n % 3 == 0 ? 1 : 0], {{Value{absl::StrCat("u", s)}}}), producer, n);
          submission.wait = s == 0;
          node_->intake().submit(std::move(submission),
                                 [answer](Submitted told) { answer->set_value(std::move(told)); });
        }
        bool good = true;
        for (std::future<Submitted>& each : answers) {
          Submitted answer = each.get();
          if (answer.duplicate) ++wrong;  // nothing that was refused had been numbered
          if (good && answer.status.ok()) {
            ++next;
          } else if (answer.status.ok()) {
            ++wrong;  // out of order
          } else {
            good = false;
          }
        }
      }
    });
  }
  std::thread troubles([&] {
    for (int i = 0; !done; ++i) {
      store_.fail(i % 3 == 0 ? absl::UnavailableError("away") : absl::OkStatus());
      if (i % 4 == 0) deploy(plan_text("Second", i % 8 == 0 ? "Customers" : "Clients"), true);
      std::this_thread::yield();
    }
    store_.fail(absl::OkStatus());
  });
  for (std::thread& sender : senders) sender.join();
  done = true;
  troubles.join();
  EXPECT_EQ(wrong, 0);
  const Lines lines = results(kSenders * kBatches);
  EXPECT_EQ(lines.size(), kSenders * kBatches);
  std::map<std::string, uint64_t> came;
  for (const std::string& line : lines) {
    const std::string user = line.substr(0, line.find(' '));
    const bool plain = ++came[user] % 3 == 0;
    ASSERT_EQ(line, user + (plain ? " none" : " gold"));
  }
  EXPECT_EQ(node_->plan("Rich")->suspended_because, "");
  EXPECT_EQ(node_->plan("Second")->suspended_because, "");
}

}  // namespace
}  // namespace pollux
