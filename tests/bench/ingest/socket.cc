#include "tests/bench/ingest/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace pollux::bench {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10;

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Small answers and requests must not wait for more, as the servers' own do not.
void send_at_once(int descriptor) {
  int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Socket Socket::connect(uint16_t port) {
  Socket made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(port);
  if (::connect(made.descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail("connect");
  }
  send_at_once(made.descriptor_);
  return made;
}

Socket Socket::listen(uint16_t& port) {
  constexpr int kBacklog = 64;
  Socket made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(made.descriptor_, plain, size) != 0 || ::listen(made.descriptor_, kBacklog) != 0 ||
      ::getsockname(made.descriptor_, plain, &size) != 0) {
    fail("listen");
  }
  port = ntohs(address.sin_port);
  return made;
}

Socket Socket::accept() const {
  int taken = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
  if (taken < 0) fail("accept");
  send_at_once(taken);
  return Socket(taken);
}

void Socket::write_all(std::string_view bytes) const {
  while (!bytes.empty()) {
    ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) fail("send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

bool Socket::read_some(std::string& bytes) const {
  size_t before = bytes.size();
  bytes.resize(before + kReadBytes);
  ssize_t got = ::recv(descriptor_, bytes.data() + before, kReadBytes, 0);
  if (got < 0) fail("recv");
  bytes.resize(before + static_cast<size_t>(got));
  return got > 0;
}

}  // namespace pollux::bench
