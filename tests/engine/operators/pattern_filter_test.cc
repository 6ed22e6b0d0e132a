// What a pattern's filter sees of the events that its own state has taken.
#include <gtest/gtest.h>

#include "tests/engine/run_plan.h"

namespace pollux {
namespace {

using Lines = std::vector<std::string>;

TestRow row(int64_t time, int n) { return {time, {n}}; }

TEST(PatternFilter, TheLastEventIsThatBeforeTheOneThatIsOffered) {
  EXPECT_EQ(run_plan("define stream In (n int);"
                     "from every a=In[n > 20], "
                     "b=In[(b[last].n is null and n >= a.n) or "
                     "(not (b[last].n is null) and n >= b[last].n)]+, "
                     "c=In[n < b[last].n] "
                     "select a.n as x, b[0].n as y, b[1].n as z, c.n as last insert into Out;",
                     "In", {row(1, 30), row(2, 25), row(3, 35), row(4, 57), row(5, 47)}),
            (Lines{"Out @5 25 35 57 47"}));
}

}  // namespace
}  // namespace pollux
