// A plan that was edited keeps the state of what is unchanged, and says what begins afresh.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/engine.h"

namespace pollux {
namespace {

using Names = std::vector<std::string>;

/// The rows that came out, by stream.
class Results final : public ResultSink {
 public:
  void on_result(const ResultBatch& results) override {
    for (uint32_t row = 0; row < results.batch->rows(); ++row) {
      std::string line;
      for (size_t c = 0; c < results.batch->schema().size(); ++c) {
        line += (c == 0 ? "" : " ") + to_text(results.batch->value(row, c));
      }
      rows[std::string(results.stream)].push_back(line);
    }
  }
  std::map<std::string, Names> rows;
};

/// An engine with one plan, fed with rows (user, amount) of stream S.
class Node {
 public:
  /// `rows` of them are sent: 10, 20, ..
  explicit Node(const std::string& text, int rows = 0) {
    ApplyOutcome outcome = apply(DeployPayload{"plan", text});
    EXPECT_EQ(outcome.status, ApplyStatus::kApplied);
    for (const Diagnostic& wrong : outcome.diagnostics) ADD_FAILURE() << wrong.message;
    for (int i = 1; i <= rows; ++i) send("one", i * 10);
  }

  void send(const std::string& user, int32_t amount) {
    now_ms_ += 1000;
    auto batch = std::make_shared<EventBatch>(engine_.input_schema("S"));
    batch->append_value(0, Value{user});
    batch->append_value(1, Value{amount});
    for (size_t c = 2; c < batch->schema().size(); ++c) batch->append_value(c, Value{});
    batch->end_row(now_ms_);
    EXPECT_EQ(apply(EventsPayload{batch}).status, ApplyStatus::kApplied);
  }
  void tick(int64_t after_ms) {
    now_ms_ += after_ms;
    apply(TickPayload{});
  }

  /// The same place in time, with another text: what an edit does.
  RestoreReport take_over(const Node& before) {
    now_ms_ = before.now_ms_;
    results.rows.clear();
    RestoreReport report;
    EXPECT_EQ(engine_.restore_state("plan", before.state(), report), "");
    return report;
  }
  /// Deploys another text in the plan's place.
  ApplyOutcome replace(const std::string& text, bool replace = true) {
    DeployPayload payload{"plan", text};
    payload.replace = replace;
    return apply(std::move(payload));
  }
  bool suspend() { return engine_.suspend("plan"); }
  std::vector<std::string> plans() const { return engine_.plans(); }
  std::string state() const { return engine_.save_state("plan"); }
  std::string restore_strictly(const Node& before) {
    return engine_.restore_state("plan", before.state());
  }
  Names take(const std::string& stream) { return std::exchange(results.rows[stream], {}); }

  Results results;

 private:
  ApplyOutcome apply(EntryPayload payload) {
    return engine_.apply({{{1}, {++position_}}, {now_ms_}, std::move(payload)}, results);
  }

  Engine engine_;
  uint64_t position_ = 0;
  int64_t now_ms_ = 1'000'000;
};

constexpr const char* kStream = "define stream S (user string, amount int);\n";
constexpr const char* kSums =
    "@info(name='sums') from S#window.length(10) select sum(amount) as total insert into Sums;\n";
constexpr const char* kCounts =
    "@info(name='counts') from S#window.time(1 hour) select count() as rows insert into Counts;\n";
constexpr const char* kPairs =
    "@info(name='pairs') from every e1=S -> e2=S[user == e1.user and amount > e1.amount]\n"
    "  select e1.amount as low, e2.amount as high insert into Pairs;\n";

std::string text_of(std::initializer_list<const char*> parts) {
  std::string text;
  for (const char* part : parts) text += part;
  return text;
}

Node fed(const std::string& text) { return Node(text, 4); }

TEST(EditedPlan, OfThreeQueriesOneIsEditedAndTwoKeepTheirState) {
  Node before = fed(text_of({kStream, kSums, kCounts, kPairs}));
  Node after(text_of({kStream, kSums,
                      "@info(name='counts') from S#window.time(2 hours) select count() as rows "
                      "insert into Counts;\n",
                      kPairs}));
  RestoreReport report = after.take_over(before);
  EXPECT_EQ(report.kept, (Names{"clock", "query sums", "query pairs"}));
  EXPECT_EQ(report.fresh, Names{"query counts"});
  EXPECT_EQ(report.dropped, Names{"query counts"});
  after.send("one", 50);
  EXPECT_EQ(after.take("Sums"), Names{"150"});
  EXPECT_EQ(after.take("Counts"), Names{"1"});
  EXPECT_EQ(after.take("Pairs"), Names{"40 50"});
}

TEST(EditedPlan, ADeployThatReplacesHandsOverWhatIsUnchanged) {
  Node node = fed(text_of({kStream, kSums, kCounts}));
  node.results.rows.clear();
  ApplyOutcome outcome = node.replace(text_of({kStream, kSums, kPairs}));
  ASSERT_EQ(outcome.status, ApplyStatus::kApplied) << outcome.reason;
  EXPECT_EQ(outcome.plan, "plan");
  EXPECT_EQ(outcome.handed_over.kept, (Names{"clock", "query sums"}));
  EXPECT_EQ(outcome.handed_over.fresh, Names{"query pairs"});
  EXPECT_EQ(outcome.handed_over.dropped, Names{"query counts"});
  EXPECT_EQ(node.plans(), Names{"plan"});
  node.send("one", 50);
  EXPECT_EQ(node.take("Sums"), Names{"150"});
  EXPECT_TRUE(node.take("Counts").empty());
}

TEST(EditedPlan, ADeployThatDoesNotSayReplaceLeavesThePlanAlone) {
  Node node = fed(text_of({kStream, kSums}));
  ApplyOutcome outcome = node.replace(text_of({kStream, kCounts}), /*replace=*/false);
  EXPECT_EQ(outcome.status, ApplyStatus::kRejected);
  EXPECT_EQ(outcome.reason, "a plan named 'plan' is deployed already");
  EXPECT_EQ(node.replace("from nothing").status, ApplyStatus::kRejected);
  node.take("Sums");
  node.send("one", 50);
  EXPECT_EQ(node.take("Sums"), Names{"150"});
}

TEST(EditedPlan, ASuspendedPlanTakesNothingUntilItIsReplaced) {
  Node node = fed(text_of({kStream, kSums}));
  node.take("Sums");
  ASSERT_TRUE(node.suspend());
  node.send("one", 50);
  EXPECT_TRUE(node.take("Sums").empty());
  EXPECT_EQ(node.state(), "");
  ApplyOutcome outcome = node.replace(text_of({kStream, kSums}));
  EXPECT_EQ(outcome.status, ApplyStatus::kApplied);
  EXPECT_TRUE(outcome.handed_over.kept.empty()) << "nobody knows what its state was worth";
  node.send("one", 50);
  EXPECT_EQ(node.take("Sums"), Names{"50"});
}

TEST(EditedPlan, TheOrderOfQueriesAndTheirSpellingDoNotMatter) {
  Node before = fed(text_of({kStream, kSums, kCounts, kPairs}));
  Node after(text_of({"-- a comment\n", kStream, kPairs,
                      "@INFO(Name = 'sums')\nFROM S # window.length( 10 ) /* all */\n"
                      "SELECT sum(amount) AS total INSERT INTO Sums;\n",
                      kCounts}));
  RestoreReport report = after.take_over(before);
  EXPECT_EQ(report.kept, (Names{"clock", "query pairs", "query sums", "query counts"}));
  EXPECT_TRUE(report.fresh.empty());
  EXPECT_TRUE(report.dropped.empty());
  after.send("one", 50);
  EXPECT_EQ(after.take("Sums"), Names{"150"});
  EXPECT_EQ(after.take("Counts"), Names{"5"});
}

TEST(EditedPlan, AQueryUnderAnotherNameBeginsAfresh) {
  Node before = fed(text_of({kStream, kSums, kCounts}));
  std::string renamed = kSums;
  renamed.replace(renamed.find("sums"), 4, "other");
  Node after(text_of({kStream, renamed.c_str(), kCounts}));
  RestoreReport report = after.take_over(before);
  EXPECT_EQ(report.kept, (Names{"clock", "query counts"}));
  EXPECT_EQ(report.fresh, Names{"query other"});
  EXPECT_EQ(report.dropped, Names{"query sums"});
}

TEST(EditedPlan, QueriesWithoutNamesAreFoundByWhatTheySay) {
  constexpr const char* kUnnamedSums =
      "from S#window.length(10) select sum(amount) as total insert into Sums;\n";
  constexpr const char* kUnnamedRows =
      "from S#window.length(3) select count() as rows insert into Counts;\n";
  constexpr const char* kNew = "from S#window.length(2) select amount insert into News;\n";
  Node before = fed(text_of({kStream, kUnnamedSums, kUnnamedRows}));
  Node after(text_of({kStream, kNew, "from S[amount > 0] select user insert into Users;\n",
                      kUnnamedSums, kUnnamedRows}));
  RestoreReport report = after.take_over(before);
  EXPECT_EQ(report.kept, (Names{"clock", "query #3", "query #4"}));
  EXPECT_TRUE(report.dropped.empty());
  after.send("one", 50);
  EXPECT_EQ(after.take("Sums"), Names{"150"});
  EXPECT_EQ(after.take("Counts"), Names{"3"});

  Node without(text_of({kStream, kUnnamedRows}));
  report = without.take_over(before);
  EXPECT_EQ(report.kept, (Names{"clock", "query #1"}));
  EXPECT_EQ(report.dropped, Names{"query #1"});
}

TEST(EditedPlan, ADefinitionThatChangesTakesTheStateOfItsReadersAway) {
  constexpr const char* kOther = "define stream Other (a int);\n";
  constexpr const char* kOthers =
      "@info(name='others') from Other#window.length(5) select a insert into Others;\n";
  constexpr const char* kAll =
      "@info(name='all') from Other#window.length(5) select count() as n insert into All;\n";
  Node before = fed(text_of({kStream, kOther, kSums, kOthers, kAll}));
  Node after(text_of(
      {"define stream S (user string, amount int, more long);\n", kOther, kSums, kOthers, kAll}));
  RestoreReport report = after.take_over(before);
  EXPECT_EQ(report.fresh, Names{"query sums"});
  EXPECT_TRUE(std::count(report.kept.begin(), report.kept.end(), "query all") == 1);
  after.send("one", 5);
  EXPECT_EQ(after.take("Sums"), Names{"5"});
}

TEST(EditedPlan, TablesAndWindowsGoByNameAndDefinition) {
  constexpr const char* kTable = "@PrimaryKey('user') define table T (user string, amount int);\n";
  constexpr const char* kWindow = "define window W (user string, amount int) length(3);\n";
  constexpr const char* kFill =
      "from S select user, amount update or insert into T on T.user == user;\n"
      "from S insert into W;\n";
  constexpr const char* kReadWindow =
      "@info(name='of window') from W select sum(amount) as total insert into OfWindow;\n";
  constexpr const char* kReadTable =
      "@info(name='of table') from S join T on S.user == T.user\n"
      "  select T.amount as amount insert into OfTable;\n";
  Node before = fed(text_of({kStream, kTable, kWindow, kFill, kReadWindow, kReadTable}));

  Node longer(text_of({kStream, kTable, "define window W (user string, amount int) length(5);\n",
                       kFill, kReadWindow, kReadTable}));
  RestoreReport report = longer.take_over(before);
  EXPECT_EQ(report.fresh, (Names{"window W", "query of window"}));
  EXPECT_EQ(report.kept.size() + 2,
            fed(text_of({kStream, kTable, kWindow, kFill, kReadWindow, kReadTable}))
                .take_over(before)
                .kept.size());
  longer.send("two", 7);
  EXPECT_EQ(longer.take("OfWindow"), Names{"7"});

  Node keyed(text_of({kStream, "@PrimaryKey('amount') define table T (user string, amount int);\n",
                      kWindow, kFill, kReadWindow, kReadTable}));
  report = keyed.take_over(before);
  EXPECT_EQ(report.fresh, Names{"table T"});
  EXPECT_EQ(report.dropped, Names{"table T"});
}

TEST(EditedPlan, APartitionIsKeptOrBegunAsAWhole) {
  auto partition = [](const char* first, const char* second) {
    return std::string("partition with (user of S) begin\n") +
           "  @info(name='totals') from S#window.length(" + first +
           ") select user, sum(amount) as total insert into #Inner;\n" +
           "  @info(name='counts') from #Inner#window.length(" + second +
           ") select user, count() as rows, total insert into Out;\nend;\n";
  };
  Node before = fed(kStream + partition("3", "4"));
  before.send("two", 1);

  Node same(kStream + std::string(kSums) + partition("3", "4"));
  RestoreReport report = same.take_over(before);
  EXPECT_EQ(report.kept, (Names{"clock", "partition #1"}));
  EXPECT_EQ(report.fresh, Names{"query sums"});
  same.send("one", 50);
  EXPECT_EQ(same.take("Out"), Names{"one 4 120"});
  same.send("two", 1);
  EXPECT_EQ(same.take("Out"), Names{"two 2 2"});

  Node edited(kStream + partition("3", "5"));
  report = edited.take_over(before);
  EXPECT_EQ(report.kept, Names{"clock"});
  EXPECT_EQ(report.fresh, Names{"partition #1"});
  edited.send("one", 50);
  EXPECT_EQ(edited.take("Out"), Names{"one 1 50"});
}

TEST(EditedPlan, WhatIsNewBeginsItsOwnTimeAndWhatIsKeptGoesOnWithIts) {
  constexpr const char* kEvery =
      "@info(name='every') from S select user, amount output last every 10 sec insert into E;\n";
  constexpr const char* kTrigger = "define trigger Tick at every 4 sec;\n";
  constexpr const char* kStart = "define trigger Begin at 'start';\n";
  Node before(text_of({kStream, kEvery}));
  before.send("one", 1);  // a second after the start
  before.tick(6'000);
  Node after(text_of({kStream, kTrigger, kStart, kEvery}));
  after.take_over(before);
  after.tick(0);
  after.tick(3'000);
  EXPECT_EQ(after.take("E"), Names{"one 1"});  // ten seconds after the start
}

TEST(EditedPlan, ANewTriggerFiresFromTheEditOn) {
  constexpr const char* kTrigger = "define trigger Tick at every 4 sec;\n";
  constexpr const char* kStart = "define trigger Begin at 'start';\n";
  constexpr const char* kTold =
      "@info(name='ticks') from Tick select 'tick' as what insert into Told;\n"
      "@info(name='begins') from Begin select 'begin' as what insert into Told;\n";
  Node before = fed(text_of({kStream, kSums}));
  Node after(text_of({kStream, kTrigger, kStart, kSums, kTold}));
  RestoreReport report = after.take_over(before);
  EXPECT_EQ(report.fresh, (Names{"trigger Tick", "trigger Begin", "query ticks", "query begins"}));
  after.tick(0);
  EXPECT_EQ(after.take("Told"), Names{"begin"});
  after.tick(8'000);
  EXPECT_EQ(after.take("Told"), (Names{"tick", "tick"}));

  Node again(text_of({kStream, kTrigger, kStart, kSums, kTold}));
  report = again.take_over(after);
  EXPECT_TRUE(report.fresh.empty());
  again.tick(0);
  EXPECT_EQ(again.take("Told"), Names{});
  again.tick(4'000);
  EXPECT_EQ(again.take("Told"), Names{"tick"});
}

TEST(EditedPlan, AFunctionThatChangesTakesTheStateOfItsCallersAway) {
  auto plan = [](const char* factor) {
    return std::string(kStream) +
           "define function scaled[javascript] return int { return data[0] * " + factor + "; };\n" +
           "@info(name='scaled') from S#window.length(9) select sum(scaled(amount)) as total "
           "insert into Scaled;\n" +
           kSums;
  };
  Node before = fed(plan("2"));
  Node after(plan("3"));
  RestoreReport report = after.take_over(before);
  EXPECT_EQ(report.kept, (Names{"clock", "query sums"}));
  EXPECT_EQ(report.fresh, Names{"query scaled"});
}

TEST(EditedPlan, AnAnonymousStreamIsFoundByWhatItSays) {
  constexpr const char* kNested =
      "@info(name='nested') from (from S#window.length(2) select sum(amount) as total return)\n"
      "  select sum(total) as totals insert into Nested;\n";
  constexpr const char* kFirst =
      "from (from S#window.length(3) select amount return) select amount insert into First;\n";
  Node before = fed(text_of({kStream, kNested}));
  Node after(text_of({kStream, kFirst, kNested}));
  RestoreReport report = after.take_over(before);
  EXPECT_TRUE(report.dropped.empty());
  EXPECT_EQ(std::count(report.kept.begin(), report.kept.end(), "query nested"), 1);
  before.send("one", 50);
  after.send("one", 50);
  Names expected = before.take("Nested");
  EXPECT_EQ(after.take("Nested"), Names{expected.back()});
}

TEST(EditedPlan, HowThePlanTakesTimeIsAPartOfEverything) {
  Node before = fed(text_of({kStream, kSums}));
  Node after(text_of({"@app:playback ", kStream, kSums}));
  RestoreReport report = after.take_over(before);
  EXPECT_TRUE(report.kept.empty());
}

TEST(EditedPlan, AStateOfTheSamePlanIsAskedForWholeUnlessAReportIsTaken) {
  Node before = fed(text_of({kStream, kSums, kCounts}));
  EXPECT_EQ(Node(text_of({kStream, kSums, kCounts})).restore_strictly(before), "");
  EXPECT_EQ(Node(text_of({kStream, kSums})).restore_strictly(before),
            "the plan has no query counts");
  EXPECT_EQ(Node(text_of({kStream, kSums, kCounts, kPairs})).restore_strictly(before),
            "the state has no query pairs");
}

}  // namespace
}  // namespace pollux
