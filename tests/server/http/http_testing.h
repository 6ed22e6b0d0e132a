// A server on a free port, and a client that sends what it is told, byte by byte if need be.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "server/http/http_server.h"

namespace pollux {

using namespace std::chrono_literals;

/// Polls `condition` for at most 20 s.
inline bool becomes_true(const std::function<bool()>& condition) {
  auto until = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

struct RawResponse {
  int status = 0;    ///< 0: the connection ended before a whole response
  std::string head;  ///< with the status line and the empty line
  std::string body;

  bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

class RawClient {
 public:
  explicit RawClient(uint16_t port, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    int yes = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0)
        << ::strerror(errno);
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), received_(std::move(other.received_)) {}
  RawClient& operator=(RawClient&&) = delete;
  ~RawClient() { close(); }

  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void end_of_sending() { ::shutdown(fd_, SHUT_WR); }

  /// False: the other side has closed.
  bool send(std::string_view text) {
    while (!text.empty()) {
      ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  /// Reads on until `text` is there, and gives all up to behind it; "" when the stream ends first.
  std::string read_to(std::string_view text) {
    for (;;) {
      size_t found = received_.find(text);
      if (found != std::string::npos) return take(found + text.size());
      if (!receive()) return "";
    }
  }
  std::string read_bytes(size_t bytes) {
    while (received_.size() < bytes) {
      if (!receive()) return "";
    }
    return take(bytes);
  }
  std::string read_to_end() {
    while (receive()) {
    }
    return take(received_.size());
  }
  bool closed_by_server() { return read_to_end().empty(); }

  RawResponse read_response(bool head_only = false) {
    RawResponse response;
    response.head = read_to("\r\n\r\n");
    if (response.head.size() < 12) return response;
    size_t at = response.head.find("Content-Length: ");
    if (at != std::string::npos && !head_only) {
      size_t bytes = std::stoul(response.head.substr(at + 16));
      response.body = read_bytes(bytes);
      if (response.body.size() != bytes) return response;
    }
    response.status = std::stoi(response.head.substr(9, 3));
    return response;
  }
  RawResponse ask(std::string_view text) {
    send(text);
    return read_response();
  }

 private:
  bool receive() {
    char piece[65536];
    ssize_t got = ::recv(fd_, piece, sizeof(piece), 0);
    if (got <= 0) return false;
    received_.append(piece, static_cast<size_t>(got));
    return true;
  }
  std::string take(size_t bytes) {
    std::string text = received_.substr(0, bytes);
    received_.erase(0, bytes);
    return text;
  }

  int fd_ = -1;
  std::string received_;
};

inline std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

inline std::string post(std::string_view path, std::string_view body,
                        std::string_view headers = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// Serves /hello, /echo (1 MiB at most), and what a test adds before start().
class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    router_.add({"GET", "/hello", [](HttpRequest, const Responder& responder) {
                   responder.answer({200, "text/plain", "hello"});
                 }});
    router_.add({"POST", "/echo", [](HttpRequest request, const Responder& responder) {
                   responder.answer({200, "text/plain", std::move(request.body)});
                 }});
  }

  /// Handlers write to members of tests: they must have ended before those do.
  void TearDown() override { server_.reset(); }

  void start() {
    auto started = HttpServer::start(options_, router_);
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }
  RawClient client() const { return RawClient(server_->port()); }
  RawResponse ask(std::string_view text) const { return client().ask(text); }
  const HttpCounters& counters() const { return server_->counters(); }
  bool serves_others() const { return ask(get("/hello")).body == "hello"; }
  bool all_closed() const {
    return becomes_true([this] { return counters().connections_open == 0; });
  }

  HttpServerOptions options_;
  Router router_;
  std::unique_ptr<HttpServer> server_;
};

/// The most memory that this process ever held, in KiB.
inline size_t peak_memory_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    size_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  return 0;
}

}  // namespace pollux
