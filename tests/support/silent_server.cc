#include "tests/support/silent_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pollux {

SilentServer::SilentServer(std::string greeting) : greeting_(std::move(greeting)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof(address);
  EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), bytes), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
  EXPECT_EQ(::listen(listener_, 16), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

SilentServer::~SilentServer() {
  ::shutdown(listener_, SHUT_RDWR);  // ends accept()
  thread_.join();
  ::close(listener_);
  for (int connection : connections_) ::close(connection);
}

void SilentServer::run() {
  for (;;) {
    int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    connections_.push_back(connection);
    if (!greeting_.empty()) {
      EXPECT_EQ(::send(connection, greeting_.data(), greeting_.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(greeting_.size()));
    }
  }
}

}  // namespace pollux
