// The subcommands that talk to a server, against the real polluxd.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/shell_testing.h"

namespace pollux {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* kPlan = R"(@app:name('Guess')
define stream Logins (user string, ok bool);
define table Offenders (user string, failures long);
from Logins[ok == false] select user insert into Alerts;
from Logins[ok == false] select user, 1L as failures insert into Offenders;
)";

class PolluxClientTest : public ShellTest {
 protected:
  void SetUp() override {
    ShellTest::SetUp();
    write("guess.siddhi", kPlan);
    write("logins.csv", "user,ok\nann,false\nbob,true\n\"c,d\",false\n");
    write("pollux.yaml", "http:\n  port: 0\ngrpc:\n  port: 0\nlog:\n  file: log\n  format: json\n");
    daemon_ = start("exec polluxd --config pollux.yaml 2> daemon.err");
    ASSERT_TRUE(find_port());
    ::setenv("POLLUX_SERVER", ("http://127.0.0.1:" + port_).c_str(), 1);
  }
  void TearDown() override {
    if (daemon_ > 0) {
      ::kill(daemon_, SIGKILL);
      ::waitpid(daemon_, nullptr, 0);
    }
    ::unsetenv("POLLUX_SERVER");
    ShellTest::TearDown();
  }

  /// The log names the ports that the kernel chose; gRPC's is asked of the server.
  bool find_port() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    simdjson::dom::parser parser;
    while (std::chrono::steady_clock::now() < deadline) {
      const std::string log = read("log");
      const bool all = log.find("listening for gRPC") != std::string::npos;
      for (const std::string& line : lines_of(log)) {
        simdjson::dom::element entry;
        uint64_t port = 0;
        if (all && line.find("listening for HTTP") != std::string::npos &&
            parser.parse(line).get(entry) == simdjson::SUCCESS &&
            entry["port"].get(port) == simdjson::SUCCESS) {
          port_ = std::to_string(port);
          return true;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "polluxd names no port: " << read("log") << read("daemon.err");
    return false;
  }
  void deploy() const {
    ShellResult run = shell("pollux plan deploy guess.siddhi");
    ASSERT_EQ(run.exit_code, 0) << run.err;
  }

 private:
  pid_t daemon_ = -1;
  std::string port_;
};

TEST_F(PolluxClientTest, APlanIsDeployedShownReplacedAndRemoved) {
  ShellResult run = shell("pollux plan deploy guess.siddhi");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_TRUE(run.out.starts_with("Guess: deployed at ")) << run.out;
  EXPECT_EQ(shell("pollux plan deploy guess.siddhi").exit_code, 6);
  EXPECT_TRUE(
      shell("pollux plan deploy guess.siddhi --replace").out.starts_with("Guess: unchanged"));
  ShellResult edited = shell(
      "sed 's/define table Offenders/define table More (user string); &/' guess.siddhi > "
      "more.siddhi;"
      "pollux plan deploy more.siddhi --name Guess --replace");
  EXPECT_TRUE(edited.out.starts_with("Guess: replaced")) << edited.out << edited.err;
  EXPECT_NE(edited.out.find("keeps its state: "), std::string::npos) << edited.out << edited.err;
  EXPECT_NE(edited.out.find("table Offenders"), std::string::npos) << edited.out;
  EXPECT_NE(edited.out.find("begins without: table More"), std::string::npos) << edited.out;
  ShellResult persisted = shell("pollux plan persist Guess");
  EXPECT_EQ(persisted.exit_code, 0) << persisted.err;
  EXPECT_NE(persisted.out.find("of state at"), std::string::npos) << persisted.out;
  EXPECT_NE(persisted.out.find("/-1234/Guess/"), std::string::npos) << persisted.out;
  EXPECT_EQ(shell("pollux plan persist Nothing").exit_code, 1);
  EXPECT_NE(shell("pollux plan list").out.find("Guess"), std::string::npos);
  EXPECT_NE(shell("pollux plan show Guess").out.find("define table Offenders"), std::string::npos);
  EXPECT_EQ(shell("pollux plan undeploy Guess").out, "Guess: undeployed\n");
  EXPECT_EQ(shell("pollux plan show Guess").exit_code, 1);
  EXPECT_EQ(shell("pollux plan list").out, "no plans\n");
}

TEST_F(PolluxClientTest, MistakesOfAPlanAreToldAsValidateTellsThem) {
  write("wrong.siddhi",
        "@app:name('W') define stream S (a int);\nfrom T select a insert into U;\n"
        "from S select b insert into V;\n");
  ShellResult deployed = shell("pollux plan deploy wrong.siddhi");
  EXPECT_EQ(deployed.exit_code, 2);
  EXPECT_EQ(deployed.err, shell("pollux plan validate wrong.siddhi").err);
  ShellResult json = shell("pollux plan deploy wrong.siddhi --json");
  EXPECT_EQ(json.exit_code, 2);
  EXPECT_NE(json.out.find("\"diagnostics\""), std::string::npos) << json.out;
}

TEST_F(PolluxClientTest, WhatIsSentOnBothWaysComesOutOfTailAndQuery) {
  deploy();
  for (std::string way : {"", " --http"}) {
    ShellResult sent = shell("pollux send Logins logins.csv --json --batch 2" + way);
    ASSERT_EQ(sent.exit_code, 0) << sent.err;
    simdjson::dom::parser parser;
    simdjson::dom::element summary = parser.parse(sent.out);
    EXPECT_EQ(uint64_t(summary["sent"]), 3u);
    EXPECT_EQ(uint64_t(summary["acked"]), 3u);
    EXPECT_EQ(uint64_t(summary["duplicates"]), 0u);
  }
  ShellResult tail = shell("pollux tail Alerts --from oldest --limit 4 --seconds 20");
  EXPECT_EQ(tail.exit_code, 0) << tail.err;
  Texts lines = lines_of(tail.out);
  ASSERT_EQ(lines.size(), 4u) << tail.out;
  EXPECT_NE(lines[1].find(R"("data":{"user":"c,d"})"), std::string::npos) << lines[1];
  simdjson::dom::parser parser;
  simdjson::dom::element third = parser.parse(lines[2]);
  const std::string id{std::string_view(third["id"])};
  ShellResult rest = shell("pollux tail Alerts --limit 1 --seconds 20 --after " + id);
  EXPECT_EQ(lines_of(rest.out), Texts{lines[3]});

  ShellResult csv = shell("pollux query 'from Offenders select user, failures' --csv");
  EXPECT_EQ(csv.out, "user,failures\nann,1\n\"c,d\",1\nann,1\n\"c,d\",1\n") << csv.err;
  ShellResult table = shell("pollux query 'from Offenders select user, failures'");
  EXPECT_TRUE(table.out.starts_with("user  failures\nann          1\n")) << table.out;
  EXPECT_EQ(table.err, "4 rows\n");
  EXPECT_EQ(shell("pollux query 'from Offenders selec user'").exit_code, 2);
}

TEST_F(PolluxClientTest, ASecondRunUnderTheSameNameCountsNothingTwice) {
  deploy();
  const std::string send = "pollux send Logins logins.csv --batch 1 --producer day1";
  EXPECT_EQ(shell(send).exit_code, 0);
  ShellResult again = shell(send);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(again.out.starts_with("3 events sent, 3 acked, 3 duplicates, 0 refused, no errors; "))
      << again.out;
  EXPECT_EQ(lines_of(shell("pollux query 'from Offenders select user' --csv").out).size(), 3u);
}

TEST_F(PolluxClientTest, EachAcknowledgementIsToldWhenThatIsAskedFor) {
  deploy();
  for (std::string way : {"", " --http"}) {
    const std::string send =
        "pollux send Logins logins.csv --batch 2 --acks --json" + way + " --producer day1";
    for (bool duplicate : {false, true}) {
      ShellResult sent = shell(send + (way.empty() ? "" : "-again"));
      ASSERT_EQ(sent.exit_code, 0) << sent.err;
      Texts lines = lines_of(sent.out);
      ASSERT_EQ(lines.size(), 3u) << sent.out;  // the last one is the summary
      simdjson::dom::parser parser;
      uint64_t position = 0;
      for (uint64_t batch : {1, 2}) {
        simdjson::dom::element ack = parser.parse(lines[batch - 1]);
        EXPECT_EQ(uint64_t(ack["batch"]), batch);
        EXPECT_EQ(uint64_t(ack["events"]), batch == 1 ? 2u : 1u);
        EXPECT_EQ(bool(ack["duplicate"]), duplicate);
        EXPECT_EQ(uint64_t(ack["epoch"]), 1u);
        // Of a duplicate the server knows that it stands at that entry or before.
        EXPECT_GE(uint64_t(ack["position"]), position + (duplicate ? 0 : 1));
        position = uint64_t(ack["position"]);
      }
      simdjson::dom::element summary = parser.parse(lines[2]);
      EXPECT_EQ(uint64_t(summary["acked"]), 3u);
    }
  }
}

TEST_F(PolluxClientTest, BadRowsStopOrAreSkipped) {
  deploy();
  write("bad.csv", "user,ok\nann,false\nbob,perhaps\ncem,false\n");
  ShellResult stopped = shell("pollux send Logins bad.csv");
  EXPECT_EQ(stopped.exit_code, 3);
  EXPECT_TRUE(stopped.err.starts_with("bad.csv:3: ok: \"perhaps\"")) << stopped.err;
  EXPECT_TRUE(stopped.out.starts_with("1 event sent, 1 acked")) << stopped.out;
  ShellResult skipped = shell("pollux send Logins bad.csv --on-error skip");
  EXPECT_EQ(skipped.exit_code, 0) << skipped.err;
  EXPECT_TRUE(skipped.out.starts_with("2 events sent, 2 acked")) << skipped.out;
}

TEST_F(PolluxClientTest, StatusShowsTheNodeAndItsPlans) {
  deploy();
  ShellResult run = shell("pollux status");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out.find("gRPC on port "), std::string::npos);
  EXPECT_NE(run.out.find("\nGuess "), std::string::npos) << run.out;
  simdjson::dom::parser parser;
  ShellResult json = shell("pollux status --json");
  simdjson::dom::element document = parser.parse(json.out);
  EXPECT_EQ(simdjson::dom::array(document["plans"]).size(), 1u);
}

TEST_F(PolluxClientTest, WhatIsUnknownIsSaidAndEndsWithOne) {
  for (std::string command :
       {"pollux send Nothing logins.csv", "pollux tail Nothing", "pollux plan undeploy Nothing",
        "pollux query 'from Nothing select a'"}) {
    ShellResult run = shell(command);
    EXPECT_EQ(run.exit_code, 1) << command << run.err;
    EXPECT_NE(run.err.find("Nothing"), std::string::npos) << run.err;
  }
}

// ---- without a server ----

class PolluxAloneTest : public ShellTest {};

TEST_F(PolluxAloneTest, AServerThatCannotBeReachedIsNamed) {
  write("a.csv", "1\n");
  write("p.siddhi", "define stream S (a int); from S select a insert into T;");
  for (std::string command : {"status", "plan list", "plan deploy p.siddhi", "send S a.csv",
                              "send S a.csv --http", "tail S", "query 'from T select a'"}) {
    // Port 1 is reserved: nobody listens there.
    ShellResult run = shell("pollux " + command + " --server 127.0.0.1:1");
    EXPECT_EQ(run.exit_code, 5) << command << run.err;
    EXPECT_NE(run.err.find("http://127.0.0.1:1/"), std::string::npos) << run.err;
    EXPECT_NE(run.err.find("Is polluxd running"), std::string::npos) << run.err;
  }
}

TEST_F(PolluxAloneTest, BashCompletesCommandsOptionsAndValues) {
  auto complete = [&](const std::string& words) {
    return shell("source <(pollux completion bash); COMP_WORDS=(" + words +
                 "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _pollux; echo \"${COMPREPLY[@]}\"")
        .out;
  };
  EXPECT_EQ(complete("pollux sta"), "status state\n");
  EXPECT_EQ(complete("pollux plan de"), "deploy\n");
  EXPECT_EQ(complete("pollux plan deploy --rep"), "--replace\n");
  EXPECT_EQ(complete("pollux send --format js"), "jsonl\n");
  EXPECT_EQ(complete("pollux completion f"), "fish\n");
}

TEST_F(PolluxAloneTest, EachCommandHasAnExample) {
  for (std::string command : {"status", "send", "tail", "query", "completion", "plan list",
                              "plan deploy", "plan show", "plan persist", "plan undeploy"}) {
    ShellResult run = shell("pollux " + command + " --help");
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_NE(run.out.find("Example"), std::string::npos) << command;
  }
}

}  // namespace
}  // namespace pollux
