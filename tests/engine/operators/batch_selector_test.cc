// Batches that are folded as their rows come: what must not be seen of it.
#include "engine/operators/batch_selector.h"

#include <gtest/gtest.h>

#include "tests/engine/run_plan.h"

namespace pollux {
namespace {

using Lines = std::vector<std::string>;

const std::vector<TestRow> kRows = {
    {1000, {std::string("ada"), 1}},  {1200, {std::string("bob"), 2}},
    {1400, {std::string("ada"), 3}},  {2100, {std::string("eve"), 4}},
    {2200, {std::string("eve"), 5}},  {9000, {std::string("ada"), 6}},
    {10500, {std::string("ada"), 7}},
};

TEST(BatchSelector, OneRowAGroupInTheOrderInWhichTheyCame) {
  EXPECT_EQ(
      run_plan("define stream In (user string, n int);"
               "from In#window.timeBatch(1 sec) select user, sum(n) as total, n "
               "group by user insert into Out;",
               "In", kRows),
      (Lines{"Out @1400 ada 4 3", "Out @1200 bob 2 2", "Out @2200 eve 9 5", "Out @9000 ada 6 6"}));
}

TEST(BatchSelector, SeveralBatchesEndWithinOneChunk) {
  EXPECT_EQ(run_plan("define stream In (user string, n int);"
                     "from In#window.lengthBatch(2) select sum(n) as total insert into Out;",
                     "In", kRows, true),
            (Lines{"Out @1200 3", "Out @2100 7", "Out @9000 11"}));
}

TEST(BatchSelector, HavingJudgesEachRowAndTheLastThatPassesStands) {
  EXPECT_EQ(run_plan("define stream In (user string, n int);"
                     "from In#window.lengthBatch(7) select user, sum(n) as total group by user "
                     "having total < 10 insert into Out;",
                     "In", kRows),
            (Lines{"Out @1400 ada 4", "Out @1200 bob 2", "Out @2200 eve 9"}));
}

TEST(BatchSelector, WhatReadsTheClockReadsItWhenTheBatchEnds) {
  EXPECT_EQ(run_plan("define stream In (user string, n int);"
                     "from In#window.timeBatch(1 sec) select currentTimeMillis() as now, "
                     "count() as n insert into Out;",
                     "In", kRows),
            (Lines{"Out @1400 2100 3", "Out @2200 9000 2", "Out @9000 10500 1"}));
}

TEST(BatchSelector, ATableIsLookedIntoWhenTheBatchEnds) {
  EXPECT_EQ(
      run_plan("define stream In (user string, n int);"
               "define table Late (user string);"
               "from In[n == 3] select user insert into Late;"
               "from In#window.lengthBatch(3) select user, ((Late.user == user) in Late) as late "
               "group by user insert into Out;",
               "In", kRows),
      (Lines{"Out @1400 ada true", "Out @1200 bob false", "Out @2200 eve false",
             "Out @9000 ada true"}));
}

}  // namespace
}  // namespace pollux
