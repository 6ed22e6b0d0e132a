// A TCP proxy whose connections can be cut, or frozen: open, but nothing passes.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>
#include <vector>

namespace pollux {

class CutProxy {
 public:
  explicit CutProxy(uint16_t to) : to_(to), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in place = loopback(0);
    socklen_t length = sizeof place;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&place), sizeof place), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&place), &length);
    port_ = ntohs(place.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~CutProxy() {
    stopping_ = true;
    thread_.join();
    for (const Pair& pair : pairs_) close_pair(pair);
    ::close(listener_);
  }

  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }

  /// All connections are reset, in the middle of whatever passes.
  void cut() { cut_ = true; }
  void freeze(bool frozen) { frozen_ = frozen; }
  /// How often clients have sent something.
  uint64_t reads() const { return reads_; }
  uint64_t cuts() const { return cuts_; }

 private:
  struct Pair {
    int client;
    int server;
  };

  static constexpr int kPollMs = 2;

  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port);
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return place;
  }

  static void close_pair(const Pair& pair) {
    const linger reset{1, 0};
    for (int socket : {pair.client, pair.server}) {
      ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      ::close(socket);
    }
  }

  void run() {
    while (!stopping_) {
      if (cut_.exchange(false)) {
        cuts_ += !pairs_.empty();
        for (const Pair& pair : pairs_) close_pair(pair);
        pairs_.clear();
      }
      std::vector<pollfd> ready{{listener_, POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        const short events = frozen_ ? 0 : POLLIN;
        ready.push_back({pair.client, events, 0});
        ready.push_back({pair.server, events, 0});
      }
      ::poll(ready.data(), ready.size(), kPollMs);
      size_t at = 1;
      for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
        const bool from_client = (ready[at].revents & POLLIN) != 0;
        const bool from_server = (ready[at + 1].revents & POLLIN) != 0;
        reads_ += from_client;
        const bool lives = (!from_client || pass(pair->client, pair->server)) &&
                           (!from_server || pass(pair->server, pair->client));
        if (!lives) close_pair(*pair);
        pair = lives ? std::next(pair) : pairs_.erase(pair);
      }
      if ((ready[0].revents & POLLIN) != 0) accept_one();
    }
  }

  void accept_one() {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in place = loopback(to_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0) {
      pairs_.push_back({client, server});
    } else {
      close_pair({client, server});
    }
  }

  static bool pass(int from, int to) {
    char bytes[16 * 1024];
    const ssize_t got = ::recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got <= 0) return false;
    for (ssize_t put = 0; put < got;) {
      const ssize_t sent = ::send(to, bytes + put, static_cast<size_t>(got - put), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      put += sent;
    }
    return true;
  }

  const uint16_t to_;
  const int listener_;
  uint16_t port_ = 0;
  std::list<Pair> pairs_;  // of the thread
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> cut_ = false;
  std::atomic<bool> frozen_ = false;
  std::atomic<uint64_t> reads_ = 0;
  std::atomic<uint64_t> cuts_ = 0;
  std::thread thread_;
};

}  // namespace pollux
