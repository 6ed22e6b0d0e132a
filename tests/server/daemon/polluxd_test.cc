// polluxd as its operator meets it: options, signals, logs, exit codes.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/shell_testing.h"

namespace pollux {
namespace {

using Texts = std::vector<std::string>;

class PolluxdTest : public ShellTest {
 protected:
  // Ports of the kernel's choice: several of these tests run at once.
  static constexpr const char* kPorts = "http:\n  port: 0\ngrpc:\n  port: 0\n";

  void TearDown() override {
    if (daemon_ > 0) {
      ::kill(daemon_, SIGKILL);
      ::waitpid(daemon_, nullptr, 0);
    }
    ShellTest::TearDown();
  }
  void start_daemon(const std::string& arguments) { daemon_ = start("exec polluxd " + arguments); }
  /// Until the log holds `text` so many times, or for ten seconds.
  bool logged(const std::string& text, size_t times = 1, const std::string& file = "log") const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < deadline) {
      const std::string log = read(file);
      size_t found = 0;
      for (size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1))
        ++found;
      if (found >= times) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    ADD_FAILURE() << "no " << text << " in " << read(file) << read(".err");
    return false;
  }
  ShellResult end_daemon(int signal) {
    ::kill(daemon_, signal);
    ShellResult result = finish(daemon_);
    daemon_ = -1;
    return result;
  }
  pid_t daemon() const { return daemon_; }

 private:
  pid_t daemon_ = -1;
};

TEST_F(PolluxdTest, SigtermAndSigintStopItCleanly) {
  write("pollux.yaml", std::string(kPorts) + "node:\n  name: castor\nlog:\n  file: log\n");
  for (int signal : {SIGTERM, SIGINT}) {
    std::filesystem::remove(path("log"));
    start_daemon("--config pollux.yaml");
    ASSERT_TRUE(logged("polluxd started node=castor pid=" + std::to_string(daemon())));
    ShellResult run = end_daemon(signal);
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_EQ(run.out + run.err, "");
    EXPECT_NE(read("log").find("polluxd stopped"), std::string::npos);
  }
}

TEST_F(PolluxdTest, WithoutAFileOfItsOwnTheLogGoesToStandardError) {
  start_daemon("--config /dev/null 2>&1");
  ShellResult run = finish(daemon());
  EXPECT_EQ(run.exit_code, 1) << "a device is no settings file";
  write("pollux.yaml", kPorts);
  start_daemon("--config pollux.yaml");
  ASSERT_TRUE(logged("polluxd started", 1, ".err"));
  EXPECT_EQ(end_daemon(SIGTERM).exit_code, 0);
}

TEST_F(PolluxdTest, SighupTakesReloadableSettingsOverAndNamesTheOthers) {
  const std::string base = std::string(kPorts) + "log:\n  file: log\n";
  write("pollux.yaml", base);
  start_daemon("--config pollux.yaml");
  ASSERT_TRUE(logged("polluxd started"));
  write("pollux.yaml", base + "  format: json\nengine:\n  workers: 3\n");
  ::kill(daemon(), SIGHUP);
  ASSERT_TRUE(logged(R"("msg":"settings reloaded")"));
  const std::string log = read("log");
  const Texts lines = lines_of(log.substr(log.find("{")));  // what came before is text
  ASSERT_EQ(lines.size(), 3u) << log;
  simdjson::dom::parser parser;
  simdjson::dom::element line = parser.parse(lines[0]);
  EXPECT_EQ(std::string_view(line["msg"]), "setting changed");
  EXPECT_EQ(std::string_view(line["key"]), "log.format");
  EXPECT_EQ(std::string_view(line["after"]), "json");
  line = parser.parse(lines[1]);
  EXPECT_EQ(std::string_view(line["msg"]), "setting changes with the next start only");
  EXPECT_EQ(std::string_view(line["key"]), "engine.workers");
  EXPECT_EQ(std::string_view(line["level"]), "warning");

  // What needs a restart is told each time, for it is still not so.
  ::kill(daemon(), SIGHUP);
  ASSERT_TRUE(logged("engine.workers", 2));
  EXPECT_EQ(end_daemon(SIGTERM).exit_code, 0);
}

TEST_F(PolluxdTest, ReloadingWrongSettingsChangesNothing) {
  const std::string base = std::string(kPorts) + "log:\n  file: log\n";
  write("pollux.yaml", base);
  start_daemon("--config pollux.yaml");
  ASSERT_TRUE(logged("polluxd started"));
  write("pollux.yaml", base + "  format: json\n  levle: debug\n");
  ::kill(daemon(), SIGHUP);
  ASSERT_TRUE(logged("nothing was reloaded"));
  EXPECT_TRUE(logged("pollux.yaml:8: log.levle: unknown key; did you mean 'log.level'?"));
  std::filesystem::remove(path("pollux.yaml"));
  ::kill(daemon(), SIGHUP);
  ASSERT_TRUE(logged("nothing was reloaded", 2));
  EXPECT_EQ(read("log").find("{\"ts\""), std::string::npos) << "still text";
  EXPECT_EQ(end_daemon(SIGTERM).exit_code, 0);
}

TEST_F(PolluxdTest, SighupOpensTheLogAnewSoThatItCanBeMovedAway) {
  write("pollux.yaml", std::string(kPorts) + "log:\n  file: log\n");
  start_daemon("--config pollux.yaml");
  ASSERT_TRUE(logged("polluxd started"));
  std::filesystem::rename(path("log"), path("log.1"));
  ::kill(daemon(), SIGHUP);
  ASSERT_TRUE(logged("settings reloaded"));
  EXPECT_TRUE(read("log.1").ends_with("\n"));
  EXPECT_EQ(read("log.1").find("settings reloaded"), std::string::npos);
  EXPECT_EQ(read("log").find("polluxd started"), std::string::npos);

  // A log that cannot be moved stays where it is.
  write("pollux.yaml", std::string(kPorts) + "log:\n  file: missing/log\n");
  ::kill(daemon(), SIGHUP);
  ASSERT_TRUE(logged("the log stays where it was"));
  EXPECT_EQ(end_daemon(SIGTERM).exit_code, 0);
}

TEST_F(PolluxdTest, WrongSettingsAndLogsEndItWithTheirReason) {
  write("pollux.yaml", "http:\n  port: x\n  prot: 1\n");
  for (const char* arguments : {"--config pollux.yaml", "--config pollux.yaml --check"}) {
    ShellResult run = shell(std::string("polluxd ") + arguments);
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_EQ(run.err,
              "pollux.yaml:2: http.port: 'x' is no whole number\n"
              "pollux.yaml:3: http.prot: unknown key; did you mean 'http.port'?\n");
    EXPECT_EQ(run.out, "");
  }
  ShellResult run = shell("POLLUX__LOG__FILE=missing/log polluxd");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err, "log file missing/log cannot be opened: No such file or directory\n");
}

TEST_F(PolluxdTest, CheckHelpVersionAndDefaults) {
  EXPECT_EQ(shell("polluxd --check").out, "ok\n");
  EXPECT_EQ(shell("polluxd --print-defaults > d.yaml && polluxd --config d.yaml --check").out,
            "ok\n");
  EXPECT_TRUE(shell("polluxd --version").out.starts_with("polluxd "));
  const std::string help = shell("polluxd --help").out;
  for (const char* part : {"--config FILE", "SIGHUP", "http.port = 9763", "POLLUX__HTTP__PORT"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part;
  }
  for (const char* wrong : {"--bogus", "--check --print-defaults", "pollux.yaml"}) {
    EXPECT_EQ(shell(std::string("polluxd ") + wrong).exit_code, 1) << wrong;
  }
  EXPECT_EQ(shell("polluxd --print-defaults > /dev/full").exit_code, 2);
}

class PolluxConfigTest : public ShellTest {};

TEST_F(PolluxConfigTest, CheckReportsErrorsAsTextAndJson) {
  write("pollux.yaml", "http:\n  prot: 1\n");
  ShellResult run = shell("pollux config check pollux.yaml");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.err, "pollux.yaml:2: http.prot: unknown key; did you mean 'http.port'?\n");
  run = shell("pollux config check --json pollux.yaml");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.out,
            R"({"valid":false,"errors":[{"place":"pollux.yaml","line":2,"key":"http.prot",)"
            R"("message":"unknown key; did you mean 'http.port'?"}]})"
            "\n");
  run = shell("pollux config check");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out, "ok\n");
}

TEST_F(PolluxConfigTest, ShowTellsWhereEachValueComesFromAndKeepsSecrets) {
  write("pollux.yaml",
        "http:\n  threads: 3\nsinks:\n  - name: hook\n    type: http\n    stream: S\n"
        "    options:\n      url: http://x/\n      header.authorization: hunter2\n");
  ShellResult run = shell("POLLUX__HTTP__PORT=9000 pollux config show pollux.yaml");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Texts lines = lines_of(run.out);
  auto has = [&](const std::string& begin, const std::string& end) {
    for (const std::string& line : lines) {
      if (line.starts_with(begin) && line.ends_with(end)) return true;
    }
    return false;
  };
  EXPECT_TRUE(has("http.threads = 3 ", " (pollux.yaml:2)")) << run.out;
  EXPECT_TRUE(has("http.port = 9000 ", " (POLLUX__HTTP__PORT)")) << run.out;
  EXPECT_TRUE(has("grpc.port = 9873 ", " (default)")) << run.out;
  EXPECT_EQ(
      lines.back(),
      "sinks: hook  type http, stream S, url http://x/, header.authorization ***  (pollux.yaml:4)");

  run = shell("POLLUX__HTTP__PORT=9000 pollux config show --json pollux.yaml");
  EXPECT_EQ(run.out.find("hunter2"), std::string::npos);
  simdjson::dom::parser parser;
  simdjson::dom::element shown = parser.parse(run.out);
  EXPECT_EQ(std::string_view(shown["sinks"].at(0)["options"]["header.authorization"]), "***");
  size_t ports = 0;
  for (simdjson::dom::element setting : shown["settings"].get_array()) {
    if (std::string_view(setting["name"]) != "http.port") continue;
    EXPECT_EQ(std::string_view(setting["value"]), "9000");
    EXPECT_EQ(std::string_view(setting["origin"]), "POLLUX__HTTP__PORT");
    EXPECT_FALSE(bool(setting["reloadable"]));
    ++ports;
  }
  EXPECT_EQ(ports, 1u);
}

}  // namespace
}  // namespace pollux
