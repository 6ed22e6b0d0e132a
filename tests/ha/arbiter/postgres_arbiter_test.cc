// What only PostgreSQL can do to an arbiter.
#include "ha/arbiter/remote/postgres_arbiter.h"

#include <fstream>
#include <thread>

#include "tests/ha/arbiter/arbiter_testing.h"
#include "tests/support/becomes_true.h"
#include "tests/support/certificates.h"
#include "tests/support/postgres_server.h"
#include "tests/support/silent_server.h"

namespace pollux {
namespace {

constexpr int64_t kLongMs = 20'000;
constexpr int64_t kShortMs = 700;

PostgresOptions options_of(const PostgresServer& server) {
  PostgresOptions options;
  options.port = server.port();
  options.database = "postgres";
  options.user = "postgres";
  return options;
}

std::unique_ptr<Arbiter> client(const PostgresOptions& postgres, int64_t timeout_ms = kLongMs) {
  ArbiterOptions options;
  options.domain_name = "pair";
  options.timeout_ms = timeout_ms;
  auto arbiter = make_postgres_arbiter(options, postgres);
  EXPECT_TRUE(arbiter.ok()) << arbiter.status();
  return *std::move(arbiter);
}

/// Tests share a server, of which each has a database of its own.
class PostgresArbiter : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server().start());
    static int databases = 0;
    options_ = options_of(server());
    options_.database = "test" + std::to_string(++databases);
    server().run("CREATE DATABASE " + options_.database);
  }
  void TearDown() override {
    server().run("ALTER SYSTEM RESET ALL");
    server().run("SELECT pg_reload_conf()");
  }

  static PostgresServer& server() {
    static PostgresServer server;
    return server;
  }
  /// Runs a statement in the test's database.
  void run(const std::string& sql) { server().run(sql, options_.database); }
  void create_table() {
    absl::Status created = create_postgres_arbiter_table(options_, kLongMs);
    ASSERT_TRUE(created.ok()) << created;
  }
  /// Of a server with a standby that never answers; "": without any.
  void set_standbys(const std::string& names) {
    server().run("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
    server().run("SELECT pg_reload_conf()");
    ASSERT_TRUE(becomes_true(
        [&] { return server().run("SHOW synchronous_standby_names") == names + "\n"; }));
  }
  static bool waits_for_standby() {
    return server().run("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") !=
           "0\n";
  }
  static void break_off_waits() {
    server().run(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    ASSERT_TRUE(becomes_true([] { return !waits_for_standby(); }));
  }
  void expect_refused(const PostgresOptions& postgres, absl::StatusCode code,
                      const std::string& what) {
    auto arbiter = client(postgres);
    expect_error(arbiter->read().status(), code, what);
    expect_error(arbiter->compare_and_set(record_of(1)).status(), code, what);
  }

  PostgresOptions options_;
};

TEST_F(PostgresArbiter, WithoutItsTableItNamesTheCommandThatMakesIt) {
  expect_refused(options_, absl::StatusCode::kFailedPrecondition, "pollux arbiter create-table");
}

TEST_F(PostgresArbiter, TheTableIsMadeOnceByHoweverMany) {
  std::vector<std::thread> threads(6);
  for (std::thread& thread : threads) thread = std::thread([&] { create_table(); });
  for (std::thread& thread : threads) thread.join();
  auto arbiter = client(options_);
  ASSERT_TRUE(arbiter->compare_and_set(record_of(1)).ok());
  create_table();
  EXPECT_EQ(*arbiter->read(), record_of(1));
}

TEST_F(PostgresArbiter, AnUnloggedTableIsRefused) {
  create_table();
  run("ALTER TABLE pollux_arbiter SET UNLOGGED");
  expect_refused(options_, absl::StatusCode::kFailedPrecondition, "SET LOGGED");
}

TEST_F(PostgresArbiter, ADatabaseThatIsReadOnlyIsTold) {
  create_table();
  run("ALTER DATABASE " + options_.database + " SET default_transaction_read_only = on");
  expect_error(client(options_)->compare_and_set(record_of(1)).status(),
               absl::StatusCode::kFailedPrecondition, "read-only");
}

TEST_F(PostgresArbiter, WhatSomebodyChangedIsNoRecord) {
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

TEST_F(PostgresArbiter, ACommitIsSyncedWhateverTheUserHasSet) {
  create_table();
  run("CREATE ROLE hasty LOGIN PASSWORD 'x'; GRANT ALL ON pollux_arbiter TO hasty;"
      "ALTER ROLE hasty SET synchronous_commit = off");
  PostgresOptions hasty = options_;
  hasty.user = "hasty";
  hasty.password = "x";
  auto patient = client(options_);
  ASSERT_TRUE(patient->compare_and_set(record_of(1)).ok());
  // That it waits for the standby shows that the commit is not `off`, nor `local`.
  set_standbys("nobody");
  auto arbiter = client(hasty, kShortMs);
  expect_error(ends_in_time(kShortMs, [&] { return arbiter->compare_and_set(record_of(2)); }),
               absl::StatusCode::kDeadlineExceeded, "in time");
  EXPECT_TRUE(waits_for_standby());
  set_standbys("");
  EXPECT_TRUE(becomes_true([&] { return *patient->read() == record_of(2); }));
}

TEST_F(PostgresArbiter, ABrokenOffWaitForAStandbyIsNoSuccess) {
  create_table();
  set_standbys("nobody");
  absl::StatusOr<ArbiterRecord> answer;
  std::thread caller([&] { answer = client(options_)->compare_and_set(record_of(1)); });
  EXPECT_TRUE(becomes_true(waits_for_standby));
  break_off_waits();
  caller.join();
  expect_error(answer.status(), absl::StatusCode::kUnavailable, "gave up waiting");

  // Now the row is seen, though no standby has it: nobody may act on it.
  EXPECT_EQ(server().run("SELECT version FROM pollux_arbiter", options_.database), "1\n");
  auto arbiter = client(options_, kShortMs);
  expect_error(ends_in_time(kShortMs, [&] { return arbiter->read(); }),
               absl::StatusCode::kDeadlineExceeded, "in time");
  set_standbys("");
  EXPECT_TRUE(becomes_true([&] {
    auto read = client(options_)->read();
    return read.ok() && *read == record_of(1);
  }));
}

TEST_F(PostgresArbiter, WithStandbysAlsoAKnownRecordIsProvedAgain) {
  create_table();
  auto arbiter = client(options_, kShortMs);
  auto patient = client(options_);
  ASSERT_TRUE(patient->compare_and_set(record_of(1)).ok());
  EXPECT_TRUE(becomes_true([&] { return arbiter->read().ok(); }));
  // The standby may have taken over and know more.
  set_standbys("nobody");
  EXPECT_FALSE(ends_in_time(kShortMs, [&] { return arbiter->read(); }).ok());
  set_standbys("");
}

TEST_F(PostgresArbiter, PasswordsAreAskedForAndNeverShown) {
  create_table();
  run("CREATE ROLE ada LOGIN PASSWORD 'sesame-7Q'; GRANT ALL ON pollux_arbiter TO ada");
  PostgresOptions ada = options_;
  ada.user = "ada";
  ada.password = "sesame-7Q";
  auto arbiter = client(ada);
  auto answer = arbiter->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(arbiter->describe().find("sesame"), std::string::npos);
  ada.password = "sesame-wrong";
  expect_refused(ada, absl::StatusCode::kPermissionDenied, "password authentication failed");
  EXPECT_EQ(client(ada)->read().status().ToString().find("sesame"), std::string::npos);
  ada.database = "sesame=no host=elsewhere";  // a name, not a string of settings
  EXPECT_FALSE(client(ada)->read().ok());
}

TEST_F(PostgresArbiter, AUserWithoutRightsIsTold) {
  create_table();
  run("CREATE ROLE guest LOGIN PASSWORD 'x'");
  PostgresOptions guest = options_;
  guest.user = "guest";
  guest.password = "x";
  expect_refused(guest, absl::StatusCode::kPermissionDenied, "permission denied");
}

TEST_F(PostgresArbiter, AUnixSocketWillDo) {
  create_table();
  options_.host = server().folder();
  auto answer = client(options_)->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_NE(client(options_)->describe().find(options_.host), std::string::npos);
}

TEST_F(PostgresArbiter, AHostsNameWillDo) {
  create_table();
  options_.host = "localhost";
  auto answer = client(options_)->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  options_.host = "no-such-host.invalid";
  expect_error(client(options_)->read().status(), absl::StatusCode::kUnavailable, options_.host);
}

TEST_F(PostgresArbiter, AServerThatNeverGreetsIsGivenUp) {
  SilentServer silent;
  for (TlsMode mode : {TlsMode::kOff, TlsMode::kTrust}) {
    options_.port = silent.port();
    options_.tls.mode = mode;
    auto arbiter = client(options_, kShortMs);
    expect_error(ends_in_time(kShortMs, [&] { return arbiter->read(); }),
                 absl::StatusCode::kDeadlineExceeded, "in time");
  }
}

TEST_F(PostgresArbiter, AServerThatFallsSilentInTheHandshakeOfTlsIsGivenUp) {
  SilentServer silent("S");  // "go on with TLS"
  options_.port = silent.port();
  options_.tls.mode = TlsMode::kTrust;
  auto arbiter = client(options_, kShortMs);
  EXPECT_FALSE(ends_in_time(kShortMs, [&] { return arbiter->read(); }).ok());
}

TEST(PostgresServerKinds, AStandbyIsRefused) {
  PostgresServer server;
  ASSERT_TRUE(server.start());
  ASSERT_TRUE(create_postgres_arbiter_table(options_of(server), kLongMs).ok());
  server.kill();
  std::ofstream(server.data() + "/standby.signal").flush();
  ASSERT_TRUE(server.start());
  auto arbiter = client(options_of(server));
  for (const auto& answer : {arbiter->read(), arbiter->compare_and_set(record_of(1))}) {
    expect_error(answer.status(), absl::StatusCode::kFailedPrecondition, "standby");
  }
  expect_error(create_postgres_arbiter_table(options_of(server), kLongMs),
               absl::StatusCode::kFailedPrecondition, "standby");
}

TEST(PostgresServerKinds, AForgetfulOneIsRefusedUnlessAccepted) {
  PostgresServer server({"fsync=off"});
  ASSERT_TRUE(server.start());
  PostgresOptions options = options_of(server);
  expect_error(client(options)->read().status(), absl::StatusCode::kFailedPrecondition,
               "set fsync = on");
  options.accept_forgetful = true;
  ASSERT_TRUE(create_postgres_arbiter_table(options, kLongMs).ok());
  EXPECT_TRUE(client(options)->compare_and_set(record_of(1)).ok());
}

TEST(PostgresServerKinds, TlsProvesWhoTheServerIs) {
  Certificates certificates("postgres");
  PostgresServer server({"ssl=on", "ssl_cert_file=" + certificates.server(),
                         "ssl_key_file=" + certificates.server_key(),
                         "ssl_ca_file=" + certificates.ca()});
  ASSERT_TRUE(server.start());
  server.run("CREATE ROLE pollux LOGIN; GRANT ALL ON SCHEMA public TO pollux");
  std::ofstream(server.data() + "/pg_hba.conf") << "local all all trust\n"
                                                   "host all postgres 127.0.0.1/32 trust\n"
                                                   "hostssl all pollux 127.0.0.1/32 cert\n";
  server.run("SELECT pg_reload_conf()");
  PostgresOptions options = options_of(server);
  options.user = "pollux";
  options.tls.mode = TlsMode::kVerify;
  options.tls.ca_file = certificates.ca();
  options.tls.certificate_file = certificates.client();
  options.tls.key_file = certificates.client_key();
  EXPECT_TRUE(becomes_true([&] { return create_postgres_arbiter_table(options, kLongMs).ok(); }))
      << create_postgres_arbiter_table(options, kLongMs);
  auto answer = client(options)->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();

  PostgresOptions other = options;
  other.tls.ca_file = certificates.other_ca();
  expect_error(client(other)->read().status(), absl::StatusCode::kUnavailable, "certificate");
  other.tls.mode = TlsMode::kTrust;
  other.tls.ca_file = "";
  EXPECT_TRUE(client(other)->read().ok());
  other.tls.certificate_file = "";
  EXPECT_FALSE(client(other)->read().ok());
  other.tls.mode = TlsMode::kOff;
  EXPECT_FALSE(client(other)->read().ok());
}

}  // namespace
}  // namespace pollux
