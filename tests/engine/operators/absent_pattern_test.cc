// Absences inside of partitions: each instance has its own clock.
#include <gtest/gtest.h>

#include "tests/engine/run_plan.h"

namespace pollux {
namespace {

using Lines = std::vector<std::string>;

TestRow row(int64_t time, const char* user, int n) { return {time, {std::string(user), n}}; }

const std::string kDefine = "define stream In (user string, n int);";

TEST(AbsentPattern, WhatDoesNotComeInTimeIsTold) {
  EXPECT_EQ(
      run_plan(kDefine + "from every a=In[n == 1] -> not In[n == 2 and user == a.user] for 1 sec "
                         "select a.user as user insert into Out;",
               "In",
               {row(1000, "ada", 1), row(1100, "bob", 1), row(1500, "bob", 2), row(3000, "eve", 1),
                row(3999, "eve", 2), row(9000, "ada", 3)}),
      (Lines{"Out @3000 ada"}));  // seen when the clock came by
}

TEST(AbsentPattern, EachInstanceOfAPartitionWaitsForItself) {
  EXPECT_EQ(run_plan(kDefine + "partition with (user of In) begin "
                               "from every a=In[n == 1] -> not In[n == 2] for 1 sec "
                               "select a.user as user insert into Out; end;",
                     "In",
                     {row(1000, "ada", 1), row(1500, "bob", 1), row(1600, "ada", 2),
                      row(2600, "ada", 3)}),
            (Lines{"Out @2600 bob"}));
}

TEST(AbsentPattern, AnAbsenceAtTheBeginningCountsFromWhenTheInstanceBegan) {
  EXPECT_EQ(run_plan(kDefine + "partition with (user of In) begin "
                               "from not In[n == 2] for 1 sec -> a=In[n == 1] "
                               "select a.user as user insert into Out; end;",
                     "In",
                     {row(1000, "ada", 1), row(1900, "bob", 3), row(2500, "ada", 1),
                      row(2600, "bob", 1)}),
            (Lines{"Out @2500 ada"}));
}

TEST(AbsentPattern, ADeadlineOfAPurgedInstanceMeansNothing) {
  EXPECT_EQ(run_plan(kDefine + "@purge(enable='true', interval='1 sec', idle.period='2 sec') "
                               "partition with (user of In) begin "
                               "from every a=In[n == 1] -> not In[n == 2] for 1 min "
                               "select a.user as user insert into Out; end;",
                     "In",
                     {row(1000, "ada", 1), row(9000, "bob", 1), row(10000, "bob", 3),
                      row(200000, "eve", 3)}),
            Lines());
}

TEST(AbsentPattern, AHalfOfAnAndThatMustNotCome) {
  EXPECT_EQ(
      run_plan(kDefine + "from every (not In[n == 2] for 1 sec and a=In[n == 1]) -> b=In[n == 3] "
                         "select a.user as first, b.user as last insert into Out;",
               "In", {row(1000, "ada", 0), row(2500, "bob", 1), row(2600, "eve", 3)}),
      (Lines{"Out @2600 bob eve"}));
}

}  // namespace
}  // namespace pollux
