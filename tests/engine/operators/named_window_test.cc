// Named windows: what goes in, what comes out, and who finds what.
#include "engine/operators/named_window.h"

#include <gtest/gtest.h>

#include "engine/runtime/engine.h"
#include "tests/engine/run_plan.h"

namespace pollux {
namespace {

using Lines = std::vector<std::string>;

TestRow row(int64_t time, const char* user, int n) { return {time, {std::string(user), n}}; }

const std::string kDefine = "define stream In (user string, n int);";

TEST(NamedWindow, ReadersSeeWhatEntersAndWhatLeaves) {
  EXPECT_EQ(run_plan(kDefine + "define window W (user string, n int) length(2) output all events;"
                               "from In insert into W;"
                               "from W select user, sum(n) as total insert into Out;"
                               "from W select user, n insert expired events into Left;",
                     "In", {row(1, "ada", 1), row(2, "bob", 2), row(3, "eve", 4)}),
            (Lines{"Out @1 ada 1", "Out @2 bob 3", "Out @3 eve 6", "Left @3 ada 1"}));
}

TEST(NamedWindow, PutsOutOnlyTheKindItIsDefinedWith) {
  EXPECT_EQ(
      run_plan(kDefine + "define window W (user string, n int) length(1) output expired events;"
                         "from In insert into W;"
                         "from W select user insert all events into Out;",
               "In", {row(1, "ada", 1), row(2, "bob", 2), row(3, "eve", 4)}),
      (Lines{"Out @2 ada", "Out @3 bob"}));
}

TEST(NamedWindow, ARowFindsWhatTheRowsBeforeItHaveInserted) {
  EXPECT_EQ(run_plan(kDefine + "define window W (user string, n int) length(2) output all events;"
                               "from In[n > 0] insert into W;"
                               "from In[n == 0] join W on In.user == W.user select W.user as user, "
                               "W.n as n insert into Out;",
                     "In",
                     {row(1, "ada", 0), row(2, "ada", 1), row(3, "ada", 0), row(4, "bob", 2),
                      row(5, "bob", 3), row(6, "ada", 0), row(7, "bob", 0)}),
            (Lines{"Out @3 ada 1", "Out @7 bob 2", "Out @7 bob 3"}));
}

TEST(NamedWindow, SeveralQueriesFillOneWindowThatWaitsForTime) {
  EXPECT_EQ(
      run_plan(kDefine + "define window W (user string, n int) time(1 sec) output all events;"
                         "from In[n < 10] insert into W;"
                         "from In[n > 5] select user, (0 - n) as n insert into W;"
                         "from W select sum(n) as total insert all events into Out;",
               "In", {row(1000, "ada", 1), row(1500, "bob", 20), row(3000, "eve", 7)}),
      (Lines{"Out @1000 1", "Out @1500 -19", "Out @3000 null", "Out @3000 7", "Out @3000 0"}));
}

TEST(NamedWindow, MistakesAreTold) {
  auto errors = [](const std::string& text) { return to_text(Engine::validate(text), "plan"); };
  std::string unknown = errors("define window W (n int) lenght(2);");
  EXPECT_EQ(unknown.find("plan:1:25: error: unknown window 'lenght'; expected batch, cron,"), 0U);
  EXPECT_NE(unknown.find("; hint: did you mean 'length'?\n"), std::string::npos);
  EXPECT_NE(errors(kDefine + "define window W (n int) length(2); from In insert into W;"), "");
  EXPECT_NE(errors(kDefine + "define window In (user string) length(2);"), "");
  EXPECT_NE(errors("define window W (n int) length(2); from W#window.length(3) select n "
                   "insert into Out;"),
            "");
}

}  // namespace
}  // namespace pollux
