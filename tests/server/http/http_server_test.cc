#include "server/http/http_server.h"

#include "tests/server/http/http_testing.h"

namespace pollux {
namespace {

TEST_F(HttpServerTest, AnswersOneRequestAfterAnotherOnOneConnection) {
  start();
  RawClient client = this->client();
  for (int i = 0; i < 3; ++i) {
    RawResponse response = client.ask(get("/hello"));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
    EXPECT_TRUE(response.has("\r\nContent-Type: text/plain\r\n"));
    EXPECT_TRUE(response.has("\r\nDate: ")) << response.head;
  }
  EXPECT_EQ(counters().connections_accepted, 1u);
  EXPECT_EQ(counters().answers[2], 3u);
  EXPECT_GT(counters().bytes_in, 0u);
  EXPECT_GT(counters().bytes_out, 0u);
}

TEST_F(HttpServerTest, HandsOverAllOfTheRequest) {
  HttpRequest seen;
  router_.add(
      {"PUT", "/s/{stream}/e/{id}", [&seen](HttpRequest request, const Responder& responder) {
         seen = std::move(request);
         responder.answer({201, "application/json", "{}", {{"X-More", "a\r\nb: c"}}});
       }});
  start();
  RawResponse response =
      ask("PUT /s/a%20b/e/7?from=1&x HTTP/1.1\r\nHost: h\r\nX-Thing: one\r\nx-thing: two\r\n"
          "Content-Length: 4\r\n\r\nbody");
  EXPECT_EQ(response.status, 201);
  EXPECT_TRUE(response.has("\r\nX-More: a  b: c\r\n")) << response.head;
  server_->stop(1s);
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.path, "/s/a%20b/e/7");
  EXPECT_EQ(seen.path_parameter("stream"), "a b");
  EXPECT_EQ(seen.path_parameter("id"), "7");
  EXPECT_EQ(seen.path_parameter("none"), "");
  EXPECT_EQ(seen.query_parameter("from"), "1");
  EXPECT_EQ(seen.query_parameter("x"), "");
  EXPECT_EQ(seen.query_parameter("y"), std::nullopt);
  EXPECT_EQ(seen.headers.find("X-THING"), "one");
  EXPECT_EQ(seen.headers.find("X-Other"), std::nullopt);
  EXPECT_EQ(seen.body, "body");
  EXPECT_GE(seen.body.capacity(), seen.body.size() + HttpRequest::kBodyPaddingBytes);
  EXPECT_TRUE(seen.peer.starts_with("127.0.0.1:")) << seen.peer;
}

TEST_F(HttpServerTest, TakesPipelinedRequestsOneAtATime) {
  start();
  RawClient client = this->client();
  std::string many;
  for (int i = 0; i < 200; ++i) many += post("/echo", std::to_string(i)) + get("/hello");
  client.send(many);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(client.read_response().body, std::to_string(i));
    EXPECT_EQ(client.read_response().body, "hello");
  }
}

TEST_F(HttpServerTest, EchoesBodiesOfEverySizeAroundItsBuffers) {
  start();
  RawClient client = this->client();
  for (size_t bytes : {0, 1, 3900, 4096, 4097, 150'000, 262'144, 262'145, 1'048'576}) {
    std::string body(bytes, 'x');
    for (size_t i = 0; i < bytes; i += 997) body[i] = static_cast<char>('a' + i % 26);
    EXPECT_TRUE(client.ask(post("/echo", body)).body == body) << bytes;
  }
  EXPECT_EQ(counters().body_bytes_held, 0u);
}

TEST_F(HttpServerTest, TakesChunksHoweverTheyAreCut) {
  start();
  std::string text =
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n1;ext=\"q\"\r\n,\r\nA\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n";
  for (size_t piece : {size_t{1}, size_t{7}, text.size()}) {
    RawClient client = this->client();
    for (size_t at = 0; at < text.size(); at += piece) client.send(text.substr(at, piece));
    EXPECT_EQ(client.read_response().body, "hello,0123456789");
    EXPECT_EQ(client.ask(get("/hello")).body, "hello");
  }
}

TEST_F(HttpServerTest, HeadHasTheHeadersOfGetAndNoBody) {
  start();
  RawClient client = this->client();
  client.send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  RawResponse response = client.read_response(true);
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.has("\r\nContent-Length: 5\r\n"));
  EXPECT_EQ(client.ask(get("/hello")).body, "hello");
}

TEST_F(HttpServerTest, Http10ClosesUnlessAskedToKeepAlive) {
  start();
  RawClient closing = client();
  EXPECT_EQ(closing.ask("GET /hello HTTP/1.0\r\n\r\n").body, "hello");
  EXPECT_TRUE(closing.closed_by_server());
  RawClient keeping = client();
  for (int i = 0; i < 2; ++i) {
    RawResponse response = keeping.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(response.has("\r\nConnection: keep-alive\r\n"));
  }
}

TEST_F(HttpServerTest, ClosesWhenTheClientSaysSo) {
  start();
  RawClient client = this->client();
  RawResponse response = client.ask("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(response.has("\r\nConnection: close\r\n"));
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(HttpServerTest, SaysContinueBeforeTheBodyIsSent) {
  start();
  RawClient client = this->client();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_to("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.ask("ok").body, "ok");
  EXPECT_EQ(client
                .ask("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                     "Content-Length: 9999999\r\n\r\n")
                .status,
            413);
  EXPECT_EQ(
      ask("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: more\r\nContent-Length: 2\r\n\r\n").status,
      417);
}

TEST_F(HttpServerTest, UnknownPathsAndMethodsAreJsonErrors) {
  start();
  RawClient client = this->client();
  RawResponse missing = client.ask(get("/nothing/\xff"));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(
      missing.body,
      "{\"error\": {\"code\": \"not_found\", \"message\": \"nothing is served at /nothing/?\"}}\n");
  EXPECT_TRUE(missing.has("\r\nContent-Type: application/json\r\n"));
  RawResponse method = client.ask("DELETE /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(method.status, 405);
  EXPECT_TRUE(method.has("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_EQ(client.ask(get("/hello")).status, 200) << "an error ends no connection by itself";
  EXPECT_EQ(counters().answers[4], 2u);
}

TEST_F(HttpServerTest, AnswersMayComeLaterFromAnyThread) {
  std::vector<std::thread> threads;
  router_.add({"GET", "/later", [&threads](HttpRequest, const Responder& responder) {
                 threads.emplace_back([responder] {
                   EXPECT_TRUE(responder.answer({200, "text/plain", "later"}));
                   EXPECT_FALSE(responder.answer({200, "text/plain", "again"}));
                 });
               }});
  options_.threads = 1;
  start();
  RawClient client = this->client();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.ask(get("/later")).body, "later");
  server_->stop(1s);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(HttpServerTest, AHandlerThatForgetsOrThrowsIsA500) {
  router_.add({"GET", "/forgets", [](HttpRequest, const Responder&) {}});
  router_.add(
      {"GET", "/throws", [](HttpRequest, const Responder&) { throw std::runtime_error("oh"); }});
  router_.add({"GET", "/throws-there",
               [](HttpRequest, const Responder&) { throw std::runtime_error("oh"); },
               HttpRouteKind::kBlocking});
  start();
  RawClient client = this->client();
  EXPECT_EQ(client.ask(get("/forgets")).status, 500);
  EXPECT_EQ(client.ask(get("/throws")).status, 500);
  EXPECT_EQ(client.ask(get("/throws-there")).status, 500);
  EXPECT_EQ(client.ask(get("/hello")).status, 200);
  EXPECT_EQ(counters().requests_unanswered, 1u);
}

TEST_F(HttpServerTest, AnAnswerAfterTheServerIsGoneIsLost) {
  std::optional<Responder> kept;
  router_.add(
      {"GET", "/keep", [&kept](HttpRequest, Responder responder) { kept = std::move(responder); }});
  start();
  RawClient client = this->client();
  client.send(get("/keep"));
  ASSERT_TRUE(becomes_true([this] { return counters().bytes_in > 0; }));
  server_.reset();
  ASSERT_TRUE(kept.has_value());
  EXPECT_TRUE(kept->answer({}));
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(HttpServerTest, ServesIpv6) {
  options_.address = "::1";
  auto server = HttpServer::start(options_, router_);
  if (!server.ok()) GTEST_SKIP() << server.status();
  EXPECT_GT((*server)->port(), 0);
}

TEST_F(HttpServerTest, APortInUseIsAnErrorThatNamesIt) {
  start();
  options_.port = server_->port();
  auto second = HttpServer::start(options_, router_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(second.status().message(),
            "HTTP: cannot listen on 127.0.0.1:" + std::to_string(options_.port) +
                ": Address already in use");
  options_.address = "nowhere";
  EXPECT_EQ(HttpServer::start(options_, router_).status().message(),
            "HTTP: 'nowhere' is not an IPv4 or IPv6 address");
}

}  // namespace
}  // namespace pollux
