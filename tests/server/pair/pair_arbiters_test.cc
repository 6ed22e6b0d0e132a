// A pair whose arbiter is a database or etcd, from the table that an operator makes to a failover.
#include "tests/server/pair/pair_testing.h"
#include "tests/support/etcd_server.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/postgres_server.h"

namespace pollux {
namespace {

class PairArbitersTest : public PairProcessTest {
 protected:
  /// The passive takes over from an active that is killed, and the killed one comes back.
  void expect_failover(const std::string& arbiter) {
    const std::string variables = "POLLUX__PAIR__ARBITER=" + arbiter + " " + password_;
    Member& first = start_pair(variables);
    deploy(first, kSums);
    ASSERT_EQ(send(first, R"({"user":"ann","n":1})"), 200);
    kill_member(first);
    Member& second = other(first);
    ASSERT_TRUE(becomes_true([&] { return is_ready(second); })) << read(second.log);
    ASSERT_EQ(send(second, R"({"user":"ann","n":1})"), 200);
    EXPECT_NE(results(second, "Totals", 2).find("\"total\":2"), std::string::npos);
    start_member(first, variables);
    EXPECT_EQ(&wait_for_pair(), &second);
  }
  ShellResult create_table(const std::string& arbiter) {
    return shell("env POLLUX__PAIR__ARBITER=" + arbiter + " " + password_ +
                 "pollux arbiter create-table");
  }
  static std::string place_of(uint16_t port) {
    return "pollux@127.0.0.1:" + std::to_string(port) + "/pollux";
  }

  const std::string password_ = "POLLUX__PAIR__ARBITER_PASSWORD=secret ";
};

TEST_F(PairArbitersTest, PostgreSql) {
  PostgresServer server;
  ASSERT_TRUE(server.start());
  server.run("CREATE USER pollux PASSWORD 'secret'");
  server.run("CREATE DATABASE pollux OWNER pollux");
  const std::string arbiter = "postgresql://" + place_of(server.port());
  ASSERT_EQ(create_table(arbiter).exit_code, 0);
  ASSERT_EQ(create_table(arbiter).exit_code, 0) << "the table is there";
  expect_failover(arbiter);
}

TEST_F(PairArbitersTest, MySql) {
  MariadbServer server;
  ASSERT_TRUE(server.start());
  server.run("CREATE DATABASE pollux");
  server.run("CREATE USER pollux@127.0.0.1 IDENTIFIED BY 'secret'");
  server.run("GRANT CREATE, SELECT, INSERT, UPDATE ON pollux.* TO pollux@127.0.0.1");
  const std::string arbiter = "mysql://" + place_of(server.port());
  ASSERT_EQ(create_table(arbiter).exit_code, 0);
  expect_failover(arbiter);
}

TEST_F(PairArbitersTest, Etcd) {
  EtcdServer server;
  ASSERT_TRUE(server.start());
  const std::string arbiter = "etcd:http://127.0.0.1:" + std::to_string(server.port());
  EXPECT_EQ(create_table(arbiter).exit_code, 1) << "there are no tables in etcd";
  expect_failover(arbiter);
}

TEST_F(PairArbitersTest, ATableThatIsMissingIsToldWithWhatMakesIt) {
  PostgresServer server;
  ASSERT_TRUE(server.start());
  server.run("CREATE USER pollux PASSWORD 'secret'");
  server.run("CREATE DATABASE pollux OWNER pollux");
  start_member(a(),
               "POLLUX__PAIR__ARBITER=postgresql://" + place_of(server.port()) + " " + password_);
  EXPECT_TRUE(logged("pollux arbiter create-table", a().log));
}

}  // namespace
}  // namespace pollux
