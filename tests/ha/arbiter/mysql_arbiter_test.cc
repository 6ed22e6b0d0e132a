// What only MySQL and MariaDB can do to an arbiter.
#include "ha/arbiter/remote/mysql_arbiter.h"

#include <thread>

#include "tests/ha/arbiter/arbiter_testing.h"
#include "tests/support/becomes_true.h"
#include "tests/support/certificates.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/silent_server.h"

namespace pollux {
namespace {

constexpr int64_t kLongMs = 20'000;
constexpr int64_t kShortMs = 700;

MysqlOptions options_of(const MariadbServer& server) {
  MysqlOptions options;
  options.port = server.port();
  options.database = "mysql";
  options.user = "root";
  return options;
}

std::unique_ptr<Arbiter> client(const MysqlOptions& mysql, int64_t timeout_ms = kLongMs) {
  ArbiterOptions options;
  options.domain_name = "pair";
  options.timeout_ms = timeout_ms;
  auto arbiter = make_mysql_arbiter(options, mysql);
  EXPECT_TRUE(arbiter.ok()) << arbiter.status();
  return *std::move(arbiter);
}

/// Tests share a server, of which each has a database of its own.
class MysqlArbiter : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server().start());
    static int databases = 0;
    options_ = options_of(server());
    options_.database = "test" + std::to_string(++databases);
    server().run("CREATE DATABASE " + options_.database);
  }
  void TearDown() override {
    server().run(
        "SET GLOBAL read_only = 0, innodb_flush_log_at_trx_commit = 1, sync_binlog = 1, "
        "rpl_semi_sync_master_enabled = 0, rpl_semi_sync_master_wait_point = AFTER_SYNC");
  }

  static MariadbServer& server() {
    static MariadbServer server({"log-bin=log", "sync-binlog=1", "server-id=1"});
    return server;
  }
  /// Runs a statement in the test's database.
  void run(const std::string& sql) { server().run("USE " + options_.database + "; " + sql); }
  void create_table() {
    absl::Status created = create_mysql_arbiter_table(options_, kLongMs);
    ASSERT_TRUE(created.ok()) << created;
  }
  static void expect_refused(Arbiter& arbiter, absl::StatusCode code, const std::string& what) {
    expect_error(arbiter.read().status(), code, what);
    expect_error(arbiter.compare_and_set(record_of(2)).status(), code, what);
  }

  MysqlOptions options_;
};

TEST_F(MysqlArbiter, WithoutItsTableItNamesTheCommandThatMakesIt) {
  expect_refused(*client(options_), absl::StatusCode::kFailedPrecondition,
                 "pollux arbiter create-table");
}

TEST_F(MysqlArbiter, TheTableIsMadeOnceByHoweverMany) {
  std::vector<std::thread> threads(6);
  for (std::thread& thread : threads) thread = std::thread([&] { create_table(); });
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(client(options_)->compare_and_set(record_of(1)).ok());
  create_table();
  EXPECT_EQ(*client(options_)->read(), record_of(1));
}

TEST_F(MysqlArbiter, ATableOfAnotherEngineIsRefused) {
  create_table();
  run("ALTER TABLE pollux_arbiter ENGINE = MyISAM");
  expect_refused(*client(options_), absl::StatusCode::kFailedPrecondition, "ENGINE=InnoDB");
}

TEST_F(MysqlArbiter, SettingsThatForgetAreRefusedInTheMiddleOfASessionToo) {
  create_table();
  auto arbiter = client(options_);
  ASSERT_TRUE(arbiter->compare_and_set(record_of(1)).ok());
  const std::vector<std::pair<std::string, std::string>> settings = {
      {"innodb_flush_log_at_trx_commit = 2", "innodb_flush_log_at_trx_commit = 2"},
      {"innodb_flush_log_at_trx_commit = 0", "innodb_flush_log_at_trx_commit = 0"},
      {"innodb_flush_log_at_trx_commit = 1, sync_binlog = 0", "sync_binlog = 0"},
      {"sync_binlog = 1, read_only = 1", "read_only"},
  };
  for (const auto& [set, what] : settings) {
    server().run("SET GLOBAL " + set);
    expect_refused(*arbiter, absl::StatusCode::kFailedPrecondition, what);
  }
  server().run("SET GLOBAL read_only = 0");
  EXPECT_EQ(*arbiter->read(), record_of(1));
}

TEST_F(MysqlArbiter, SettingsThatForgetMayBeAccepted) {
  create_table();
  server().run("SET GLOBAL innodb_flush_log_at_trx_commit = 2, sync_binlog = 0");
  options_.accept_forgetful = true;
  EXPECT_TRUE(client(options_)->compare_and_set(record_of(1)).ok());
  server().run("SET GLOBAL read_only = 1");
  EXPECT_FALSE(client(options_)->compare_and_set(record_of(2)).ok());
}

TEST_F(MysqlArbiter, WhatAStandbyMayNotHaveIsNotShownToOthers) {
  create_table();
  server().run(
      "SET GLOBAL rpl_semi_sync_master_enabled = 1, rpl_semi_sync_master_wait_point = "
      "AFTER_COMMIT");
  expect_refused(*client(options_), absl::StatusCode::kFailedPrecondition, "AFTER_SYNC");
}

TEST_F(MysqlArbiter, ACommitWaitsForTheStandby) {
  create_table();
  auto patient = client(options_);
  ASSERT_TRUE(patient->compare_and_set(record_of(1)).ok());
  server().run(
      "SET GLOBAL rpl_semi_sync_master_timeout = 3600000, rpl_semi_sync_master_wait_no_slave = 1, "
      "rpl_semi_sync_master_enabled = 1");
  auto arbiter = client(options_, kShortMs);
  expect_error(ends_in_time(kShortMs, [&] { return arbiter->compare_and_set(record_of(2)); }),
               absl::StatusCode::kDeadlineExceeded, "in time");
  // Reading proves each time that a standby still follows.
  expect_error(ends_in_time(kShortMs, [&] { return arbiter->read(); }),
               absl::StatusCode::kDeadlineExceeded, "in time");
  server().run("SET GLOBAL rpl_semi_sync_master_enabled = 0");
  EXPECT_TRUE(becomes_true([&] { return *patient->read() == record_of(2); }));
}

TEST_F(MysqlArbiter, WhatSomebodyChangedIsNoRecord) {
  create_table();
  auto arbiter = client(options_);
  ASSERT_TRUE(arbiter->compare_and_set(record_of(1)).ok());
  run("UPDATE pollux_arbiter SET version = 2");
  expect_error(arbiter->read().status(), absl::StatusCode::kDataLoss, "version 1");
  run("UPDATE pollux_arbiter SET version = 1, record = replace(record, 'ca57', 'ca58')");
  expect_error(arbiter->read().status(), absl::StatusCode::kDataLoss, "checksum");
  run("UPDATE pollux_arbiter SET record = '{\"format\":2}'");
  expect_error(arbiter->read().status(), absl::StatusCode::kUnimplemented, "format 2");
}

TEST_F(MysqlArbiter, TheServersModesOfSqlDoNotMatter) {
  create_table();
  server().run("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,ORACLE'");
  auto answer = client(options_)->compare_and_set(record_of(1));
  EXPECT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*client(options_)->read(), record_of(1));
  server().run("SET GLOBAL sql_mode = DEFAULT");
}

TEST_F(MysqlArbiter, PasswordsAreAskedForAndNeverShown) {
  create_table();
  run("CREATE USER ada@'127.0.0.1' IDENTIFIED BY 'sesame-7Q'; GRANT SELECT, INSERT, UPDATE ON " +
      options_.database + ".pollux_arbiter TO ada@'127.0.0.1'");
  options_.user = "ada";
  options_.password = "sesame-7Q";
  auto arbiter = client(options_);
  auto answer = arbiter->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(arbiter->describe().find("sesame"), std::string::npos);
  options_.password = "sesame-wrong";
  expect_refused(*client(options_), absl::StatusCode::kPermissionDenied, "Access denied");
  EXPECT_EQ(client(options_)->read().status().ToString().find("sesame"), std::string::npos);
}

TEST_F(MysqlArbiter, AUserWithoutTheRightToWriteIsTold) {
  create_table();
  run("CREATE USER guest@'127.0.0.1'; GRANT SELECT ON " + options_.database +
      ".pollux_arbiter TO guest@'127.0.0.1'");
  options_.user = "guest";
  expect_error(client(options_)->compare_and_set(record_of(1)).status(),
               absl::StatusCode::kPermissionDenied, "denied");
}

TEST_F(MysqlArbiter, AUnixSocketWillDo) {
  create_table();
  options_.host = server().socket();
  auto answer = client(options_)->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_NE(client(options_)->describe().find(options_.host), std::string::npos);
}

TEST_F(MysqlArbiter, AHostsNameWillDo) {
  create_table();
  options_.host = "localhost";  // by TCP, not by the client library's own socket
  auto answer = client(options_)->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  options_.host = "no-such-host.invalid";
  expect_error(client(options_)->read().status(), absl::StatusCode::kUnavailable, options_.host);
}

TEST_F(MysqlArbiter, AServerThatNeverGreetsIsGivenUp) {
  SilentServer silent;
  for (TlsMode mode : {TlsMode::kOff, TlsMode::kTrust}) {
    options_.port = silent.port();
    options_.tls.mode = mode;
    auto arbiter = client(options_, kShortMs);
    EXPECT_FALSE(ends_in_time(kShortMs, [&] { return arbiter->read(); }).ok());
  }
}

/// What a server says first, that knows TLS.
std::string greeting() {
  auto bytes = [](std::initializer_list<int> values) {
    return std::string(values.begin(), values.end());
  };
  std::string body =
      "\x0a"
      "5.5.5-10.11.0-MariaDB" +
      bytes({0, 1, 0, 0, 0}) + "12345678" + bytes({0, 0x09, 0xAA, 45, 2, 0, 0x08, 0x00, 21}) +
      std::string(10, '\0') + "123456789012" + bytes({0}) + "mysql_native_password" + bytes({0});
  return bytes({static_cast<int>(body.size()), 0, 0, 0}) + body;
}

TEST_F(MysqlArbiter, AServerThatFallsSilentInTheHandshakeOfTlsIsGivenUp) {
  SilentServer silent(greeting());
  options_.port = silent.port();
  options_.tls.mode = TlsMode::kTrust;
  auto arbiter = client(options_, kShortMs);
  EXPECT_FALSE(ends_in_time(kShortMs, [&] { return arbiter->read(); }).ok());
}

TEST(MysqlServerKinds, TlsProvesWhoTheServerIs) {
  Certificates certificates("mysql");
  MariadbServer server({"ssl-cert=" + certificates.server(), "ssl-key=" + certificates.server_key(),
                        "ssl-ca=" + certificates.ca()});
  ASSERT_TRUE(server.start());
  server.run("CREATE USER pollux@'127.0.0.1' REQUIRE X509; GRANT ALL ON *.* TO pollux@'127.0.0.1'");
  MysqlOptions options = options_of(server);
  options.user = "pollux";
  options.tls.mode = TlsMode::kVerify;
  options.tls.ca_file = certificates.ca();
  options.tls.certificate_file = certificates.client();
  options.tls.key_file = certificates.client_key();
  absl::Status created = create_mysql_arbiter_table(options, kLongMs);
  ASSERT_TRUE(created.ok()) << created;
  auto arbiter = client(options);
  auto answer = arbiter->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();

  // A hang is noticed through TLS too.
  auto short_one = client(options, kShortMs);
  ASSERT_TRUE(short_one->read().ok());
  server.pause();
  EXPECT_FALSE(ends_in_time(kShortMs, [&] { return short_one->read(); }).ok());
  EXPECT_FALSE(ends_in_time(kShortMs, [&] { return short_one->read(); }).ok());
  server.resume();

  MysqlOptions other = options;
  other.tls.ca_file = certificates.other_ca();
  expect_error(client(other)->read().status(), absl::StatusCode::kUnavailable, "certificate");
  other.tls.mode = TlsMode::kTrust;
  other.tls.ca_file = "";
  EXPECT_TRUE(client(other)->read().ok()) << client(other)->read().status();
  other.tls.certificate_file = "";
  EXPECT_FALSE(client(other)->read().ok());
  other.tls.mode = TlsMode::kOff;
  EXPECT_FALSE(client(other)->read().ok());
}

}  // namespace
}  // namespace pollux
