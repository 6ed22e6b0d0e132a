// What polluxd needs to start: ports and a folder of its own; and that it says which it lacks.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "tests/server/daemon/daemon_testing.h"

namespace pollux {
namespace {

using DataDirTest = DaemonTest;

/// A port of the kernel's choice that is in use as long as this stands.
class UsedPort {
 public:
  UsedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof(address);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), bytes), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    port_ = ntohs(address.sin_port);
  }
  ~UsedPort() { ::close(fd_); }
  std::string text() const { return std::to_string(port_); }
  uint16_t number() const { return port_; }

 private:
  int fd_;
  uint16_t port_ = 0;
};

TEST_F(DataDirTest, APortInUseEndsItWithThePort) {
  UsedPort used;
  std::filesystem::create_directory(path("plans"));
  write("plans/p.siddhi", "define stream S (a int); from S select a insert into T;");
  std::string log = failing_polluxd("POLLUX__PLANS_DIR=plans POLLUX__HTTP__PORT=" + used.text());
  EXPECT_NE(log.find("127.0.0.1:" + used.text()), std::string::npos) << log;
  EXPECT_NE(log.find("in use"), std::string::npos) << log;
  EXPECT_EQ(log.find("have passed the plans"), std::string::npos) << log;
  log = failing_polluxd("POLLUX__GRPC__PORT=" + used.text());
  EXPECT_NE(log.find(used.text()), std::string::npos) << log;
}

TEST_F(DataDirTest, AFolderThatCannotBeMadeOrWrittenEndsItWithThePath) {
  write("file", "");
  std::string log = failing_polluxd("POLLUX__DATA_DIR=file/data");
  EXPECT_NE(log.find("file/data"), std::string::npos) << log;
  log = failing_polluxd("POLLUX__DATA_DIR=file");
  EXPECT_NE(log.find("file"), std::string::npos) << log;
  log = failing_polluxd("POLLUX__DATA_DIR=/proc/nothing");
  EXPECT_NE(log.find("/proc/nothing"), std::string::npos) << log;
  log = failing_polluxd("POLLUX__PLANS_DIR=missing");
  EXPECT_NE(log.find("missing"), std::string::npos) << log;
}

TEST_F(DataDirTest, AFolderOfAnotherUserEndsItWithThePath) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: only root can become another user";
  ASSERT_EQ(shell("mkdir -m 755 theirs && chmod 755 .").exit_code, 0);
  ASSERT_EQ(shell("cp \"$(command -v polluxd)\" . && chmod 755 polluxd").exit_code, 0);
  ShellResult run = shell(std::string("runuser -u nobody -- env POLLUX__HTTP__PORT=0 ") +
                          kVariables + "POLLUX__DATA_DIR=theirs timeout 20 ./polluxd");
  EXPECT_EQ(run.exit_code, 2) << run.err;
  EXPECT_NE(run.err.find("theirs"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("Permission denied"), std::string::npos) << run.err;
}

TEST_F(DataDirTest, AFolderInUseIsLeftAlone) {
  start_polluxd();
  std::string base = base_url();
  std::string log = failing_polluxd("");
  EXPECT_NE(log.find("data"), std::string::npos) << log;
  EXPECT_NE(log.find("another process has the data directory"), std::string::npos) << log;
  EXPECT_EQ(get(base + "/readyz"), "ok\n");
}

TEST_F(DataDirTest, AFullDiskEndsItWithThePath) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: only root can mount a small disk";
  ASSERT_EQ(shell("mkdir full").exit_code, 0);
  if (::mount("tmpfs", path("full").c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "NOT TESTED: no disk can be mounted here: " << ::strerror(errno);
  }
  ShellResult filled = shell("dd if=/dev/zero of=full/filler bs=4k 2>/dev/null");
  std::string log = failing_polluxd("POLLUX__DATA_DIR=full");
  EXPECT_NE(log.find("full"), std::string::npos) << log;
  EXPECT_NE(log.find("No space left on device"), std::string::npos) << log;
  // Room for the epoch, but not for the stores.
  EXPECT_EQ(shell("truncate -s -8192 full/filler").exit_code, 0);
  log = failing_polluxd("POLLUX__DATA_DIR=full");
  EXPECT_NE(log.find("No space left on device"), std::string::npos) << log;
  EXPECT_EQ(::umount(path("full").c_str()), 0) << ::strerror(errno);
}

TEST_F(DataDirTest, NoTwoStartsShareAnEpoch) {
  int64_t last = 0;
  for (int signal : {SIGTERM, SIGKILL, SIGKILL, SIGTERM}) {
    std::filesystem::remove(path("log"));
    pid_t child = start_polluxd();
    int64_t epoch = number_in(get(base_url() + "/v1/node"), "epoch");
    EXPECT_GT(epoch, last);
    last = epoch;
    end(child, signal);
  }
  // Two at once: one of them runs, and its epoch is its own.
  pid_t first = start_polluxd("", "log1");
  pid_t second = start_polluxd("", "log2");
  int ended = 0;
  ASSERT_TRUE(becomes_true([&] { return (ended = ::waitpid(-1, nullptr, WNOHANG)) > 0; }));
  std::string log = ended == first ? "log2" : "log1";
  EXPECT_TRUE(ended == first || ended == second);
  EXPECT_GT(number_in(get(base_url(log) + "/v1/node"), "epoch"), last);
}

TEST_F(DataDirTest, AnOffsetMovesBothPorts) {
  uint16_t http = 0;
  uint16_t grpc = 0;
  {
    UsedPort one;
    UsedPort other;
    http = one.number();
    grpc = other.number();
  }
  start_polluxd("POLLUX__PORT_OFFSET=7 POLLUX__HTTP__PORT=" + std::to_string(http - 7) +
                " POLLUX__GRPC__PORT=" + std::to_string(grpc - 7));
  EXPECT_EQ(base_url(), "http://127.0.0.1:" + std::to_string(http));
  EXPECT_EQ(logged_number("listening for gRPC", "port="), grpc);
  std::string node = get(base_url() + "/v1/node");
  EXPECT_EQ(number_in(node, "http_port"), http);
  EXPECT_EQ(number_in(node, "grpc_port"), grpc);
}

}  // namespace
}  // namespace pollux
