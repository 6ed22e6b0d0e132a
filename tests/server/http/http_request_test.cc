// What is refused about a request's form, and bodies that come compressed.
#include <zlib.h>

#include <random>

#include "tests/server/http/http_testing.h"

namespace pollux {
namespace {

TEST_F(HttpServerTest, BadRequestsAre400AndEndTheConnection) {
  start();
  for (const char* text :
       {"\r\n\r\n", "nonsense\r\n\r\n", "GET\r\n\r\n", "GET /hello\r\n\r\n",
        "GET  /hello HTTP/1.1\r\nHost: h\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: h\n\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost : h\r\n\r\n", "GET /hello HTTP/1.1\r\n: h\r\n\r\n",
        "GET /hello HTTP/1.1\r\n Host: h\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: h\r\nX\r\n\r\n",
        "GET /hello HTTP/1.1\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"}) {
    RawClient client = this->client();
    EXPECT_EQ(client.ask(text).status, 400) << text;
    client.end_of_sending();
    EXPECT_TRUE(client.closed_by_server()) << text;
  }
  EXPECT_EQ(ask("GET /hello HTTP/2.0\r\nHost: h\r\n\r\n").status, 505);
  EXPECT_EQ(ask("GET /hello HTTP/1.1\nHost: h\n\n").status, 505);
  EXPECT_TRUE(serves_others());
}

TEST_F(HttpServerTest, BadPathsAre400) {
  start();
  for (const char* path : {"/%", "/%4", "/%zz", "/hello%00", "/hello?x=%00", "/hello?%f", "*"}) {
    EXPECT_EQ(ask(get(path)).status, 400) << path;
  }
  EXPECT_EQ(ask(get("/%68ello")).status, 200);
  EXPECT_EQ(ask(get("http://h/hello")).status, 200);
  EXPECT_EQ(ask(get("/hello/../hello")).status, 404);
}

TEST_F(HttpServerTest, RequestsWithTwoEndsAreRefused) {
  start();
  for (const char* headers :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 6\r\n", "Content-Length: +5\r\n", "Content-Length: -1\r\n",
        "Content-Length: 0x5\r\n", "Content-Length: \r\n", "Content-Length: 5 5\r\n",
        "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: \x0b"
        "chunked\r\n"}) {
    RawClient client = this->client();
    RawResponse response = client.ask("POST /echo HTTP/1.1\r\nHost: h\r\n" + std::string(headers) +
                                      "\r\n0\r\n\r\n" + get("/hello"));
    EXPECT_EQ(response.status, 400) << headers;
    client.end_of_sending();
    EXPECT_TRUE(client.closed_by_server()) << "no second answer: " << headers;
  }
  EXPECT_EQ(ask("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status, 400);
}

TEST_F(HttpServerTest, BadChunksAre400) {
  start();
  for (const std::string& chunks :
       {std::string("x\r\n"), std::string("-1\r\nx\r\n"), std::string("1\r\nxy\r\n0\r\n\r\n"),
        std::string("FFFFFFFFFFFFFFFFF\r\n"), "1;" + std::string(5000, 'e'),
        "0\r\nX: " + std::string(5000, 'e')}) {
    EXPECT_EQ(
        ask("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks).status,
        400)
        << chunks.substr(0, 30);
  }
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "FFFFFFFFFFFFFFFF\r\n")
                .status,
            413);
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  ::deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

TEST_F(HttpServerTest, InflatesGzipWithinTheLimit) {
  start();
  RawClient client = this->client();
  auto send = [&client](const std::string& body) {
    return client.ask(post("/echo", body, "Content-Encoding: gzip\r\n"));
  };
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + ",";
  EXPECT_EQ(send(gzip("hello")).body, "hello");
  EXPECT_EQ(send(gzip("")).status, 200);
  EXPECT_TRUE(send(gzip(text)).body == text);
  EXPECT_TRUE(send(gzip(text) + gzip("more")).body == text + "more");
  std::string largest(1 << 20, 'x');
  EXPECT_TRUE(send(gzip(largest)).body == largest);
  EXPECT_EQ(send(gzip(largest + "x")).status, 413);
  size_t before = peak_memory_kib();
  std::string bomb = gzip(std::string(256 << 20, 'x'));
  size_t made = peak_memory_kib();
  EXPECT_EQ(send(bomb).status, 413);
  EXPECT_LT(peak_memory_kib() - made, 8u * 1024) << before;
}

TEST_F(HttpServerTest, BrokenGzipIs400AndOtherEncodings415) {
  start();
  RawClient client = this->client();
  std::string good = gzip("some text that is compressed");
  std::string wrong_sum = good;
  wrong_sum[wrong_sum.size() - 5] ^= 1;
  for (const std::string& body : {std::string("not gzip"), good.substr(0, good.size() - 1),
                                  good.substr(0, 5), wrong_sum, good + "behind"}) {
    EXPECT_EQ(client.ask(post("/echo", body, "Content-Encoding: gzip\r\n")).status, 400);
  }
  EXPECT_EQ(client.ask(post("/echo", "x", "Content-Encoding: identity\r\n")).body, "x");
  RawResponse other = client.ask(post("/echo", "x", "Content-Encoding: br\r\n"));
  EXPECT_EQ(other.status, 415);
  EXPECT_TRUE(other.has("\r\nAccept-Encoding: gzip, identity\r\n"));
}

/// Mostly HTTP, with wounds; else noise.
std::string hostile_text(std::mt19937& random) {
  static const std::string kPieces[] = {
      get("/hello"),
      post("/echo", "body"),
      "GET ",
      "/hello",
      " HTTP/1.1\r\n",
      "Host: h\r\n",
      "Content-Length: ",
      "Transfer-Encoding: chunked\r\n\r\n",
      "5\r\nhello\r\n",
      "0\r\n\r\n",
      "0\r\nX: y\r\n\r\n",
      "\r\n",
      "\r\n\r\n",
      "4\r\n",
      "\r\n \r\n",
      "1;a=\"b\\\"\"\r\n",
      "Expect: 100-continue\r\n",
      "Connection: close\r\n",
      "Connection: ,,\r\n",
      "HTTP/1.1 200 OK",
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
      "Content-Encoding: gzip\r\n",
      "\x1f\x8b\x08",
      ": ",
      "%00",
      "FFFFFFFFFFFFFFFF\r\n"};
  std::string text;
  size_t count = 1 + random() % 12;
  for (size_t i = 0; i < count; ++i) {
    if (random() % 8 == 0) {
      for (size_t noise = random() % 200; noise > 0; --noise) {
        text.push_back(static_cast<char>(random()));
      }
    } else {
      text += kPieces[random() % std::size(kPieces)];
    }
  }
  for (size_t wounds = random() % 3; wounds > 0 && !text.empty(); --wounds) {
    text[random() % text.size()] = static_cast<char>(random());
  }
  return text;
}

TEST_F(HttpServerTest, SurvivesHostileBytes) {
  options_.header_timeout = options_.body_timeout = 2s;
  options_.drain_timeout = 100ms;
  start();
  std::mt19937 random(20240517);
  for (int round = 0; round < 3000; ++round) {
    std::string text = hostile_text(random);
    RawClient client = this->client();
    size_t cut = random() % (text.size() + 1);
    client.send(text.substr(0, cut));
    client.send(text.substr(cut));
    client.end_of_sending();
    if (round % 4 == 0) client.read_to_end();
    if (round % 500 == 0) {
      ASSERT_TRUE(serves_others()) << round;
    }
  }
  EXPECT_TRUE(serves_others());
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(counters().body_bytes_held, 0u);
}

}  // namespace
}  // namespace pollux
