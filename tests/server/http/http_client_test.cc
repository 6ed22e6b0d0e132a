#include "server/http/http_client.h"

#include <atomic>
#include <vector>

#include "tests/server/http/http_testing.h"

namespace pollux {
namespace {

class HttpClientTest : public HttpServerTest {
 protected:
  HttpClientTest() {
    router_.add({"GET", "/lines", [](HttpRequest, const Responder& responder) {
                   ResponseStream stream = responder.stream({200, "text/event-stream", ""}, {});
                   stream.write("data: 1\r\n\nda");
                   stream.write("ta: 2\n\n");
                   stream.write("data: 3\n\n");
                 }});
    router_.add({"GET", "/silent", [this](HttpRequest, const Responder& responder) {
                   kept_ = responder.stream({200, "text/event-stream", ""}, {});
                 }});
    router_.add({"GET", "/never",
                 [this](HttpRequest, const Responder& responder) { never_.push_back(responder); }});
    options_.threads = 1;
  }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  absl::StatusCode failure(const HttpClientRequest& request) {
    return client_.request(request).status().code();
  }

  HttpClient client_;
  ResponseStream kept_;
  std::vector<Responder> never_;
};

TEST_F(HttpClientTest, SendsAndReceivesOverOneConnection) {
  start();
  std::string body(3 << 19, 'x');
  for (int i = 0; i < 3; ++i) {
    auto response = client_.request({"POST", url("/echo"), {}, "small"});
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "small");
    EXPECT_EQ(response->headers.find("content-type"), "text/plain");
  }
  EXPECT_EQ(client_.request({"GET", url("/hello"), {{"X-Y", "z"}, {"X-Empty", ""}}})->body,
            "hello");
  EXPECT_EQ(client_.request({"HEAD", url("/hello")})->status, 200);
  EXPECT_EQ(client_.request({"POST", url("/echo")})->status, 200);
  EXPECT_EQ(client_.request({"DELETE", url("/hello")})->status, 405);
  EXPECT_EQ(client_.request({"GET", url("/nothing")})->status, 404);
  EXPECT_EQ(counters().connections_accepted, 1u);
  EXPECT_EQ(client_.request({"POST", url("/echo"), {}, body})->status, 413);
}

TEST_F(HttpClientTest, SaysWhatWentWrong) {
  start();
  EXPECT_EQ(failure({"GET", "not a url"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(failure({"GET", "file:///etc/passwd"}), absl::StatusCode::kInvalidArgument);
  HttpClientRequest never{"GET", url("/never")};
  never.timeout = 50ms;
  EXPECT_EQ(failure(never), absl::StatusCode::kDeadlineExceeded);
  HttpClientRequest small{"GET", url("/hello")};
  small.body_bytes_max = 4;
  EXPECT_EQ(failure(small), absl::StatusCode::kResourceExhausted);
  HttpClientRequest stopped{"GET", url("/never")};
  stopped.should_stop = [] { return true; };
  EXPECT_EQ(failure(stopped), absl::StatusCode::kCancelled);
  HttpClientRequest gone{"GET", url("/hello")};
  server_->stop(0ms);
  auto refused = client_.request(gone);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(refused.status().message().find(gone.url), std::string::npos) << refused.status();
}

TEST_F(HttpClientTest, ReadsLinesUntilTheServerEndsOrWeHaveEnough) {
  start();
  std::vector<std::string> lines;
  auto collect = [&lines](std::string_view line) {
    lines.emplace_back(line);
    return line != "data: 2" || lines.size() > 10;
  };
  auto all = client_.get_lines({"GET", url("/lines")}, [&lines](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->status, 200);
  std::vector<std::string> expected{"data: 1", "", "data: 2", "", "data: 3", ""};
  EXPECT_EQ(lines, expected);
  lines.clear();
  ASSERT_TRUE(client_.get_lines({"GET", url("/lines")}, collect).ok());
  expected.resize(3);
  EXPECT_EQ(lines, expected);
  auto missing = client_.get_lines({"GET", url("/nothing")}, collect);
  ASSERT_TRUE(missing.ok());
  EXPECT_EQ(missing->status, 404);
  EXPECT_NE(missing->body.find("not_found"), std::string::npos);
}

TEST_F(HttpClientTest, ASilentStreamCanBeStoppedAndTimesOut) {
  start();
  auto ignore = [](std::string_view) { return true; };
  HttpClientRequest request{"GET", url("/silent")};
  request.timeout = 100ms;
  EXPECT_EQ(client_.get_lines(request, ignore).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  request.timeout = 60s;
  std::atomic<bool> stop = false;
  request.should_stop = [&stop] { return stop.load(); };
  std::thread stopper([this, &stop] {
    EXPECT_TRUE(becomes_true([this] { return counters().streams_open == 1; }));
    stop = true;
  });
  EXPECT_EQ(client_.get_lines(request, ignore).status().code(), absl::StatusCode::kCancelled);
  stopper.join();
}

}  // namespace
}  // namespace pollux
