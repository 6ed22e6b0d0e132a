// A stranger with a socket, who says whatever he likes. Thread: one.
#pragma once

#include <string>
#include <string_view>

#include "ha/wire/handshake.h"

namespace pollux {

class RawPeer {
 public:
  /// To a port of this machine.
  explicit RawPeer(uint16_t port);
  ~RawPeer();
  RawPeer(RawPeer&& other) noexcept;
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  /// False: the other end has closed it.
  bool say(std::string_view bytes);
  /// Everything until the other end closes it; waits for at most kPatience.
  std::string hear_to_the_end();
  /// At least so many bytes, or what came before the end.
  std::string hear(size_t bytes);
  /// The other end has closed it, or does so soon.
  bool is_closed();

 private:
  friend class MuteDoor;
  RawPeer() = default;
  int socket_ = -1;
};

/// A port where connections come up and nobody says anything, but for what a test does.
/// Thread: one.
class MuteDoor {
 public:
  MuteDoor();
  ~MuteDoor();
  MuteDoor(const MuteDoor&) = delete;
  MuteDoor& operator=(const MuteDoor&) = delete;
  uint16_t port() const { return port_; }
  /// The next that comes to it.
  RawPeer accept();

 private:
  int socket_;
  uint16_t port_ = 0;
};

/// An offer that a node of LinkNode::test_options() takes.
HandshakeOffer good_offer(ConnectionKind kind, uint64_t process = 77);
std::string bytes_of(const HandshakeOffer& offer);
/// kDataLoss: these bytes are none.
absl::StatusOr<HandshakeAnswer> answer_in(std::string_view bytes);

}  // namespace pollux
