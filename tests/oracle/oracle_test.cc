// The oracle against results worked out by hand or observed on the reference engine, and the
// generator of random plans against the oracle.
#include "tests/oracle/oracle.h"

#include <gtest/gtest.h>

#include "tests/oracle/random_plan.h"

namespace pollux::oracle {
namespace {

std::string text_of(const std::vector<Result>& results) {
  std::string all;
  for (const Result& result : results) {
    all += result.stream + "@" + std::to_string(result.timestamp) + "(";
    for (size_t i = 0; i < result.row.size(); ++i) {
      all += (i == 0 ? "" : ",") + java_text(result.row[i]);
    }
    all += ") ";
  }
  return all;
}

Row row(const char* symbol, int32_t number) { return {std::string(symbol), number}; }

constexpr char kStream[] = "define stream S (s string, i int); ";

TEST(Oracle, SlidingSumWithAllEventsKeepsTheLastOfTheChunk) {
  Oracle oracle(std::string(kStream) +
                "from S#window.length(2) select sum(i) as total insert all events into Out;");
  ASSERT_EQ(oracle.error(), "");
  oracle.send("S", row("a", 1), 10);
  oracle.send("S", row("a", 2), 20);
  oracle.send("S", row("a", 4), 30);
  EXPECT_EQ(text_of(oracle.results()), "Out@10(1) Out@20(3) Out@30(6) ");
}

TEST(Oracle, BatchExpiresBeforeItsReset) {
  Oracle oracle(std::string(kStream) +
                "from S#window.lengthBatch(2) select s, sum(i) as total group by s "
                "insert all events into Out;");
  ASSERT_EQ(oracle.error(), "");
  for (int32_t i = 1; i <= 4; ++i) oracle.send("S", row(i % 2 == 0 ? "b" : "a", i), i * 10);
  EXPECT_EQ(text_of(oracle.results()), "Out@10(a,1) Out@20(b,2) Out@30(a,3) Out@40(b,4) ");
}

TEST(Oracle, TimeWindowExpiresWhenTheClockHasPassedItsTime) {
  Oracle oracle(std::string(kStream) +
                "from S#window.time(100) select s, i insert expired events into Out;");
  ASSERT_EQ(oracle.error(), "");
  oracle.send("S", row("a", 1), 1000);
  oracle.send("S", row("b", 2), 1050);
  oracle.send("S", row("c", 3), 1140);
  EXPECT_EQ(text_of(oracle.results()), "Out@1140(a,1) ");
  EXPECT_EQ(oracle.next_deadline(), 1150);
  oracle.advance(2000);
  EXPECT_EQ(text_of(oracle.results()), "Out@1140(a,1) Out@2000(b,2) Out@2000(c,3) ");
}

TEST(Oracle, NullsFollowTheRules) {
  Oracle oracle(
      "define stream S (i int, j int); "
      "from S[i != j] select i + j as plus, i / 0 as none, (not (i < j)) as never "
      "insert into Out;");
  ASSERT_EQ(oracle.error(), "");
  oracle.send("S", {Value(), 1}, 1);
  oracle.send("S", {Value(), Value()}, 2);
  oracle.send("S", {1, 1}, 3);
  EXPECT_EQ(text_of(oracle.results()), "Out@1(null,null,true) Out@2(null,null,true) ");
}

TEST(Oracle, CountedPatternTakesTheObservedMatches) {
  Oracle oracle(
      "define stream S (v string, n int); "
      "from every e1=S[v == 'x']<1:2> -> e2=S[v == 'y'] "
      "select e1[0].n as a, e1[1].n as b, e2.n as c insert into Out;");
  ASSERT_EQ(oracle.error(), "");
  const char* values[] = {"x", "x", "y", "x", "z", "y"};
  for (int32_t i = 0; i < 6; ++i) oracle.send("S", row(values[i], i + 1), i);
  EXPECT_EQ(text_of(oracle.results()), "Out@2(1,2,3) Out@2(2,null,3) Out@5(4,null,6) ");
}

TEST(Oracle, SequenceNeedsNeighbours) {
  Oracle oracle(std::string(kStream) +
                "from every e1=S[s == 'a'], e2=S[s == 'b'] select e1.i as x, e2.i as y "
                "insert into Out;");
  ASSERT_EQ(oracle.error(), "");
  const char* values[] = {"a", "c", "b", "a", "b"};
  for (int32_t i = 0; i < 5; ++i) oracle.send("S", row(values[i], i), i);
  EXPECT_EQ(text_of(oracle.results()), "Out@4(3,4) ");
}

TEST(Oracle, JoinSeesTheOtherWindow) {
  Oracle oracle(
      "define stream A (k string, i int); define stream B (k string, j int); "
      "from A#window.length(1) join B#window.length(2) on A.k == B.k "
      "select A.i as i, B.j as j insert into Out;");
  ASSERT_EQ(oracle.error(), "");
  oracle.send("A", row("x", 1), 1);
  oracle.send("B", row("x", 2), 2);
  oracle.send("B", row("x", 3), 3);
  oracle.send("A", row("x", 4), 4);
  EXPECT_EQ(text_of(oracle.results()), "Out@2(1,2) Out@3(1,3) Out@4(4,2) Out@4(4,3) ");
}

TEST(Oracle, TableKeepsTheFirstRowOfAKey) {
  Oracle oracle(std::string(kStream) +
                "@PrimaryKey('s') define table T (s string, i int); "
                "define stream Q (s string); "
                "from S insert into T; "
                "from Q join T on Q.s == T.s select T.s as s, T.i as i insert into Out;");
  ASSERT_EQ(oracle.error(), "");
  oracle.send("S", row("a", 1), 1);
  oracle.send("S", row("a", 2), 2);
  oracle.send("Q", {std::string("a")}, 3);
  EXPECT_EQ(text_of(oracle.results()), "Out@3(a,1) ");
}

TEST(Oracle, PartitionsCountApart) {
  Oracle oracle(std::string(kStream) +
                "partition with (s of S) begin "
                "from S select s, count() as n insert into #In; "
                "from #In[n > 1] select s, n insert into Out; end;");
  ASSERT_EQ(oracle.error(), "");
  oracle.send("S", row("a", 1), 1);
  oracle.send("S", row("b", 1), 2);
  oracle.send("S", row("a", 1), 3);
  EXPECT_EQ(text_of(oracle.results()), "Out@3(a,2) ");
}

TEST(Oracle, RatesHoldBack) {
  Oracle oracle(std::string(kStream) +
                "from S select i output first every 3 events insert into Out; "
                "from S select i output last every 100 millisec insert into Late;");
  ASSERT_EQ(oracle.error(), "");
  for (int32_t i = 1; i <= 4; ++i) oracle.send("S", row("a", i), i * 40);
  EXPECT_EQ(text_of(oracle.results()), "Out@40(1) Late@120(3) Out@160(4) ");
}

TEST(Oracle, TellsWhatItCannotEvaluate) {
  EXPECT_TRUE(Oracle("from S[i > 1 select i insert into Out;").syntax_error());
  EXPECT_NE(Oracle(std::string(kStream) + "from S select nobody insert into Out;").error(), "");
}

TEST(RandomPlan, IsAcceptedAndGivesResults) {
  constexpr int kCases = 300;
  int with_results = 0;
  for (uint64_t seed = 0; seed < kCases; ++seed) {
    RandomCase made = random_case(seed, 6);
    Oracle oracle(made.plan());
    ASSERT_EQ(oracle.error(), "") << made.plan();
    int left = 30;  // what a few rows bring about, queries may multiply
    for (const InputRun& run : made.runs) {
      for (const InputRow& row : run.rows) {
        if (left-- > 0) oracle.send(run.stream, row.row, row.timestamp);
      }
    }
    oracle.advance(made.final_tick);
    with_results += oracle.results().empty() ? 0 : 1;
  }
  EXPECT_GT(with_results, kCases / 2);
}

TEST(RandomPlan, IsTheSameForTheSameSeed) {
  EXPECT_EQ(random_case(7, 5).plan(), random_case(7, 5).plan());
  EXPECT_EQ(random_case(7, 5).events(), random_case(7, 5).events());
  EXPECT_NE(random_case(7, 5).plan(), random_case(8, 5).plan());
}

}  // namespace
}  // namespace pollux::oracle
