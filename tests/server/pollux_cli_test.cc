// The program as a user meets it: command lines in, text and exit codes out.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/server/shell_testing.h"

namespace pollux {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* kPlan = R"(@app:name('Guess')
define stream Logins (time long, user string, ok bool);
define stream Exits (time long, user string);
from Logins[ok == false] select user insert into Failures;
from Failures[user != 'bob'] select user insert into Alerts;
from Exits select user insert into Gone;
)";

class PolluxRunTest : public ShellTest {
 protected:
  void SetUp() override {
    ShellTest::SetUp();
    write("plan.siddhi", kPlan);
    write("logins.csv",
          "time,user,ok\n1000,ann,FALSE\n2000,bob,false\n3000,cem,true\n4000,dan,false\n");
  }
};

TEST_F(PolluxRunTest, PrintsTheResultsOfTheLeafStreams) {
  ShellResult run = shell("pollux run plan.siddhi --in Logins=logins.csv --timestamp time");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  Texts lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(
      lines[0].starts_with(R"({"stream":"Alerts","timestamp":1000,"id":"-1234/Guess/1.2.)"));
  EXPECT_TRUE(lines[0].ends_with(R"(,"data":{"user":"ann"}})"));
  EXPECT_TRUE(lines[1].ends_with(R"(,"data":{"user":"dan"}})"));
  EXPECT_EQ(run.err, "4 events in, 2 results out, no errors\n");
}

TEST_F(PolluxRunTest, OutSelectsStreamsAndTheirOrderIsThatOfThePlan) {
  ShellResult run =
      shell("pollux run plan.siddhi --in Logins=logins.csv --timestamp time --out Failures Alerts");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  Texts lines = lines_of(run.out);
  EXPECT_EQ(lines.size(), 5u);
  std::vector<std::string> ids;
  simdjson::dom::parser parser;
  for (const std::string& line : lines) {
    simdjson::dom::element row = parser.parse(line);
    ids.emplace_back(std::string_view(row["id"]));
  }
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], "-1234/Guess/1.2." + std::to_string(i));
}

TEST_F(PolluxRunTest, SeveralFilesAreMergedByTime) {
  write("exits.jsonl", "{\"time\":1500,\"user\":\"x\"}\n{\"time\":4000,\"user\":\"y\"}\n");
  ShellResult run = shell(
      "pollux run plan.siddhi --in Exits=exits.jsonl --in Logins=logins.csv --timestamp time |"
      "sed 's/\"id\":\"[^\"]*\",//'");
  EXPECT_EQ(lines_of(run.out),
            (Texts{R"({"stream":"Alerts","timestamp":1000,"data":{"user":"ann"}})",
                   R"({"stream":"Gone","timestamp":1500,"data":{"user":"x"}})",
                   R"({"stream":"Gone","timestamp":4000,"data":{"user":"y"}})",
                   R"({"stream":"Alerts","timestamp":4000,"data":{"user":"dan"}})"}));
}

TEST_F(PolluxRunTest, OneRunFeedsAnother) {
  write("next.siddhi",
        "@app:name('Next') define stream Alerts (user string); "
        "from Alerts[user == 'dan'] select user, eventTimestamp() as at insert into Out;");
  ShellResult run = shell(
      "set -o pipefail; pollux run plan.siddhi --in Logins=logins.csv --timestamp time |"
      "pollux run next.siddhi --in Alerts=-");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  Texts lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].ends_with(R"("data":{"user":"dan","at":4000}})")) << lines[0];
}

TEST_F(PolluxRunTest, BatchesNeverChangeTheData) {
  std::string csv;
  for (int i = 0; i < 3000; ++i) {
    csv +=
        std::to_string(i * 100) + ",u" + std::to_string(i % 7) + (i % 3 ? ",true\n" : ",false\n");
  }
  write("many.csv", csv);
  write("sums.siddhi",
        "@app:name('Sums') define stream Logins (time long, user string, ok bool); "
        "from Logins#window.timeBatch(10 sec) select user, count() as n group by user "
        "insert into Counts; from Counts#window.length(5) select sum(n) as total insert into Out;");
  Texts outs;
  for (std::string batch : {"1", "7", "1024"}) {
    ShellResult run =
        shell("pollux run sums.siddhi --in Logins=many.csv --timestamp time --batch " + batch +
              " | sed 's/\"id\":\"[^\"]*\",//'");
    EXPECT_EQ(lines_of(run.out).size(), 30u);  // one for each ten seconds
    outs.push_back(run.out);
  }
  EXPECT_EQ(outs[0], outs[1]);
  EXPECT_EQ(outs[0], outs[2]);
}

TEST_F(PolluxRunTest, TheLastTimeBatchComesOutUnlessTimeIsToldToStandStill) {
  write("batch.siddhi",
        "@app:name('Batch') define stream Logins (time long, user string, ok bool); "
        "from Logins#window.timeBatch(1 min) select count() as n insert into Out;");
  auto counts = [&](const std::string& options) {
    return lines_of(shell("pollux run batch.siddhi --in Logins=logins.csv --timestamp time " +
                          options + " | grep -o '\"n\":[0-9]*'")
                        .out);
  };
  EXPECT_EQ(counts(""), Texts{"\"n\":4"});
  EXPECT_EQ(counts("--advance none"), Texts{});
  EXPECT_EQ(counts("--advance 30s"), Texts{});
  EXPECT_EQ(counts("--advance 1min"), Texts{"\"n\":4"});
}

TEST_F(PolluxRunTest, ResultsOfALivePipeComeAtOnce) {
  int to_pollux[2];
  int from_pollux[2];
  ASSERT_EQ(::pipe2(to_pollux, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(from_pollux, O_CLOEXEC), 0);
  pid_t child = start("exec pollux run plan.siddhi --in Logins=- --timestamp time", to_pollux[0],
                      from_pollux[1]);
  ::close(to_pollux[0]);
  ::close(from_pollux[1]);
  for (int i = 0; i < 3; ++i) {
    std::string row = std::to_string(i) + ",u" + std::to_string(i) + ",false\n";
    ASSERT_EQ(::write(to_pollux[1], row.data(), row.size()), static_cast<ssize_t>(row.size()));
    // Its result is there before the next row is written: this read would else never end.
    std::string line;
    char c = 0;
    while (c != '\n' && ::read(from_pollux[0], &c, 1) == 1) line += c;
    EXPECT_NE(line.find("{\"user\":\"u" + std::to_string(i) + "\"}}\n"), std::string::npos) << line;
  }
  ::close(to_pollux[1]);
  EXPECT_EQ(finish(child).exit_code, 0);
  ::close(from_pollux[0]);
}

// ---- errors ----

TEST_F(PolluxRunTest, ABadRowEndsTheRunWithWhatCameBeforeItDone) {
  write("bad.csv", "1000,ann,false\n2000,bob,perhaps\n3000,dan,false\n");
  ShellResult run = shell("pollux run plan.siddhi --in Logins=bad.csv --timestamp time");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(lines_of(run.out).size(), 1u);
  EXPECT_EQ(run.err,
            "bad.csv:2: ok: \"perhaps\" is not of type bool (true or false)\n"
            "1 event in, 1 result out, 1 error (1 wrong type)\n");
}

TEST_F(PolluxRunTest, SkipGoesOnAndCounts) {
  write("bad.csv",
        "1000,ann,false\n2000,bob\n3000,x,99\nx\xFF,y,true\n4000,dan,false\n\"5000,a,b\n");
  ShellResult run =
      shell("pollux run plan.siddhi --in Logins=bad.csv --timestamp time --on-error skip");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(lines_of(run.out).size(), 2u);
  Texts said = lines_of(run.err);
  ASSERT_EQ(said.size(), 5u) << run.err;
  EXPECT_TRUE(said[0].starts_with("bad.csv:2: 2 fields, expected 3"));
  EXPECT_EQ(said[4],
            "2 events in, 2 results out, 4 errors (1 short row, 1 wrong type, 1 broken UTF-8, "
            "1 bad quote)");
}

TEST_F(PolluxRunTest, OnlyTheFirstErrorsArePrinted) {
  ShellResult run = shell(
      "yes x | head -n 1000 | pollux run plan.siddhi --in Logins=- --timestamp time "
      "--on-error skip");
  EXPECT_EQ(run.exit_code, 0);
  Texts said = lines_of(run.err);
  ASSERT_EQ(said.size(), 22u);
  EXPECT_EQ(said[21], "no events in, no results out, 1,000 errors (1,000 short row)");
}

TEST_F(PolluxRunTest, ALineOfAGigabyteIsAnErrorAndTakesNoMemory) {
  for (std::string row : {"3000,eve,false", R"({\"time\":3000,\"user\":\"eve\",\"ok\":false})"}) {
    ShellResult run = shell(
        "{ head -c 1G /dev/zero | tr '\\0' x; echo; echo \"" + row +
        "\"; } | pollux run plan.siddhi --in Logins=- --timestamp time --on-error skip --format " +
        (row.starts_with("{") ? "jsonl" : "csv"));
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(lines_of(run.out).size(), 1u);
    EXPECT_TRUE(run.err.starts_with("stdin:1: longer than 1048576 bytes\n")) << run.err;
    EXPECT_LT(run.memory_kib, 600 * 1024);
  }
}

TEST_F(PolluxRunTest, AllOptionsThatDoNotFitThePlanAreReportedWithHints) {
  ShellResult run = shell("pollux run plan.siddhi --in Login=logins.csv --out Alert");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.err,
            "--in Login=logins.csv: the plan defines no stream Login; did you mean Logins?\n"
            "--out Alert: no query of the plan inserts into Alert; did you mean Alerts?\n");
  EXPECT_EQ(shell("pollux run plan.siddhi").exit_code, 1);
  EXPECT_EQ(shell("pollux run plan.siddhi --in Logins=logins.csv --advance soon").exit_code, 1);
  EXPECT_EQ(shell("pollux run plan.siddhi --in Logins=logins.csv --batch 0").exit_code, 1);
  EXPECT_EQ(shell("pollux run plan.siddhi --in Logins=logins.csv --format xml").exit_code, 1);
}

TEST_F(PolluxRunTest, FilesThatCannotBeReadAreToldApartFromTheirContent) {
  ShellResult run = shell("pollux run plan.siddhi --in Logins=none.csv");
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_EQ(run.err, "none.csv: cannot open: No such file or directory\n");
  EXPECT_EQ(shell("pollux run none.siddhi --in Logins=logins.csv").exit_code, 4);
  EXPECT_EQ(shell("mkdir d; pollux run plan.siddhi --in Logins=d").exit_code, 4);
}

TEST_F(PolluxRunTest, AHeaderThatLacksAnAttributeIsBadInput) {
  write("part.csv", "user,ok\nann,true\n");
  ShellResult run = shell("pollux run plan.siddhi --in Logins=part.csv --on-error skip");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_TRUE(run.err.starts_with(
      "part.csv:1: time: the header lacks this column; --set Logins.time=VALUE gives it"))
      << run.err;
}

TEST_F(PolluxRunTest, RowsWithoutTimesAreSaidToBeAMillisecondApart) {
  ShellResult run = shell("pollux run plan.siddhi --in Logins=logins.csv");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_TRUE(run.err.starts_with("note: logins.csv has no event times")) << run.err;
  EXPECT_NE(run.out.find("\"timestamp\":4,"), std::string::npos);
}

TEST_F(PolluxRunTest, AReaderThatGoesAwayEndsTheRunQuietly) {
  ShellResult run = shell(
      "yes 1000,ann,false | pollux run plan.siddhi --in Logins=- --timestamp time | head -n 1;"
      "echo ${PIPESTATUS[1]}");
  Texts lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1], "0");
  EXPECT_EQ(run.err.find("pollux"), std::string::npos) << run.err;
}

TEST_F(PolluxRunTest, AFullDiskIsAnError) {
  ShellResult run =
      shell("pollux run plan.siddhi --in Logins=logins.csv --timestamp time > /dev/full");
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_TRUE(run.err.starts_with("standard output: cannot write: No space left on device"))
      << run.err;
}

// ---- plans ----

constexpr const char* kWrongPlan = R"(@app:name('Wrong')
define stream Logins (time long, user string, ok bool);
from Login select user insert into A;
from Logins[usr == 'x'] select user insert into B;
from Logins[user > 5] select user insert into C;
from Logins#window.lenght(5) select user insert into D;
from Logins select summ(time) as total insert into E;
)";

TEST_F(PolluxRunTest, AllMistakesOfAPlanAreReportedAtOnce) {
  write("wrong.siddhi", kWrongPlan);
  for (std::string command :
       {"pollux run wrong.siddhi --in Logins=logins.csv", "pollux plan validate wrong.siddhi"}) {
    ShellResult run = shell(command);
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_TRUE(run.out.empty());
    Texts said = lines_of(run.err);
    ASSERT_EQ(said.size(), 5u) << run.err;
    const Texts places = {"3:6", "4:13", "5:", "6:", "7:"};
    const Texts hints = {"Logins", "user", "", "length", "sum"};
    for (size_t i = 0; i < 5; ++i) {
      EXPECT_TRUE(said[i].starts_with("wrong.siddhi:" + places[i])) << said[i];
      EXPECT_NE(said[i].find(" error: "), std::string::npos) << said[i];
      EXPECT_NE(said[i].find(hints[i], said[i].find("error")), std::string::npos) << said[i];
    }
  }
}

TEST_F(PolluxRunTest, ParametersComeFromTheCommandLine) {
  write("set.siddhi",
        "define stream S (a int);\nfrom S[a > ${least}] select a insert into ${out:O};");
  write("s.csv", "a\n1\n5\n");
  ShellResult missing = shell("pollux plan validate set.siddhi");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_NE(missing.err.find("set.siddhi:2:12: error: parameter 'least' has no value"),
            std::string::npos)
      << missing.err;
  EXPECT_EQ(shell("pollux plan validate set.siddhi --set least=1").exit_code, 0);
  EXPECT_EQ(shell("pollux plan validate set.siddhi --set least").exit_code, 1);
  EXPECT_EQ(shell("pollux run set.siddhi --in S=s.csv").exit_code, 2);
  ShellResult run = shell(
      "pollux run set.siddhi --in S=s.csv --param least=9 --param least=2 "
      "--param out=Found");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(lines_of(run.out).size(), 1u);
  EXPECT_NE(run.out.find("\"stream\":\"Found\""), std::string::npos);
}

TEST_F(PolluxRunTest, PlansOfAnOlderDialectAreTakenWhenItIsNamed) {
  write("old.siddhi",
        "define stream S (a int);\nfrom S#window.lengthBatch(2) select a "
        "insert all raw events into O;");
  write("s.csv", "a\n1\n5\n");
  EXPECT_EQ(shell("pollux plan validate old.siddhi").exit_code, 2);
  EXPECT_EQ(shell("pollux plan validate old.siddhi --dialect 3.1").exit_code, 0);
  EXPECT_EQ(shell("pollux plan validate old.siddhi --dialect 2").exit_code, 1);
  EXPECT_EQ(shell("pollux run old.siddhi --in S=s.csv").exit_code, 2);
  ShellResult run = shell("pollux run old.siddhi --in S=s.csv --dialect 3.1");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(lines_of(run.out).size(), 2u) << run.out;
}

TEST_F(PolluxRunTest, ValidateTakesSeveralFilesAndSpeaksJson) {
  write("wrong.siddhi", kWrongPlan);
  ShellResult good = shell("pollux plan validate plan.siddhi");
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_EQ(good.out, "plan.siddhi: ok\n");
  ShellResult run = shell("pollux plan validate --json plan.siddhi wrong.siddhi none.siddhi");
  EXPECT_EQ(run.exit_code, 2);
  Texts lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], R"({"file":"plan.siddhi","valid":true,"diagnostics":[]})");
  simdjson::dom::parser parser;
  simdjson::dom::element wrong = parser.parse(lines[1]);
  EXPECT_EQ(simdjson::dom::array(wrong["diagnostics"]).size(), 5u);
  EXPECT_EQ(int64_t(wrong["diagnostics"].at(0)["line"]), 3);
  EXPECT_NE(lines[2].find("\"error\":\"none.siddhi: cannot open"), std::string::npos);
  EXPECT_EQ(shell("pollux plan validate none.siddhi").exit_code, 4);
}

TEST_F(PolluxRunTest, HelpAndVersionAreAtHand) {
  EXPECT_TRUE(shell("pollux --version").out.starts_with("pollux "));
  for (std::string help : {"pollux --help", "pollux run --help", "pollux plan validate --help"}) {
    ShellResult run = shell(help);
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_NE(run.out.find("Example"), std::string::npos) << help;
  }
  EXPECT_EQ(shell("pollux").exit_code, 1);
  EXPECT_EQ(shell("pollux fly").exit_code, 1);
}

// ---- recorded logins ----

TEST_F(PolluxRunTest, StatisticsOfRecordedLoginsAddUpToTheKnownNumbers) {
  const std::string data = std::string(POLLUX_SHARED_BESIDE_SOURCE) + "/data/auth-events.csv";
  if (!std::filesystem::exists(data)) {
    GTEST_SKIP() << "no recorded logins: " << data << " is not there";
  }
  ShellResult run = shell("pollux run " POLLUX_SOURCE_DIR
                          "/conf/plans/login-statistics.siddhi"
                          " --in OverallAuthentication=" +
                          data + " --set OverallAuthentication.meta_tenantId=-1234");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  std::map<std::string, int64_t> sums;
  simdjson::dom::parser parser;
  for (const std::string& line : lines_of(run.out)) {
    simdjson::dom::element row = parser.parse(line);
    std::string_view stream = row["stream"];
    simdjson::dom::element fields = row["data"];
    std::string_view type = fields["identityProviderType"];
    int64_t successes = fields["authSuccessCount"];
    int64_t failures = fields["authFailureCount"];
    if (stream == "AuthStatPerMinute") {
      sums[std::string(type)] += successes + failures;
    } else if (stream == "UserAuthStatPerMinute" && type == "FEDERATED") {
      std::string_view user = fields["username"];
      sums[std::string(user)] += successes;
    }
  }
  EXPECT_EQ(sums["FEDERATED"], 11'175);
  EXPECT_EQ(sums["LOCAL"], 3'373);
  EXPECT_EQ(sums["Sarah"], 971);
}

}  // namespace
}  // namespace pollux
