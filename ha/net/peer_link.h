// The way to the other node of a pair, over TCP: finds it, keeps connections to it both ways, and
// carries what a Replica says and the batches that are forwarded.
//
// One io thread. It listens on two ports, membership and event sync, and dials the members until
// one answers that is of its domain; itself it recognises and leaves alone. Both nodes dial:
//
//     membership    Heartbeats of who dialled
//     event sync    HELLO and ACK of who dialled; what answers them comes back
//     forward       batches of who dialled; answers come back
//
// The way is open while all four connections of the first two kinds stand, and it ends with the
// first of them. Whatever else comes to the ports - strangers, nodes of other domains or versions,
// too many, too slow - is refused and counted, and leaves the peer's connections alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ha/net/link_counters.h"
#include "ha/net/members.h"
#include "ha/pair/messages.h"
#include "ha/wire/forward.h"
#include "ha/wire/handshake.h"

namespace pollux {

struct PeerLinkOptions {
  using Milliseconds = std::chrono::milliseconds;

  std::string domain = "pollux";  ///< nodes of one name find each other
  std::string node = "pollux";    ///< for people
  uint64_t fingerprint = 0;       ///< of maths functions; both nodes' must be equal
  /// The newest that is spoken; with an older peer it is the peer's newest.
  uint16_t protocol_version_max = kProtocolVersionMax;

  std::string bind_address = "0.0.0.0";  ///< of IPv4 or IPv6; "::" takes both
  uint16_t membership_port = 4000;       ///< 0: the kernel chooses
  uint16_t event_sync_port = 11224;      ///< 0: the kernel chooses
  /// The host under which the peer reaches this node, see check_advertised(). The ports are those
  /// it listens on, unless others are named.
  std::string advertised_host = "127.0.0.1";
  uint16_t advertised_membership_port = 0;
  uint16_t advertised_event_sync_port = 0;
  std::string advertised_snapshots;  ///< host:port; empty: this node gives none
  std::vector<HostPort> members;     ///< membership ports; this node may be among them

  Milliseconds connect_timeout{1000};
  Milliseconds handshake_timeout{1000};
  Milliseconds assemble_timeout{3000};  ///< from a peer's first connection to its last
  Milliseconds user_timeout{2000};      ///< for bytes that the peer's machine does not confirm
  Milliseconds redial_min{50};          ///< between two rounds of dialling; doubles up to ...
  Milliseconds redial_max{1000};

  size_t queue_bytes_max = size_t{64} << 20;  ///< that wait to be written to one connection
  bool packs = false;                         ///< entries, see MessageEncoder

  size_t forwards_max = 1024;  ///< not answered yet, each way
  size_t forward_bytes_max = size_t{64} << 20;

  size_t half_open_max = 16;  ///< connections whose handshake is not complete
};

/// To be called once, from any thread, at any time; also when the link is gone, or the connection:
/// then nobody hears it. The request's number need not be filled in.
using ForwardAnswerer = std::function<void(ForwardedAnswer)>;

/// Thread: io. Calls must be quick, and must not end the link.
class PeerLinkListener {
 public:
  virtual ~PeerLinkListener() = default;

  /// The way to this peer is open.
  virtual void on_connected(const NodeCard& peer) = 0;
  /// It has ended; what was sent may or may not have arrived.
  virtual void on_disconnected(const std::string& reason) = 0;
  /// Only between the two. Messages of one connection come in the order in which they were sent.
  virtual void on_message(PeerMessage message) = 0;
  /// Also when the way is not open in all its parts.
  virtual void on_forward(ForwardedBatch batch, ForwardAnswerer answer) = 0;
};

class PeerLink {
 public:
  /// Listens, and begins to dial. `listener` outlives the link. Errors name the address that is
  /// none, or cannot be bound.
  static absl::StatusOr<std::unique_ptr<PeerLink>> open(PeerLinkOptions options,
                                                        PeerLinkListener& listener);
  /// Ends all connections, and joins the thread; on_disconnected() is called if the way was open,
  /// and every forward is answered.
  ~PeerLink();
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  /// Thread: any; never waits. While the way is not open, or the queue of its connection is full,
  /// the message is dropped and counted; the latter also ends an event sync connection, since what
  /// comes behind would not follow.
  void send(PeerMessage message);

  /// Thread: any; never waits. `done` is called once: on the io thread, or before this returns.
  /// kResourceExhausted: too many are on their way; kUnavailable: there is no way to the peer, or
  /// it ended before the answer, and nobody knows what became of the batch.
  void forward(ForwardedBatch batch, std::function<void(ForwardedAnswer)> done);

  // ---- looking at it; thread: any ----

  bool connected() const;
  /// Of the protocol, as it is spoken with the peer: set before on_connected(), and 0 where there
  /// is no peer. What it does not know must not be sent.
  uint16_t version() const;
  /// Why there is no way to a peer, as far as is known; for people. Empty when there is one.
  std::string problem() const;
  uint16_t membership_port() const;
  uint16_t event_sync_port() const;
  const NodeCard& card() const;
  const LinkCounters& counters() const;

 private:
  struct Impl;
  explicit PeerLink(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace pollux
