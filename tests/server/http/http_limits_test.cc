// Peers that send too much, too slowly, or not to the end: each is told and cut, others are served.
#include <mutex>
#include <vector>

#include "tests/server/http/http_testing.h"

namespace pollux {
namespace {

const std::string kPostHead = "POST /echo HTTP/1.1\r\nHost: h\r\n";

TEST_F(HttpServerTest, ALongHeadIs431HoweverItIsSplit) {
  start();
  std::string big = "GET /hello HTTP/1.1\r\nHost: h\r\nX-Big: " + std::string(16'384, 'x');
  RawResponse response = ask(big + "\r\n\r\n");
  EXPECT_EQ(response.status, 431);
  EXPECT_NE(response.body.find("\"header_too_large\""), std::string::npos);
  EXPECT_EQ(ask("GET /" + std::string(20'000, 'x')).status, 431);
  std::string many = "GET /hello HTTP/1.1\r\nHost: h\r\n";
  RawClient client = this->client();
  client.send(many);
  for (int i = 0; i < 2000; ++i) client.send("X-Small: 12345\r\n");
  EXPECT_EQ(client.read_response().status, 431);
  std::string fits = "GET /hello HTTP/1.1\r\nHost: h\r\nX: ";
  fits += std::string(16'384 - fits.size() - 4, 'x') + "\r\n\r\n";
  EXPECT_EQ(ask(fits).status, 200);
  EXPECT_TRUE(serves_others());
}

TEST_F(HttpServerTest, ABodyOverTheLimitIs413AtOnce) {
  start();
  // Not a byte of the body was sent.
  EXPECT_EQ(ask(kPostHead + "Content-Length: 1048577\r\n\r\n").status, 413);
  EXPECT_EQ(ask(kPostHead + "Transfer-Encoding: chunked\r\n\r\n100001\r\n").status, 413);
  // A reasonable client sends it all before it reads.
  RawClient client = this->client();
  client.send(post("/echo", std::string(1'500'000, 'x')));
  RawResponse response = client.read_response();
  EXPECT_EQ(response.status, 413);
  EXPECT_TRUE(response.has("\r\nConnection: close\r\n"));
  EXPECT_TRUE(client.closed_by_server());
}

/// Sends `bytes` of body behind `head`, in pieces as `frame` makes them, until the server closes.
uint64_t flood(RawClient& client, const std::string& head, uint64_t bytes, bool chunked) {
  client.send(head);
  std::string piece(65'536, 'x');
  if (chunked) piece = "10000\r\n" + piece + "\r\n";
  uint64_t sent = 0;
  while (sent < bytes && client.send(piece)) sent += 65'536;
  return sent;
}

TEST_F(HttpServerTest, AGigabyteIsNotBuffered) {
  start();
  size_t before = peak_memory_kib();
  constexpr uint64_t kGigabyte = 1ull << 30;
  for (bool chunked : {false, true}) {
    RawClient client = this->client();
    std::string head = kPostHead + (chunked ? "Transfer-Encoding: chunked\r\n\r\n"
                                            : "Content-Length: 1073741824\r\n\r\n");
    EXPECT_LT(flood(client, head, kGigabyte, chunked), kGigabyte / 16);
    EXPECT_TRUE(serves_others());
  }
  EXPECT_LT(peak_memory_kib() - before, 16u * 1024);
  EXPECT_EQ(counters().answers[4], 2u);
  EXPECT_TRUE(all_closed());
}

TEST_F(HttpServerTest, BodiesTogetherAreBounded) {
  options_.bodies_bytes_max = 600 * 1024;
  start();
  std::string head = kPostHead + "Content-Length: 1000000\r\n\r\n";
  RawClient first = client();
  first.send(head + std::string(400'000, 'x'));
  ASSERT_TRUE(becomes_true([this] { return counters().bytes_in > 400'000; }));
  RawClient second = client();
  second.send(head + std::string(300'000, 'x'));
  RawResponse refused = second.read_response();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("\r\nRetry-After: 1\r\n"));
  EXPECT_GE(counters().body_memory_full, 1u);
  first.close();
  EXPECT_TRUE(becomes_true([this] { return counters().body_bytes_held == 0; }));
  EXPECT_EQ(ask(post("/echo", std::string(300'000, 'x'))).status, 200);
}

TEST_F(HttpServerTest, SlowSendersAreCut) {
  options_.header_timeout = 150ms;
  options_.body_timeout = 150ms;
  start();
  RawClient head = client();
  RawClient body = client();
  RawClient chunks = client();
  body.send(kPostHead + "Content-Length: 1000\r\n\r\n");
  chunks.send(kPostHead + "Transfer-Encoding: chunked\r\n\r\n");
  // One byte now and then must not put the deadline off.
  std::thread slow([&] {
    for (int i = 0; i < 1000 && head.send("G"); ++i) {
      if (!body.send("x") || !chunks.send(i % 2 == 0 ? "1\r\nx" : "\r\n")) break;
      std::this_thread::sleep_for(10ms);
    }
  });
  EXPECT_EQ(head.read_response().status, 408);
  EXPECT_EQ(body.read_response().status, 408);
  EXPECT_EQ(chunks.read_response().status, 408);
  EXPECT_TRUE(serves_others());
  slow.join();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(counters().header_timeouts, 1u);
  EXPECT_EQ(counters().body_timeouts, 2u);
}

TEST_F(HttpServerTest, IdleConnectionsEndInSilence) {
  options_.idle_timeout = 100ms;
  start();
  RawClient never = client();
  RawClient once = client();
  EXPECT_EQ(once.ask(get("/hello")).status, 200);
  EXPECT_TRUE(never.closed_by_server());
  EXPECT_TRUE(once.closed_by_server());
  EXPECT_EQ(counters().idle_timeouts, 2u);
}

TEST_F(HttpServerTest, AClientThatDoesNotReadItsAnswerIsCut) {
  options_.write_timeout = 150ms;
  options_.transfer_rate_min = 1ull << 30;
  router_.add({"GET", "/big", [](HttpRequest, const Responder& responder) {
                 responder.answer({200, "text/plain", std::string(64 << 20, 'x')});
               }});
  start();
  RawClient client(server_->port(), 4096);
  client.send(get("/big"));
  EXPECT_TRUE(becomes_true([this] { return counters().write_timeouts == 1; }));
  EXPECT_TRUE(all_closed());
}

TEST_F(HttpServerTest, ATruncatedRequestLeavesNothingBehind) {
  start();
  for (const std::string& text :
       {std::string("GET /he"), kPostHead, kPostHead + "Content-Length: 10\r\n\r\nabc",
        kPostHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    RawClient client = this->client();
    client.send(text);
    client.end_of_sending();
    EXPECT_TRUE(client.closed_by_server()) << text;
  }
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(counters().requests_aborted, 4u);
  EXPECT_EQ(counters().body_bytes_held, 0u);
}

TEST_F(HttpServerTest, TooManyConnectionsAreToldAndOthersServed) {
  options_.connections_max = 20;
  options_.drain_timeout = 200ms;
  start();
  std::vector<RawClient> open;
  for (int i = 0; i < 20; ++i) open.push_back(client());
  for (RawClient& client : open) EXPECT_EQ(client.ask(get("/hello")).status, 200);
  std::vector<RawClient> more;
  for (int i = 0; i < 400; ++i) more.push_back(client());
  RawClient refused = client();
  for (RawClient& client : open) EXPECT_EQ(client.ask(get("/hello")).status, 200);
  EXPECT_TRUE(becomes_true([this] { return counters().connections_refused == 401; }));
  RawResponse response = more[0].read_response();
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.has("\r\nRetry-After: 1\r\n"));
  for (RawClient& client : more) client.read_to_end();
  refused.read_to_end();
  open.clear();
  EXPECT_TRUE(all_closed());
  EXPECT_TRUE(serves_others());
}

TEST_F(HttpServerTest, TwoThousandOpenConnectionsHinderNobody) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 4200) GTEST_SKIP() << "only " << files.rlim_cur << " files may be open";
  start();
  std::vector<RawClient> open;
  for (int i = 0; i < 2000; ++i) {
    open.push_back(client());
    open.back().send(i % 2 == 0 ? "GET /hello HT" : "");
  }
  ASSERT_TRUE(becomes_true([this] { return counters().connections_open == 2000; }));
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(serves_others());
  for (size_t i = 0; i < open.size(); i += 2) open[i].send("TP/1.1\r\nHost: h\r\n\r\n");
  for (size_t i = 0; i < open.size(); i += 2) EXPECT_EQ(open[i].read_response().body, "hello");
}

TEST_F(HttpServerTest, BlockingRoutesAreBoundedAndHoldUpNobody) {
  options_.workers = 2;
  options_.worker_queue_max = 3;
  options_.threads = 1;
  std::mutex gate;
  router_.add({"GET", "/block",
               [&gate](HttpRequest, const Responder& responder) {
                 std::lock_guard lock(gate);
                 responder.answer({200, "text/plain", "done"});
               },
               HttpRouteKind::kBlocking});
  start();
  std::vector<RawClient> waiting;
  {
    std::lock_guard closed(gate);
    for (int i = 0; i < 8; ++i) {
      waiting.push_back(client());
      waiting.back().send(get("/block"));
    }
    // 2 run and 3 wait, or fewer run yet: at least 3 of 8 are refused.
    ASSERT_TRUE(becomes_true([this] { return counters().worker_queue_full >= 3; }));
    EXPECT_TRUE(serves_others());
  }
  int done = 0;
  int refused = 0;
  for (RawClient& client : waiting) {
    RawResponse response = client.read_response();
    done += response.body == "done" ? 1 : 0;
    refused += response.status == 503 && response.has("\r\nRetry-After: 1\r\n") ? 1 : 0;
  }
  EXPECT_EQ(done + refused, 8);
  EXPECT_GE(done, 3);
}

}  // namespace
}  // namespace pollux
