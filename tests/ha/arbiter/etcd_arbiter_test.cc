// What only etcd can do to an arbiter.
#include "ha/arbiter/remote/etcd_arbiter.h"

#include "tests/ha/arbiter/arbiter_testing.h"
#include "tests/support/certificates.h"
#include "tests/support/etcd_server.h"
#include "tests/support/silent_server.h"

namespace pollux {
namespace {

constexpr int64_t kLongMs = 20'000;
constexpr int64_t kShortMs = 900;

std::unique_ptr<Arbiter> client(const EtcdOptions& etcd, int64_t timeout_ms = kLongMs) {
  ArbiterOptions options;
  options.domain_name = "pair";
  options.timeout_ms = timeout_ms;
  auto arbiter = make_etcd_arbiter(options, etcd);
  EXPECT_TRUE(arbiter.ok()) << arbiter.status();
  return *std::move(arbiter);
}

std::string url_of(const SilentServer& server) {
  return "http://127.0.0.1:" + std::to_string(server.port());
}

/// Tests share a server, of which each has a prefix of its own.
class EtcdArbiter : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server().start());
    static int prefixes = 0;
    options_.prefix = "/test" + std::to_string(++prefixes);
    options_.endpoints = {server().endpoint()};
  }

  static EtcdServer& server() {
    static EtcdServer server;
    return server;
  }
  std::string key() const { return options_.prefix + "/pair"; }

  EtcdOptions options_;
};

TEST_F(EtcdArbiter, AnOperatorCanReadTheRecord) {
  ASSERT_TRUE(client(options_)->compare_and_set(record_of(1)).ok());
  EXPECT_EQ(server().run({"get", "--print-value-only", key()}), to_json(record_of(1)) + "\n");
}

TEST_F(EtcdArbiter, WhatSomebodyChangedIsNoRecord) {
  auto arbiter = client(options_);
  ASSERT_TRUE(arbiter->compare_and_set(record_of(1)).ok());
  server().run({"put", key(), ""});
  expect_error(arbiter->read().status(), absl::StatusCode::kDataLoss, key());
  server().run({"put", key(), "{\"format\":2}"});
  expect_error(arbiter->read().status(), absl::StatusCode::kUnimplemented, "format 2");
  expect_error(arbiter->compare_and_set(record_of(2)).status(), absl::StatusCode::kUnimplemented,
               "format 2");
}

TEST_F(EtcdArbiter, ARecordThatWasPutBackGoesOn) {
  auto arbiter = client(options_);
  ASSERT_TRUE(arbiter->compare_and_set(record_of(1)).ok());
  ASSERT_TRUE(arbiter->compare_and_set(record_of(2)).ok());
  server().run({"del", key()});
  server().run({"put", key(), to_json(record_of(2))});  // etcd counts its changes from 1 again
  EXPECT_EQ(*arbiter->compare_and_set(record_of(3)), record_of(3));
}

TEST_F(EtcdArbiter, OfSeveralServersAnyThatAnswersWillDo) {
  SilentServer silent;
  SilentServer other("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome");
  options_.endpoints = {"http://127.0.0.1:1", url_of(silent), url_of(other),
                        server().endpoint() + "/"};
  auto arbiter = client(options_, 4000);
  auto answer = ends_in_time(4000, [&] { return arbiter->compare_and_set(record_of(1)); });
  EXPECT_TRUE(answer.ok()) << answer;
  // From now on at once.
  EXPECT_TRUE(ends_in_time(0, [&] { return arbiter->read(); }).ok());
}

TEST_F(EtcdArbiter, WhereNoneAnswersTheCallEndsInTime) {
  SilentServer silent;
  SilentServer other;
  options_.endpoints = {url_of(silent), url_of(other)};
  auto arbiter = client(options_, kShortMs);
  expect_error(ends_in_time(kShortMs, [&] { return arbiter->read(); }),
               absl::StatusCode::kDeadlineExceeded, url_of(other));
  EXPECT_FALSE(ends_in_time(kShortMs, [&] { return arbiter->compare_and_set(record_of(1)); }).ok());
}

TEST_F(EtcdArbiter, WhatIsNoEtcdIsTold) {
  for (std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull",
        "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{\"header\":1,\"kvs\":{\"a\":1}}",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Oh\r\nContent-Length: 11\r\n\r\n{\"error\":{}}", "SSH-2.0-OpenSSH_9.2\r\n"}) {
    SilentServer other(answer);
    options_.endpoints = {url_of(other)};
    absl::Status status = client(options_, kShortMs)->read().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << answer << status;
  }
}

TEST_F(EtcdArbiter, OptionsThatCannotBeAreRefused) {
  ArbiterOptions pair;
  pair.domain_name = "pair";
  EtcdOptions wrong = options_;
  wrong.endpoints = {};
  expect_error(make_etcd_arbiter(pair, wrong).status(), absl::StatusCode::kInvalidArgument,
               "no endpoints");
  wrong.endpoints = {"10.0.0.1:2379"};
  expect_error(make_etcd_arbiter(pair, wrong).status(), absl::StatusCode::kInvalidArgument,
               "http://");
  wrong.endpoints = {"https://10.0.0.1:2379"};
  expect_error(make_etcd_arbiter(pair, wrong).status(), absl::StatusCode::kInvalidArgument,
               "TLS is off");
}

TEST(EtcdServerKinds, UsersAreAskedForTheirPasswords) {
  EtcdServer server;
  ASSERT_TRUE(server.start());
  server.run({"user", "add", "root:r"});
  server.run({"user", "add", "ada:sesame-7Q"});
  server.run({"user", "add", "guest:g"});
  server.run({"role", "add", "arbiter"});
  server.run({"role", "grant-permission", "--prefix=true", "arbiter", "readwrite", "/pollux/"});
  server.run({"user", "grant-role", "root", "root"});
  server.run({"user", "grant-role", "ada", "arbiter"});
  server.run({"auth", "enable"});
  EtcdOptions options;
  options.endpoints = {server.endpoint()};
  EXPECT_FALSE(client(options)->read().ok());
  options.user = "ada";
  options.password = "sesame-7Q";
  auto arbiter = client(options);
  auto answer = arbiter->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(arbiter->describe().find("sesame"), std::string::npos);

  // A server that was started anew knows none of its tokens.
  server.kill();
  ASSERT_TRUE(server.start());
  answer = arbiter->compare_and_set(record_of(2));
  ASSERT_TRUE(answer.ok()) << answer.status();

  // And one whose users were changed takes them for old.
  server.run({"--user=root:r", "user", "add", "eve:e"});
  answer = arbiter->compare_and_set(record_of(3));
  ASSERT_TRUE(answer.ok()) << answer.status();

  options.password = "sesame-wrong";
  absl::Status wrong = client(options)->read().status();
  EXPECT_EQ(wrong.code(), absl::StatusCode::kPermissionDenied) << wrong;
  EXPECT_EQ(wrong.ToString().find("sesame"), std::string::npos) << wrong;
  options.user = "guest";
  options.password = "g";
  expect_error(client(options)->read().status(), absl::StatusCode::kPermissionDenied,
               "permission denied");
}

TEST(EtcdServerKinds, TlsProvesBothSides) {
  Certificates certificates;
  EtcdServer server({"cert-file=" + certificates.server(), "key-file=" + certificates.server_key(),
                     "trusted-ca-file=" + certificates.ca(), "client-cert-auth"},
                    "https");
  ASSERT_TRUE(server.start());
  EtcdOptions options;
  options.endpoints = {server.endpoint()};
  options.tls.mode = TlsMode::kVerify;
  options.tls.ca_file = certificates.ca();
  options.tls.certificate_file = certificates.client();
  options.tls.key_file = certificates.client_key();
  auto answer = client(options)->compare_and_set(record_of(1));
  ASSERT_TRUE(answer.ok()) << answer.status();

  EtcdOptions other = options;
  other.tls.ca_file = certificates.other_ca();
  expect_error(client(other)->read().status(), absl::StatusCode::kUnavailable, "certificate");
  other.tls.mode = TlsMode::kTrust;
  EXPECT_TRUE(client(other)->read().ok());
  other.tls.certificate_file = "";
  EXPECT_FALSE(client(other)->read().ok());
}

}  // namespace
}  // namespace pollux
