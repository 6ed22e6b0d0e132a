// Who comes to the two ports.
#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ha/net/link_core.h"

namespace pollux {
namespace {

using boost::system::error_code;

constexpr int kBacklog = 128;
constexpr std::chrono::milliseconds kAcceptPause{50};

}  // namespace

absl::Status LinkCore::open_door(Door& door, uint16_t port, std::string_view name) {
  error_code error;
  auto address = boost::asio::ip::make_address(options_.bind_address, error);
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat("'", options_.bind_address,
                                                   "', to listen on for ", std::string(name),
                                                   ", is not an IPv4 or IPv6 address"));
  }
  LinkConnection::Tcp::endpoint endpoint(address, port);
  door.acceptor.open(endpoint.protocol(), error);
  if (!error) door.acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
  if (!error && address.is_v6()) {
    door.acceptor.set_option(boost::asio::ip::v6_only(false), error);
  }
  if (!error) door.acceptor.bind(endpoint, error);
  if (!error) door.acceptor.listen(kBacklog, error);
  if (!error) door.port = door.acceptor.local_endpoint(error).port();
  if (!error) return absl::OkStatus();
  std::string message = absl::StrCat("cannot listen on ", to_text({options_.bind_address, port}),
                                     " for ", std::string(name), ": ", error.message());
  if (error == boost::asio::error::address_in_use) return absl::AlreadyExistsError(message);
  return absl::UnavailableError(message);
}

void LinkCore::accept(Door& door) {
  door.acceptor.async_accept([this, &door](error_code error, LinkConnection::Socket socket) {
    if (!door.acceptor.is_open()) return;
    if (error) {
      counters_.add(counters_.accept_errors);
      // No descriptor left, for example: trying again at once would only spin.
      door.pause.expires_after(kAcceptPause);
      return door.pause.async_wait([this, &door](error_code stopped) {
        if (!stopped && door.acceptor.is_open()) accept(door);
      });
    }
    make_room_for_handshake();
    ConnectionPtr connection = new_connection(std::move(socket));
    connection->tag.port = door.port;
    half_open_.push_back(connection);
    connection->set_deadline(options_.handshake_timeout);
    connection->start();
    accept(door);
  });
}

/// Whoever has kept silent for longest goes: a peer says at once what it wants, so that a crowd of
/// others does not keep it out.
void LinkCore::make_room_for_handshake() {
  while (half_open_.size() >= std::max<size_t>(options_.half_open_max, 1)) {
    ConnectionPtr oldest = half_open_.front();
    half_open_.pop_front();
    counters_.add(counters_.refused[static_cast<size_t>(Refusal::kTooManyConnections)]);
    std::string answer;
    encode_answer(refuse(card_, Refusal::kTooManyConnections,
                         "more connections are being made to this node than it takes"),
                  answer);
    oldest->close_with(answer);
  }
}

void LinkCore::count_failed_handshake(LinkConnection::End end, const absl::Status& frame_error) {
  if (end == LinkConnection::End::kLate) {
    counters_.add(counters_.handshakes_late);
  } else if (absl::IsInvalidArgument(frame_error) || absl::IsUnimplemented(frame_error)) {
    counters_.add(counters_.not_ours);
  } else {
    counters_.add(counters_.handshakes_broken);
  }
}

void LinkCore::refuse_offer(LinkConnection& connection, const HandshakeAnswer& answer) {
  counters_.add(counters_.refused[static_cast<size_t>(answer.refusal)]);
  bool worth_telling = !peer_ && answer.refusal != Refusal::kMyself;
  if (worth_telling) set_problem(answer.reason);
  forget(connection);
  std::string bytes;
  encode_answer(answer, bytes);
  connection.close_with(bytes);
}

/// Whether it is the peer, and what it offers is of its present attempt; whoever began anew takes
/// the place of what he was.
Refusal LinkCore::judge_peer(const HandshakeOffer& offer) {
  const NodeCard& theirs = offer.card;
  if (!peer_) return Refusal::kNone;
  if (theirs.process != peer_->process) {
    if (theirs.membership != peer_->membership) return Refusal::kOtherPeer;
    drop_peer(absl::StrCat("node '", theirs.node, "' was started anew"));
    return Refusal::kNone;
  }
  if (theirs.attempt < peer_->attempt) return Refusal::kGivenUp;
  if (theirs.attempt > peer_->attempt) {
    drop_peer(absl::StrCat("node '", theirs.node, "' has given its connections up"));
    return Refusal::kNone;
  }
  bool twice = stands(way_of(offer.kind, false));
  return twice ? Refusal::kDuplicate : Refusal::kNone;
}

void LinkCore::on_offer(LinkConnection& connection, const WireFrame& frame) {
  auto offer = decode_offer(frame);
  if (!offer.ok()) return violation(connection, std::string(offer.status().message()));
  HandshakeAnswer answer = judge_offer(card_, *offer);
  if (answer.refusal != Refusal::kNone) return refuse_offer(connection, answer);
  bool at_membership = connection.tag.port == membership_.port;
  if (at_membership != (offer->kind == ConnectionKind::kMembership)) {
    return refuse_offer(
        connection, refuse(card_, Refusal::kWrongPort,
                           absl::StrCat("this port takes no connections for ",
                                        std::string(name_of(offer->kind)),
                                        ": the ports of membership and event sync are mixed up")));
  }
  Refusal refusal = judge_peer(*offer);
  if (refusal != Refusal::kNone) {
    std::string reason =
        absl::StrCat("node '", card_.node, "' has node '", peer_->node, "' at ", peer_->membership,
                     " as its peer (", std::string(name_of(refusal)), ")");
    return refuse_offer(connection, refuse(card_, refusal, reason));
  }
  ConnectionPtr self = connection.shared_from_this();
  forget(connection);
  answer.card = card_;  // its attempt may have changed
  encode_answer(answer, connection.out());
  connection.flush();
  adopt(offer->card, answer.version);
  take_slot(connection, way_of(offer->kind, false));
  dial_rest();
}

}  // namespace pollux
