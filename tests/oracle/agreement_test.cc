// Cases on which engine and oracle once differed: both must give the rows named here, however the
// input is packed.
#include <gtest/gtest.h>

#include "tests/oracle/differential.h"
#include "tests/oracle/oracle.h"

namespace pollux::oracle {
namespace {

/// Rows of stream S (k string, i int) at one moment each, or as one chunk.
struct Sent {
  std::string stream = "S";
  std::vector<std::pair<std::string, int32_t>> rows;
  bool one_chunk = false;
};

class Agreement : public testing::Test {
 protected:
  /// Sends the rows 100 ms apart, each chunk at one moment; a second passes behind the last.
  static RandomCase made(const std::vector<std::string>& queries, const std::vector<Sent>& sent) {
    RandomCase made;
    for (const char* name : {"S", "R"}) {
      std::vector<Attribute> fields = {{"k", AttributeType::kString}, {"i", AttributeType::kInt}};
      made.inputs.push_back(std::make_shared<Schema>(name, fields));
      made.parts.push_back(std::string("define stream ") + name + " (k string, i int);");
    }
    made.parts.insert(made.parts.end(), queries.begin(), queries.end());
    int64_t now = 1000;
    for (const Sent& each : sent) {
      InputRun run{each.stream, each.one_chunk, {}};
      for (const auto& [k, i] : each.rows) {
        run.rows.push_back({now, {k, i}});
        if (!each.one_chunk) now += 100;
      }
      if (each.one_chunk) now += 100;
      made.runs.push_back(std::move(run));
    }
    made.final_tick = now + 1000;
    return made;
  }

  static std::string results_of(const RandomCase& made) {
    EXPECT_EQ(compared(made).difference.value_or(""), "");
    Oracle oracle(made.plan());
    for (const InputRun& run : made.runs) {
      std::vector<Event> chunk;
      for (const InputRow& row : run.rows) {
        if (run.one_chunk) {
          chunk.push_back({EventKind::kCurrent, row.timestamp, row.row});
        } else {
          oracle.send(run.stream, row.row, row.timestamp);
        }
      }
      if (run.one_chunk) oracle.send_chunk(run.stream, std::move(chunk));
    }
    oracle.advance(made.final_tick);
    EXPECT_EQ(oracle.error(), "");
    std::string all;
    for (const Result& result : oracle.results()) {
      all += (all.empty() ? "" : " ") + result.stream + "(";
      for (size_t i = 0; i < result.row.size(); ++i) {
        all += (i == 0 ? "" : ",") + java_text(result.row[i]);
      }
      all += ")";
    }
    return all;
  }
};

TEST_F(Agreement, AFilterBehindABatchWindowLosesNoReset) {
  // The first row of each batch, whose data the original's reset carries, does not pass.
  const std::vector<Sent> rows = {{"S", {{"a", 1}, {"a", 2}, {"a", 1}, {"a", 3}}}};
  EXPECT_EQ(results_of(made({"from S#window.lengthBatch(2)[i > 1] select sum(i) as s "
                             "insert into Out;"},
                            rows)),
            "Out(2) Out(3)");
  EXPECT_EQ(results_of(made({"from S#window.lengthBatch(2, true)[i > 1] select sum(i) as s "
                             "insert into Out;"},
                            rows)),
            "Out(2) Out(3)");
}

TEST_F(Agreement, AResetThatWaitsBehindAFilterBelongsToItsInstance) {
  EXPECT_EQ(results_of(made({"partition with (k of S) begin from "
                             "S#window.lengthBatch(2, true)[i > 1] select k, sum(i) as s "
                             "insert into Out; end;"},
                            {{"S", {{"a", 2}, {"b", 3}, {"a", 1}, {"a", 1}, {"b", 4}, {"a", 5}}}})),
            "Out(a,2) Out(b,3) Out(b,7) Out(a,5)");
}

TEST_F(Agreement, WhatAChunkIsCutIntoGoesOnPieceByPiece) {
  // Each row of a streaming batch goes through both queries before the next one.
  EXPECT_EQ(
      results_of(made({"from S#window.lengthBatch(4, true) select i insert into Mid;",
                       "from Mid select i insert into One;", "from Mid select i insert into Two;"},
                      {{"S", {{"a", 1}, {"a", 2}}, true}})),
      "Mid(1) One(1) Two(1) Mid(2) One(2) Two(2)");
}

TEST_F(Agreement, AStreamingBatchResetsBothSidesOfItsJoinAtOnce) {
  // The second batch of S begins with x: the sum begins afresh though x finds no partner.
  EXPECT_EQ(results_of(made({"from S#window.lengthBatch(2, true) as a join R#window.length(9) as b "
                             "on a.k == b.k select sum(a.i) as s insert into Out;"},
                            {{"R", {{"a", 0}}},
                             {"S", {{"a", 1}, {"a", 2}}},
                             {"R", {{"a", 0}}},
                             {"S", {{"x", 4}}},
                             {"R", {{"x", 0}}}})),
            "Out(1) Out(3) Out(6) Out(4)");
}

TEST_F(Agreement, AResetOfAJoinBringsNoRowsWithIt) {
  // Rows of S that leave with their batch meet no partners: 2 * 9 is never seen.
  EXPECT_EQ(results_of(
                made({"from S#window.lengthBatch(1, true) as a unidirectional join "
                      "R#window.length(1) as b select maxForever(a.i * b.i) as m "
                      "insert into Out;"},
                     {{"R", {{"r", 1}}}, {"S", {{"a", 2}}}, {"R", {{"r", 9}}}, {"S", {{"a", 1}}}})),
            "Out(2) Out(9)");
}

TEST_F(Agreement, AnInstanceBeginsWhenItsFirstRowsReachIt) {
  // What row a brings about reaches the instances that are there: not yet that of row b.
  EXPECT_EQ(results_of(made({"partition with (k of S) begin "
                             "from S select k, i insert into Mid; "
                             "from Mid select i insert into Out; end;"},
                            {{"S", {{"a", 1}, {"b", 2}}, true}})),
            "Mid(a,1) Out(1) Mid(b,2) Out(2) Out(2)");
}

TEST_F(Agreement, ARowThatComesLateLeavesItsTimeWindowBeforeTheNextOne) {
  // Row a comes with b, when its time in the window is over already.
  EXPECT_EQ(results_of(made({"from S select k, i output all every 2 events insert into Mid;",
                             "from Mid[k == 'a']#window.time(50 millisec) select k "
                             "insert expired events into Out;"},
                            {{"S", {{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}}}})),
            "Mid(a,1) Mid(b,2) Out(a) Mid(c,3) Mid(d,4)");
}

TEST_F(Agreement, ZerosOfBothSignsHaveTheirPlaces) {
  EXPECT_EQ(results_of(made({"from S#window.lengthBatch(2) select i % 2.0 as z order by z "
                             "insert into Out;"},
                            {{"S", {{"a", 2}, {"a", -2}}}})),
            "Out(-0.0) Out(0.0)");
  EXPECT_EQ(results_of(made({"from S#window.length(2) select min(i % 2.0) as z insert into Out;"},
                            {{"S", {{"a", 2}, {"a", -2}, {"a", 2}, {"a", 2}}}})),
            "Out(0.0) Out(-0.0) Out(-0.0) Out(0.0)");
}

TEST_F(Agreement, AnUpdateThatWouldRepeatAPrimaryKeyChangesNothing) {
  EXPECT_EQ(results_of(made({"@PrimaryKey('k') define table T (k string, i int);",
                             "from S select k, i insert into T;",
                             "from R[i == 0] select k, i update T set T.k = k on T.i > 0;",
                             "from R[i == 1] as r join T on T.i >= r.i select T.k as k, T.i as i "
                             "insert into Out;"},
                            {{"S", {{"a", 1}, {"b", 2}}}, {"R", {{"x", 0}, {"x", 1}}}})),
            "Out(a,1) Out(b,2)");
}

TEST_F(Agreement, ACountedStepBehindAnOptionalStartDoesNotBeginItAnew) {
  EXPECT_EQ(results_of(made({"from every e1=S*, e2=S[k == 'm']<1:2>, e3=S[k != 'm'] "
                             "select e1[0].i as a, e2[0].i as b, e3.i as c insert into Out;"},
                            {{"S", {{"b", 1}, {"m", 2}, {"a", 3}, {"m", 4}, {"c", 5}}}})),
            "Out(1,2,3) Out(3,4,5)");
}

TEST_F(Agreement, InstancesOfAPartitionedSequenceDoNotSeeEachOther) {
  EXPECT_EQ(results_of(made({"partition with (k of S, k of R) begin from every e1=S, e2=R "
                             "select e1.i as a, e2.i as b insert into Out; end;"},
                            {{"S", {{"a", 1}, {"a", 2}, {"b", 3}}}, {"R", {{"b", 4}, {"a", 5}}}})),
            "Out(3,4) Out(2,5)");
}

TEST_F(Agreement, APatternFeedsItsOwnStreamOnceAChunkIsThrough) {
  EXPECT_EQ(results_of(made({"from every e1=S[i == 0] -> e2=S[i == 1 or i == 2] "
                             "select e2.k as k, e2.i + 1 as i insert into S;"},
                            {{"S", {{"a", 0}, {"b", 0}, {"c", 1}, {"d", 1}, {"e", 0}}, true},
                             {"S", {{"f", 1}}}})),
            "S(c,2) S(c,2) S(c,3)");
  // Rows of the chunk in hand are held by instances while the pattern runs again.
  EXPECT_EQ(results_of(made({"from every e1=S[i == 0] -> e2=S[i == 1] "
                             "select e1.k as k, e2.i as i insert into Out;",
                             "from Out select k, 0 as i insert into S;"},
                            {{"S", {{"a text of many bytes", 0}, {"b", 1}, {"c", 1}}, true},
                             {"S", {{"d", 1}}}})),
            "Out(a text of many bytes,1) S(a text of many bytes,0) "
            "Out(a text of many bytes,1) S(a text of many bytes,0)");
}

TEST_F(Agreement, AHalfThatBeginsASequenceOutlivesItsSpoiler) {
  EXPECT_EQ(results_of(made({"from every e1=S and not S[i > 5], e2=S select e1.i as a, e2.i as b "
                             "insert into Out;"},
                            {{"S", {{"a", 7}, {"b", 1}, {"c", 2}}}})),
            "Out(1,2)");
}

TEST_F(Agreement, APartitionFeedsItself) {
  EXPECT_EQ(results_of(made({"partition with (k of S) begin from S[i < 3]#window.lengthBatch(2) "
                             "select k, i + 1 as i insert into S; end;"},
                            {{"S", {{"a", 1}, {"b", 1}, {"a", 2}, {"b", 1}, {"c", 0}}, true},
                             {"S", {{"c", 2}}}})),
            "S(a,2) S(a,3) S(b,2) S(b,2) S(b,3) S(b,3) S(c,1) S(c,3)");
}

TEST_F(Agreement, AStreamJoinedWithItselfFeedsItself) {
  EXPECT_EQ(results_of(made({"from S[i < 3]#window.length(2) as a join S#window.length(2) as b "
                             "on a.k == b.k and a.i == b.i select a.k as k, a.i + 1 as i "
                             "insert into S;"},
                            {{"S", {{"a", 1}, {"b", 1}, {"a", 1}}, true}, {"S", {{"b", 2}}}})),
            "S(a,2) S(a,3) S(b,2) S(b,3) S(a,2) S(a,3) S(a,2) S(a,3) S(a,3) S(a,3) S(b,3)");
}

}  // namespace
}  // namespace pollux::oracle
