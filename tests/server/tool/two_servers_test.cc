// The subcommands that are told of two servers; each polluxd here stands alone.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

#include "server/http/http_server.h"
#include "tests/server/daemon/daemon_testing.h"

namespace pollux {
namespace {

/// Port 1 is reserved: nobody listens there.
constexpr const char* kNobody = "127.0.0.1:1";

class TwoServersTest : public DaemonTest {
 protected:
  void SetUp() override {
    DaemonTest::SetUp();
    write("guess.siddhi",
          "@app:name('Guess') define stream Logins (user string);"
          "define table Users (user string);"
          "from Logins select user insert into Known;"
          "from Logins select user insert into Users;");
    write("logins.csv", "ann\nbob\n");
  }

  struct Server {
    pid_t child;
    std::string url;
    std::string port() const { return url.substr(url.rfind(':') + 1); }
  };
  Server start_with_plan(const std::string& name) {
    const pid_t child = start_polluxd("POLLUX__DATA_DIR=" + name, name + ".log");
    Server server{child, base_url(name + ".log")};
    ShellResult deployed = shell("pollux plan deploy guess.siddhi --server " + server.url);
    EXPECT_EQ(deployed.exit_code, 0) << deployed.err;
    return server;
  }

  /// `pollux send` of what is then written with say(): an event a batch, one batch at a time.
  pid_t start_sending(const std::string& servers) {
    EXPECT_EQ(::mkfifo(path("typed").c_str(), 0600), 0);
    const pid_t sender =
        start("exec pollux send Logins - --batch 1 --window 1 --acks --json --server " + servers +
              " < typed > sent 2> messages");
    // To read too: so it may write when the sender has ended.
    typed_ = ::open(path("typed").c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_GE(typed_, 0);
    return sender;
  }
  void say(const std::string& line) const {
    EXPECT_EQ(::write(typed_, line.data(), line.size()), static_cast<ssize_t>(line.size()));
  }
  void say_no_more() const { ::close(typed_); }
  bool has_events(const Server& server, int64_t count) {
    return becomes_true(
        [&] { return number_in(get(server.url + "/v1/plans/Guess"), "events") == count; });
  }

 private:
  int typed_ = -1;
};

TEST_F(TwoServersTest, OneOfThemMayBeDown) {
  const Server server = start_with_plan("a");
  const int64_t grpc_port = number_in(get(server.url + "/v1/node"), "grpc_port");
  const std::string grpc = std::string(kNobody) + ",127.0.0.1:" + std::to_string(grpc_port);
  const std::string nobody_first = std::string(kNobody) + "," + server.url;
  const std::string nobody_last = server.url + "," + kNobody;
  const std::vector<std::string> commands{"status",
                                          "plan list",
                                          "send Logins logins.csv",
                                          "send Logins logins.csv --http",
                                          "send Logins logins.csv --grpc " + grpc,
                                          "query 'from Users select user'",
                                          "tail Known --from oldest --limit 1 --seconds 20"};
  for (const std::string& servers : {nobody_first, nobody_last}) {
    ::setenv("POLLUX_SERVER", servers.c_str(), 1);
    for (const std::string& command : commands) {
      ShellResult run = shell("pollux " + command);
      EXPECT_EQ(run.exit_code, 0) << command << run.err;
    }
    ::unsetenv("POLLUX_SERVER");
  }
  EXPECT_TRUE(has_events(server, 12));
}

TEST_F(TwoServersTest, AServerThatComesBackOnAnotherPortGetsTheRest) {
  const Server server = start_with_plan("a");
  const pid_t sender = start_sending(kNobody + ("," + server.url));
  say("ann\n");
  ASSERT_TRUE(has_events(server, 1));
  // An acknowledgement is told when it comes, while more is still to be sent.
  ASSERT_TRUE(becomes_true([&] { return number_in(read("sent"), "batch") == 1; })) << read("sent");
  end(server.child, SIGKILL);
  say("bob\n");
  EXPECT_TRUE(becomes_true([&] {
    return read("messages").find("connecting again to") != std::string::npos;
  })) << read("messages");
  start_polluxd("POLLUX__DATA_DIR=a POLLUX__HTTP__PORT=" + server.port(), "again.log");
  say_no_more();
  EXPECT_EQ(finish(sender).exit_code, 0) << read("messages");
  EXPECT_EQ(number_in(read("sent"), "acked"), 2);
  ShellResult users = shell("pollux query 'from Users select user' --csv --server " + server.url);
  EXPECT_EQ(users.out, "user\nann\nbob\n") << users.err;
}

TEST_F(TwoServersTest, AServerThatReadsItsJournalIsWaitedFor) {
  const Server server = start_with_plan("a");
  // Stands before it, and has no port of gRPC at first.
  std::atomic<int> asked = 0;
  Router router;
  auto pass = [&](const HttpRequest& request, const Responder& responder) {
    responder.answer({200, "application/json", get(server.url + request.path)});
  };
  router.add({"GET", "/v1/streams/{stream}", pass});
  router.add({"GET", "/v1/node", [&](const HttpRequest& request, const Responder& responder) {
                if (++asked > 2) return pass(request, responder);
                responder.answer({200, "application/json", R"({"grpc_port":0})"});
              }});
  auto front = HttpServer::start({.threads = 1}, router);
  ASSERT_TRUE(front.ok()) << front.status();
  ShellResult sent =
      shell("pollux send Logins logins.csv --server 127.0.0.1:" + std::to_string((*front)->port()));
  EXPECT_EQ(sent.exit_code, 0) << sent.err;
  EXPECT_NE(sent.err.find("does not take gRPC yet; connecting again"), std::string::npos)
      << sent.err;
  EXPECT_TRUE(has_events(server, 2));
}

TEST_F(TwoServersTest, AServerThatLacksWhatTheOtherAcknowledgedIsRefused) {
  const Server one = start_with_plan("a");
  const Server other = start_with_plan("b");
  const pid_t sender = start_sending(one.url + "," + other.url);
  say("ann\nbob\n");
  // The second is sent when the first has been acknowledged.
  ASSERT_TRUE(has_events(one, 2));
  end(one.child, SIGKILL);
  say("cleo\n");
  say_no_more();
  EXPECT_EQ(finish(sender).exit_code, 6);
  EXPECT_NE(read("messages").find("it has forgotten batches 1 to"), std::string::npos)
      << read("messages");
  EXPECT_EQ(number_in(get(other.url + "/v1/plans/Guess"), "events"), 0);
}

TEST_F(TwoServersTest, ThreeAreTooMany) {
  ShellResult run = shell("pollux status --server a,b,c");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find("expected one or two addresses"), std::string::npos) << run.err;
  EXPECT_EQ(shell("pollux send S a.csv --grpc a:1,b").exit_code, 1);
}

}  // namespace
}  // namespace pollux
