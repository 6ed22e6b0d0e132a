// Answers that go on, and the end of the server.
#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <vector>

#include "tests/server/http/http_testing.h"

namespace pollux {
namespace {

class HttpStreamTest : public HttpServerTest {
 protected:
  HttpStreamTest() {
    router_.add(
        {"GET", "/stream", [this](HttpRequest, const Responder& responder) {
           ResponseStreamCallbacks callbacks;
           callbacks.on_drain = [this] { ++drained_; };
           callbacks.on_closed = [this] { ++closed_; };
           ResponseStream stream = responder.stream({200, "text/event-stream", ""}, callbacks);
           std::lock_guard lock(mutex_);
           stream_ = stream;
         }});
  }
  /// The stream of the request that came last, once it is there.
  ResponseStream stream() {
    EXPECT_TRUE(becomes_true([this] {
      std::lock_guard lock(mutex_);
      return stream_.has_value();
    }));
    std::lock_guard lock(mutex_);
    return *std::exchange(stream_, std::nullopt);
  }
  static std::string chunk(const std::string& text) {
    char size[20];
    std::snprintf(size, sizeof(size), "%zx\r\n", text.size());
    return size + text + "\r\n";
  }

  std::atomic<int> drained_ = 0;
  std::atomic<int> closed_ = 0;
  std::mutex mutex_;
  std::optional<ResponseStream> stream_;
};

TEST_F(HttpStreamTest, SendsEachWriteAndEndsWhenClosed) {
  start();
  RawClient client = this->client();
  client.send(get("/stream"));
  ResponseStream stream = this->stream();
  std::string head = client.read_to("\r\n\r\n");
  EXPECT_NE(head.find("\r\nContent-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_NE(head.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos);
  for (int i = 0; i < 100; ++i) {
    std::string text = "data: " + std::to_string(i) + "\n\n";
    EXPECT_EQ(stream.write(text), ResponseStream::Write::kTaken);
    EXPECT_EQ(client.read_to("\n\n\r\n"), chunk(text));
  }
  EXPECT_EQ(counters().streams_open, 1u);
  EXPECT_FALSE(stream.closed());
  stream.write("last");
  stream.close();
  EXPECT_EQ(stream.write("more"), ResponseStream::Write::kClosed);
  EXPECT_EQ(client.read_to_end(), chunk("last") + "0\r\n\r\n");
  EXPECT_TRUE(becomes_true([this] { return closed_ == 1; }));
  EXPECT_EQ(counters().streams_open, 0u);
}

TEST_F(HttpStreamTest, ToHttp10ItSendsPlainBytes) {
  start();
  RawClient client = this->client();
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  ResponseStream stream = this->stream();
  stream.write("one");
  stream.write("two");
  stream = {};  // the last copy
  client.read_to("\r\n\r\n");
  EXPECT_EQ(client.read_to_end(), "onetwo");
}

TEST_F(HttpStreamTest, ToHeadItSendsNothing) {
  start();
  RawClient client = this->client();
  client.send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  ResponseStream stream = this->stream();
  EXPECT_TRUE(becomes_true([&stream] { return stream.closed(); }));
  EXPECT_TRUE(client.read_to_end().ends_with("\r\n\r\n"));
  EXPECT_EQ(closed_, 1);
}

TEST_F(HttpStreamTest, NoticesThatTheClientWent) {
  start();
  std::optional<RawClient> client(this->client());
  client->send(get("/stream"));
  ResponseStream stream = this->stream();
  client.reset();
  EXPECT_TRUE(becomes_true([this] { return closed_ == 1; }));
  EXPECT_EQ(stream.write("x"), ResponseStream::Write::kClosed);
  EXPECT_TRUE(all_closed());
}

TEST_F(HttpStreamTest, ASlowReaderFillsItsOwnBufferOnlyAndGoesOnWhenItReads) {
  options_.stream_bytes_max = 64 * 1024;
  start();
  RawClient client(server_->port(), 4096);
  client.send(get("/stream"));
  ResponseStream stream = this->stream();
  std::string piece(1000, 'x');
  size_t taken = 0;
  ResponseStream::Write result = ResponseStream::Write::kTaken;
  // The kernel's buffers fill first, then ours.
  ASSERT_TRUE(becomes_true([&] {
    while ((result = stream.write(piece)) == ResponseStream::Write::kTaken) ++taken;
    size_t before = counters().bytes_out;
    std::this_thread::sleep_for(20ms);
    return counters().bytes_out == before && stream.write(piece) == ResponseStream::Write::kFull;
  }));
  EXPECT_TRUE(serves_others());
  int drained_before = drained_;
  size_t bytes = 0;
  std::thread reader([&] { bytes = client.read_to_end().size(); });
  EXPECT_TRUE(becomes_true([&] { return drained_ > drained_before; }));
  EXPECT_EQ(stream.write("end"), ResponseStream::Write::kTaken);
  stream.close();
  reader.join();
  EXPECT_GT(bytes, taken * piece.size());
  EXPECT_TRUE(becomes_true([this] { return closed_ == 1; }));
}

TEST_F(HttpStreamTest, AReaderThatStandsStillIsCut) {
  options_.write_timeout = 150ms;
  options_.transfer_rate_min = 1ull << 30;
  start();
  RawClient client(server_->port(), 4096);
  client.send(get("/stream"));
  ResponseStream stream = this->stream();
  std::string piece(100'000, 'x');
  EXPECT_TRUE(becomes_true([&] { return stream.write(piece) == ResponseStream::Write::kClosed; }));
  EXPECT_TRUE(becomes_true([this] { return closed_ == 1; }));
  EXPECT_EQ(counters().write_timeouts, 1u);
}

TEST_F(HttpStreamTest, ASilentStreamHasNoDeadline) {
  options_.write_timeout = options_.idle_timeout = 50ms;
  start();
  RawClient client = this->client();
  client.send(get("/stream"));
  ResponseStream stream = this->stream();
  client.read_to("\r\n\r\n");
  // Others time out meanwhile.
  EXPECT_TRUE(this->client().closed_by_server());
  EXPECT_TRUE(this->client().closed_by_server());
  EXPECT_EQ(stream.write("still here"), ResponseStream::Write::kTaken);
  EXPECT_EQ(client.read_to("here\r\n"), chunk("still here"));
}

TEST_F(HttpStreamTest, ManyThreadsWriteOneStream) {
  options_.stream_bytes_max = 16 << 20;
  start();
  RawClient client = this->client();
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  ResponseStream stream = this->stream();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([stream, t] {
      for (int i = 0; i < 1000; ++i)
        stream.write(std::string(10, static_cast<char>('a' + t)) + "\n");
    });
  }
  for (std::thread& thread : threads) thread.join();
  stream.close();
  client.read_to("\r\n\r\n");
  std::string all = client.read_to_end();
  EXPECT_EQ(all.size(), 4u * 1000 * 11);
  for (size_t at = 0; at < all.size(); at += 11) {
    EXPECT_EQ(all.substr(at, 11), std::string(10, all[at]) + "\n");
  }
}

TEST_F(HttpStreamTest, StopEndsStreamsAndIdleConnections) {
  start();
  RawClient listener = client();
  listener.send(get("/stream"));
  ResponseStream stream = this->stream();
  RawClient idle = client();
  EXPECT_EQ(idle.ask(get("/hello")).status, 200);
  stream.write("bye");
  auto began = std::chrono::steady_clock::now();
  server_->stop(10s);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_TRUE(listener.read_to_end().ends_with(chunk("bye") + "0\r\n\r\n"));
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_EQ(closed_, 1);
  EXPECT_EQ(stream.write("x"), ResponseStream::Write::kClosed);
  EXPECT_EQ(counters().connections_open, 0u);
}

TEST_F(HttpStreamTest, StopLetsRequestsInHandBeAnswered) {
  std::promise<Responder> later;
  router_.add({"GET", "/later",
               [&later](HttpRequest, const Responder& responder) { later.set_value(responder); }});
  start();
  RawClient waiting = client();
  waiting.send(get("/later"));
  RawClient sending = client();
  sending.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbo");
  std::optional<Responder> responder = later.get_future().get();
  ASSERT_TRUE(becomes_true([this] { return counters().bytes_in > 80; }));
  std::thread stopping([this] { server_->stop(10s); });
  RawClient idle = client();
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_EQ(sending.ask("dy").body, "body");
  responder->answer({200, "text/plain", "at last"});
  responder.reset();
  RawResponse response = waiting.read_response();
  EXPECT_EQ(response.body, "at last");
  EXPECT_TRUE(response.has("\r\nConnection: close\r\n"));
  stopping.join();
}

TEST_F(HttpStreamTest, StopCutsWhatDoesNotEndInTime) {
  std::promise<Responder> later;
  router_.add({"GET", "/never",
               [&later](HttpRequest, const Responder& responder) { later.set_value(responder); }});
  start();
  RawClient waiting = client();
  waiting.send(get("/never"));
  Responder kept = later.get_future().get();
  RawClient half = client();
  half.send("GET /he");
  ASSERT_TRUE(becomes_true([this] { return counters().bytes_in == get("/never").size() + 7; }));
  server_->stop(50ms);
  EXPECT_TRUE(waiting.closed_by_server());
  EXPECT_TRUE(half.closed_by_server());
}

}  // namespace
}  // namespace pollux
