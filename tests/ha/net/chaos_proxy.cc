#include "tests/ha/net/chaos_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace pollux {
namespace {

constexpr int kLookEveryMs = 1;
constexpr size_t kBytesHeldMax = 64 * 1024;  ///< of a lane: what is more stays with the sender

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void prepare(int socket) {
  int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
}

}  // namespace

ChaosProxy::ChaosProxy() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::listen(listener_, 64), 0);
  socklen_t length = sizeof(address);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

ChaosProxy::~ChaosProxy() {
  stop_ = true;
  thread_.join();
  close_all();
  ::close(listener_);
}

void ChaosProxy::close_all() {
  for (const auto& line : lines_) {
    for (int end : line->ends) ::close(end);
  }
  lines_.clear();
  count_ = 0;
}

void ChaosProxy::accept_one() {
  int from = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (from < 0) return;
  int to = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(target_);
  if (target_ == 0 || ::connect(to, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(from);
    ::close(to);
    return;
  }
  prepare(from);
  prepare(to);
  lines_.push_back(std::unique_ptr<Line>(new Line{{from, to}, {Lane{from, to}, Lane{to, from}}}));
  ++count_;
}

void ChaosProxy::run() {
  int cuts = 0;
  while (!stop_) {
    std::vector<pollfd> waiting = {{listener_, POLLIN, 0}};
    if (!still_) {
      for (const auto& line : lines_) {
        for (int end : line->ends) waiting.push_back({end, POLLIN, 0});
      }
    }
    ::poll(waiting.data(), waiting.size(), kLookEveryMs);
    if (cuts_ != cuts) {
      cuts = cuts_;
      close_all();
    }
    if ((waiting[0].revents & POLLIN) != 0) accept_one();
    if (still_) continue;
    std::erase_if(lines_, [this](const auto& line) {
      if (move(*line)) return false;
      for (int end : line->ends) ::close(end);
      --count_;
      return true;
    });
  }
}

bool ChaosProxy::move(Line& line) {
  bool lives = move(line.lanes[0]);
  return move(line.lanes[1]) && lives;
}

bool ChaosProxy::move(Lane& lane) {
  size_t held = 0;
  for (const Piece& piece : lane.pieces) held += piece.bytes.size();
  if (!lane.ended && held < kBytesHeldMax) {
    char some[16 * 1024];
    ssize_t came = ::recv(lane.from, some, sizeof(some), 0);
    if (came > 0) {
      lane.pieces.push_back({std::string(some, static_cast<size_t>(came)),
                             Clock::now() + std::chrono::milliseconds(delay_ms_)});
    } else if (came == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
      lane.ended = true;
    }
  }
  while (!lane.pieces.empty() && lane.pieces.front().due <= Clock::now()) {
    std::string& bytes = lane.pieces.front().bytes;
    ssize_t sent = ::send(lane.to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    bytes.erase(0, static_cast<size_t>(sent));
    if (!bytes.empty()) break;
    lane.pieces.pop_front();
  }
  return !lane.ended || !lane.pieces.empty();
}

}  // namespace pollux
