// Sequences of single events: the edges that random plans seldom meet.
#include "engine/operators/step_sequence.h"

#include <gtest/gtest.h>

#include "tests/engine/run_plan.h"

namespace pollux {
namespace {

using Lines = std::vector<std::string>;

TestRow row(int64_t time, const char* user, int n) { return {time, {std::string(user), n}}; }

TEST(StepSequence, WithinCountsFromTheFirstEventAndEqualIsInside) {
  EXPECT_EQ(run_plan("define stream In (user string, n int);"
                     "from every a=In[n == 1], b=In[n == 2], c=In[n == 3] within 100 milliseconds "
                     "select a.user as first, c.user as last insert into Out;",
                     "In",
                     {row(1000, "ada", 1), row(1001, "bob", 2), row(1100, "eve", 3),
                      row(2000, "ada", 1), row(2001, "bob", 2), row(2101, "eve", 3)}),
            (Lines{"Out @1100 ada eve"}));
}

TEST(StepSequence, AnOldInstanceGoesAndAYoungerOneStays) {
  EXPECT_EQ(run_plan("define stream In (user string, n int);"
                     "from every a=In[n < 3], b=In[n < 3], c=In[n < 3] within 100 milliseconds "
                     "select a.n as x, b.n as y, c.n as z insert into Out;",
                     "In",
                     {row(1000, "ada", 0), row(1080, "ada", 1), row(1120, "ada", 2),
                      row(1130, "ada", 0), row(1140, "ada", 3), row(1150, "ada", 1)}),
            (Lines{"Out @1130 1 2 0"}));
}

TEST(StepSequence, APurgedInstanceOfAPartitionBeginsAnew) {
  const char* plan =
      "define stream In (user string, n int);"
      "@purge(enable='true', interval='1 sec', idle.period='2 sec') "
      "partition with (user of In) begin "
      "from every a=In[n == 1], b=In[n == 2] select a.user as user insert into Out; end;";
  EXPECT_EQ(run_plan(plan, "In", {row(1000, "ada", 1), row(2500, "bob", 1), row(2900, "ada", 2)}),
            (Lines{"Out @2900 ada"}));
  EXPECT_EQ(run_plan(plan, "In", {row(1000, "ada", 1), row(9000, "ada", 2)}), Lines());
}

}  // namespace
}  // namespace pollux
