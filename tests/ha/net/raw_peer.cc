#include "tests/ha/net/raw_peer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "tests/ha/net/link_node.h"
#include "tests/ha/wire/wire_bytes.h"

namespace pollux {
namespace {

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

RawPeer::RawPeer(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(port);
  EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
}

RawPeer::RawPeer(RawPeer&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

RawPeer::~RawPeer() {
  if (socket_ >= 0) ::close(socket_);
}

bool RawPeer::say(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string RawPeer::hear(size_t bytes) {
  std::string heard;
  while (heard.size() < bytes) {
    pollfd waiting{socket_, POLLIN, 0};
    auto patience = std::chrono::milliseconds(kPatience).count();
    if (::poll(&waiting, 1, static_cast<int>(patience)) <= 0) {
      ADD_FAILURE() << "neither bytes nor an end";
      break;
    }
    char some[4096];
    ssize_t came = ::recv(socket_, some, sizeof(some), 0);
    if (came <= 0) break;
    heard.append(some, static_cast<size_t>(came));
  }
  return heard;
}

std::string RawPeer::hear_to_the_end() { return hear(SIZE_MAX); }

bool RawPeer::is_closed() {
  hear_to_the_end();
  return !testing::Test::HasFailure();
}

MuteDoor::MuteDoor() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof(address);
  EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::listen(socket_, 64), 0);
  EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length), 0);
  port_ = ntohs(address.sin_port);
}

MuteDoor::~MuteDoor() { ::close(socket_); }

RawPeer MuteDoor::accept() {
  RawPeer came;
  came.socket_ = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_GE(came.socket_, 0);
  return came;
}

HandshakeOffer good_offer(ConnectionKind kind, uint64_t process) {
  HandshakeOffer offer;
  offer.kind = kind;
  offer.card.process = {process, 1};
  offer.card.attempt = 1;
  offer.card.domain = "test";
  offer.card.node = "stranger";
  offer.card.membership = "127.0.0.1:1";
  offer.card.event_sync = "127.0.0.1:1";
  return offer;
}

std::string bytes_of(const HandshakeOffer& offer) {
  std::string bytes;
  encode_offer(offer, bytes);
  return bytes;
}

absl::StatusOr<HandshakeAnswer> answer_in(std::string_view bytes) {
  WireReader reader(kHandshakeBytesMax);
  feed(reader, bytes);
  auto frame = reader.next();
  if (!frame.ok()) return frame.status();
  if (!*frame) return absl::DataLossError("no answer");
  return decode_answer(**frame);
}

}  // namespace pollux
