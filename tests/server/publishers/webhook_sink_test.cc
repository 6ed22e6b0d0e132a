#include <arpa/inet.h>
#include <sys/socket.h>

#include "tests/server/publishers/sink_testing.h"

namespace pollux {
namespace {

std::string http_sink(const std::string& url, const std::string& options = "") {
  return "@sink(type='http', publisher.url='" + url + "', retry.min='1 ms', retry.max='20 ms'" +
         options + ")";
}

using WebhookSinkTest = SinkTest;

TEST_F(WebhookSinkTest, posts_each_result_with_its_id) {
  Webhook webhook;
  deploy_sinks(http_sink(webhook.url(), ", header.X-Test='yes'"));
  ASSERT_TRUE(send("ann", 1).ok());
  ASSERT_TRUE(send("bob", 2).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 2; }));
  auto requests = webhook.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].content_type, "application/json");
  EXPECT_EQ(requests[0].other, "yes");
  EXPECT_EQ(requests[0].id, "-1234/P/1.2.0");
  EXPECT_EQ(requests[0].body, R"({"stream":"Out","timestamp":1000,"id":"-1234/P/1.2.0",)"
                              R"("data":{"name":"ann","n":1}})");
  EXPECT_EQ(counts().lag_rows, 0U);
}

TEST_F(WebhookSinkTest, batches_are_arrays) {
  Webhook webhook;
  webhook.be_silent(true);
  deploy_sinks(http_sink(webhook.url(), ", batch='10', @map(type='json', @payload('{{n}}'))"));
  ASSERT_TRUE(send("a", 1).ok());
  ASSERT_TRUE(soon([&] { return webhook.requests().size() == 1; }));
  for (int64_t n = 2; n <= 4; ++n) ASSERT_TRUE(send("a", n).ok());
  ASSERT_TRUE(soon([&] { return counts().lag_rows == 4; }));
  webhook.be_silent(false);
  webhook.answer_nobody();  // the client gets 500 and tries again
  ASSERT_TRUE(soon([&] { return counts().published == 4; }));
  auto requests = webhook.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[1].body, "[1]");
  EXPECT_EQ(requests[2].body, "[2,3,4]");
}

TEST_F(WebhookSinkTest, a_server_error_is_tried_again_with_the_same_id) {
  Webhook webhook;
  webhook.will_answer(500);
  webhook.will_answer(429, {{"Retry-After", "0"}});
  deploy_sinks(http_sink(webhook.url()));
  ASSERT_TRUE(send("ann", 1).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  auto requests = webhook.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].id, requests[2].id);
  EXPECT_EQ(counts().failed, 2U);
  EXPECT_EQ(counts().state, SinkState::kRunning);
  EXPECT_NE(counts().last_error.find("429"), std::string::npos);
}

TEST_F(WebhookSinkTest, a_refusal_drops_the_row_and_goes_on) {
  Webhook webhook;
  webhook.will_answer(400);
  deploy_sinks(http_sink(webhook.url()));
  ASSERT_TRUE(send("ann", 1).ok());
  ASSERT_TRUE(send("bob", 2).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  EXPECT_EQ(counts().dropped, 1U);
  EXPECT_EQ(webhook.requests().size(), 2U);
  EXPECT_NE(warnings().find("dropped 1 rows from -1234/P/1.2.0"), std::string::npos) << warnings();
}

TEST_F(WebhookSinkTest, gives_up_after_so_many_attempts) {
  Webhook webhook;
  for (int i = 0; i < 3; ++i) webhook.will_answer(503);
  deploy_sinks(http_sink(webhook.url(), ", retry.attempts='3'"));
  ASSERT_TRUE(send("ann", 1).ok());
  ASSERT_TRUE(send("bob", 2).ok());
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  EXPECT_EQ(counts().dropped, 1U);
  EXPECT_EQ(counts().failed, 3U);
}

TEST_F(WebhookSinkTest, one_that_is_down_is_waited_for) {
  uint16_t port = 0;
  {
    Webhook gone;
    port = gone.port();
  }
  deploy_sinks(http_sink("http://127.0.0.1:" + std::to_string(port) + "/hook",
                         ", retry.attempts='2', on.error='wait'"));
  ASSERT_TRUE(send("ann", 1).ok());
  ASSERT_TRUE(soon([&] { return counts().failed > 5; }));
  EXPECT_EQ(counts().state, SinkState::kRetrying);
  Webhook webhook(port);
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  EXPECT_EQ(counts().dropped, 0U);
}

TEST_F(WebhookSinkTest, one_that_is_slow_runs_into_the_timeout) {
  Webhook webhook;
  webhook.be_silent(true);
  deploy_sinks(http_sink(webhook.url(), ", timeout='20 ms'"));
  ASSERT_TRUE(send("ann", 1).ok());
  ASSERT_TRUE(soon([&] { return webhook.requests().size() >= 2; }));
  webhook.be_silent(false);
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
}

/// Accepts connections and resets each.
class Resetter {
 public:
  Resetter() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    socklen_t size = sizeof(address);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int peer = ::accept(fd_, nullptr, nullptr); peer >= 0;
           peer = ::accept(fd_, nullptr, nullptr)) {
        linger at_once{1, 0};
        ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        ::close(peer);
      }
    });
  }
  ~Resetter() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  uint16_t port() const { return port_; }

 private:
  int fd_;
  uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(WebhookSinkTest, a_reset_connection_is_tried_again) {
  uint16_t port = 0;
  {
    Resetter resetter;
    port = resetter.port();
    deploy_sinks(
        http_sink("http://127.0.0.1:" + std::to_string(port) + "/hook", ", retry.attempts='0'"));
    ASSERT_TRUE(send("ann", 1).ok());
    ASSERT_TRUE(soon([&] { return counts().failed >= 2; }));
  }
  Webhook webhook(port);
  ASSERT_TRUE(soon([&] { return counts().published == 1; }));
  EXPECT_EQ(webhook.requests().size(), 1U);
}

TEST_F(WebhookSinkTest, a_stop_ends_a_long_wait_at_once) {
  Webhook webhook;
  webhook.will_answer(503, {{"Retry-After", "250"}});
  deploy_sinks(http_sink(webhook.url(), ", retry.attempts='0'"));
  ASSERT_TRUE(send("ann", 1).ok());
  ASSERT_TRUE(soon([&] { return counts().failed == 1; }));
  auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(node_->undeploy("P", false).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(100));
  EXPECT_TRUE(sinks_->states().empty());
  EXPECT_NE(warnings().find("ended with 1 rows not delivered"), std::string::npos) << warnings();
  EXPECT_EQ(webhook.requests().size(), 1U);
}

TEST_F(WebhookSinkTest, a_full_log_rests_the_plan_until_the_webhook_is_back) {
  NodeOptions options;
  options.result_log_bytes_max = 64 * 1024;
  options.shard.entries_max = 8;
  make_node(options);
  Webhook webhook;
  webhook.be_silent(true);
  deploy_sinks(http_sink(webhook.url(), ", batch='1000', timeout='50 ms', retry.attempts='0'"));
  std::string large(4096, 'x');
  uint64_t taken = 0;
  absl::Status refused;
  ASSERT_TRUE(soon([&] {
    refused = send(large, static_cast<int64_t>(taken));
    if (refused.ok()) ++taken;
    return !refused.ok();
  }));
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  webhook.be_silent(false);
  ASSERT_TRUE(soon([&] { return counts().published == taken; }));
  EXPECT_EQ(counts().dropped, 0U);
  EXPECT_TRUE(send("ann", 1).ok());
  ASSERT_TRUE(soon([&] { return counts().published == taken + 1; }));
}

}  // namespace
}  // namespace pollux
