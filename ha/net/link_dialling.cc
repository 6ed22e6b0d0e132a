// Whom this node dials, and what he answers.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ha/net/link_core.h"

namespace pollux {
namespace {

using std::chrono::milliseconds;

constexpr size_t kDialsMax = 32;  ///< at a time

}  // namespace

void LinkCore::schedule_round() {
  auto longest = static_cast<uint32_t>(std::max<int64_t>(redial_.count(), 1));
  // Half of it at least, and never two nodes in step.
  milliseconds wait(longest / 2 + std::uniform_int_distribution<uint32_t>(0, longest / 2)(jitter_));
  round_timer_.expires_after(wait);
  round_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) dial_round();
  });
  redial_ = std::min(2 * redial_, std::max(options_.redial_max, options_.redial_min));
}

/// All members in turn, until one has answered.
void LinkCore::dial_round() {
  if (stopping_) return;
  if (!stands(Way::kMembershipOut)) {
    for (size_t i = 0; i < candidates_.size() && dials_.size() < kDialsMax; ++i) {
      Candidate& candidate = candidates_[next_candidate_++ % candidates_.size()];
      if (candidate.dialling || candidate.myself) continue;
      candidate.dialling = true;
      dial(Way::kMembershipOut, candidate.address, true);
    }
  }
  if (!connected_) schedule_round();
}

void LinkCore::dial(Way way, const HostPort& address, bool candidate) {
  ConnectionPtr connection = new_connection(LinkConnection::Socket(context_));
  connection->tag.way = way;
  connection->tag.address = address;
  connection->tag.candidate = candidate;
  dials_.insert(connection);
  counters_.add(counters_.dials);
  connection->set_deadline(options_.connect_timeout);
  connection->dial(address);
}

/// What is still missing of the connections to the peer.
void LinkCore::dial_rest() {
  for (Way way : {Way::kMembershipOut, Way::kEventSyncOut, Way::kForwardOut}) {
    bool dialling = std::any_of(dials_.begin(), dials_.end(), [way](const ConnectionPtr& one) {
      return one->tag.way == way && !one->tag.candidate;
    });
    if (stands(way) || dialling || !peer_) continue;
    bool membership = way == Way::kMembershipOut;
    auto address = parse_host_port(membership ? peer_->membership : peer_->event_sync, 0);
    if (!address.ok()) {
      return set_problem(absl::StrCat("node '", peer_->node, "' says it is reached at ",
                                      std::string(address.status().message())));
    }
    dial(way, *address, false);
  }
}

void LinkCore::on_dialled(LinkConnection& connection) {
  connection.set_deadline(options_.handshake_timeout);
  encode_offer({kind_of(connection.tag.way), card_}, connection.out());
  connection.flush();
}

LinkCore::Candidate* LinkCore::candidate_of(const LinkConnection& connection) {
  if (!connection.tag.candidate) return nullptr;
  auto found = std::find_if(candidates_.begin(), candidates_.end(), [&](const Candidate& one) {
    return one.address == connection.tag.address;
  });
  return found == candidates_.end() ? nullptr : &*found;
}

void LinkCore::on_answer(LinkConnection& connection, const WireFrame& frame) {
  auto answer = decode_answer(frame);
  if (!answer.ok()) return violation(connection, std::string(answer.status().message()));
  if (answer->refusal != Refusal::kNone) return on_refused(connection, *answer);
  // Both sides judge: an answer that this program cannot have asked for is a mistake of the other.
  HandshakeAnswer judged = judge_offer(card_, {kind_of(connection.tag.way), answer->card});
  if (judged.refusal != Refusal::kNone) return on_refused(connection, judged);
  if (judged.version != answer->version) {
    return violation(connection, "an answer with another version than the highest of both");
  }
  if (Candidate* candidate = candidate_of(connection)) candidate->dialling = false;
  ConnectionPtr self = connection.shared_from_this();
  forget(connection);
  const NodeCard& theirs = answer->card;
  bool others = peer_ && (theirs.process != peer_->process || theirs.attempt < peer_->attempt);
  if (others || stands(connection.tag.way)) return connection.close();
  if (peer_ && theirs.attempt > peer_->attempt) {
    connection.close();
    return drop_peer(absl::StrCat("node '", theirs.node, "' has given its connections up"));
  }
  adopt(theirs, judged.version);
  take_slot(connection, connection.tag.way);
  dial_rest();
}

void LinkCore::on_refused(LinkConnection& connection, const HandshakeAnswer& answer) {
  Candidate* candidate = candidate_of(connection);
  if (candidate != nullptr) candidate->myself = answer.refusal == Refusal::kMyself;
  ConnectionPtr self = connection.shared_from_this();
  connection.close();
  forget(connection);
  if (candidate != nullptr) candidate->dialling = false;
  bool stands_there = answer.refusal == Refusal::kDuplicate;
  // One that ended stands at the other end until its end is noticed there.
  if (stands_there && connection.tag.way == Way::kForwardOut && peer_ &&
      !stands(Way::kForwardOut)) {
    return forward_ended(answer.reason);
  }
  if (stands_there || answer.refusal == Refusal::kMyself) return;  // nothing is wrong
  dial_failed(connection, answer.reason);
}

/// Its connection has been forgotten.
void LinkCore::dial_failed(LinkConnection& connection, const std::string& why) {
  counters_.add(counters_.dials_failed);
  if (Candidate* candidate = candidate_of(connection)) candidate->dialling = false;
  std::string problem = absl::StrCat(std::string(name_of(kind_of(connection.tag.way))), " at ",
                                     to_text(connection.tag.address), ": ", why);
  if (!peer_) return set_problem(problem);
  if (stands(connection.tag.way) || connection.tag.way == Way::kMembershipOut) return;
  if (connection.tag.way == Way::kForwardOut) return forward_ended(problem);
  drop_peer(problem);
}

}  // namespace pollux
