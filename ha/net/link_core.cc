#include "ha/net/link_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

constexpr std::chrono::seconds kLastedWell{5};

constexpr Way kPartsOfTheWay[] = {Way::kMembershipOut, Way::kMembershipIn, Way::kEventSyncOut,
                                  Way::kEventSyncIn};

NodeCard card_of(const PeerLinkOptions& options) {
  std::random_device random;
  auto half = [&random] { return uint64_t{random()} << 32 | random(); };
  NodeCard card;
  card.version_max = options.protocol_version_max;
  card.process = {half() | 1, half()};
  card.attempt = 1;
  card.fingerprint = options.fingerprint;
  card.domain = options.domain;
  card.node = options.node;
  return card;
}

std::string advertised(const PeerLinkOptions& options, uint16_t port, uint16_t bound) {
  return to_text(HostPort{options.advertised_host, port == 0 ? bound : port});
}

}  // namespace

LinkCore::LinkCore(PeerLinkOptions options, PeerLinkListener& listener)
    : options_(std::move(options)),
      listener_(listener),
      queue_(options_.queue_bytes_max),
      desk_({options_.forwards_max, options_.forward_bytes_max}, counters_),
      // What a batch takes is not the same at both ends.
      taken_({options_.forwards_max, 2 * options_.forward_bytes_max}),
      work_(context_.get_executor()),
      membership_(context_),
      event_sync_(context_),
      card_(card_of(options_)),
      round_timer_(context_),
      assemble_timer_(context_),
      forward_timer_(context_),
      redial_(options_.redial_min),
      jitter_(static_cast<uint32_t>(card_.process.low)) {
  for (const HostPort& member : options_.members) candidates_.push_back({member});
}

absl::Status LinkCore::listen() {
  membership_.membership = true;
  absl::Status opened = open_door(membership_, options_.membership_port, "membership");
  if (opened.ok()) opened = open_door(event_sync_, options_.event_sync_port, "event sync");
  if (!opened.ok()) return opened;
  card_.membership = advertised(options_, options_.advertised_membership_port, membership_.port);
  card_.snapshots = options_.advertised_snapshots;
  card_.event_sync = advertised(options_, options_.advertised_event_sync_port, event_sync_.port);
  first_card_ = card_;
  return absl::OkStatus();
}

void LinkCore::start() {
  set_problem("no member has answered yet");
  accept(membership_);
  accept(event_sync_);
  dial_round();
  thread_ = std::thread([this] { context_.run(); });
}

void LinkCore::stop() {
  post([this] {
    stopping_ = true;
    drop_peer("this node ends the link");
    context_.stop();
  });
  if (thread_.joinable()) thread_.join();
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  // What was posted meanwhile runs here, and every call that is under way lets go of its
  // connection.
  boost::system::error_code ignored;
  work_.reset();
  for (Door* door : {&membership_, &event_sync_}) {
    door->acceptor.close(ignored);
    door->pause.cancel();
  }
  for (const ConnectionPtr& connection : half_open_) connection->close();
  half_open_.clear();
  for (Timer* timer : {&round_timer_, &assemble_timer_, &forward_timer_}) timer->cancel();
  context_.restart();
  context_.poll();
}

std::string LinkCore::problem() const {
  std::lock_guard lock(mutex_);
  return problem_;
}

void LinkCore::set_problem(const std::string& problem) {
  std::lock_guard lock(mutex_);
  problem_ = problem;
}

LinkCore::ConnectionPtr LinkCore::new_connection(LinkConnection::Socket socket) {
  auto connection = std::make_shared<LinkConnection>(context_, std::move(socket), *this, counters_,
                                                     options_.user_timeout);
  connection->tag.serial = ++last_serial_;
  return connection;
}

// ---- the peer ----

/// Some connection of this node stands, or is about to.
void LinkCore::adopt(const NodeCard& card, uint16_t version) {
  if (peer_) return;
  peer_ = card;
  version_ = version;
  set_problem(absl::StrCat("node '", card.node, "' has answered; connections to it are made"));
  assemble_timer_.expires_after(options_.assemble_timeout);
  assemble_timer_.async_wait([this, attempt = card_.attempt](boost::system::error_code error) {
    if (error || connected_ || !peer_ || card_.attempt != attempt) return;
    std::string missing;
    for (Way way : kPartsOfTheWay) {
      if (stands(way)) continue;
      absl::StrAppend(&missing, missing.empty() ? "" : ", ", std::string(name_of(kind_of(way))),
                      way < Way::kMembershipIn ? " to it" : " from it");
    }
    drop_peer(absl::StrCat(
        "node '", peer_->node, "' was found, but not all connections came up: ", missing,
        "; it says it is reached at ", peer_->membership, " and ", peer_->event_sync));
  });
}

/// Its handshake is complete.
void LinkCore::take_slot(LinkConnection& connection, Way way) {
  connection.tag.way = way;
  connection.tag.greeted = true;
  connection.clear_deadline();
  connection.set_payload_bytes_max(payload_bytes_max(way));
  Slot& taken = slot(way);
  taken = {};
  taken.connection = connection.shared_from_this();
  if (carries_messages(way)) {
    taken.encoder = std::make_unique<MessageEncoder>(options_.packs);
    taken.decoder = std::make_unique<MessageDecoder>();
    if (!connected_) connection.hold();
    bool all = std::all_of(std::begin(kPartsOfTheWay), std::end(kPartsOfTheWay),
                           [this](Way part) { return stands(part); });
    if (all && !connected_) assembled();
  } else if (way == Way::kForwardOut) {
    taken.forward_encoder = std::make_unique<ForwardEncoder>();
    desk_.open();
  } else {
    taken.forward_decoder = std::make_unique<ForwardDecoder>();
    taken_.begin(connection.tag.serial);
  }
}

void LinkCore::assembled() {
  assemble_timer_.cancel();
  connected_since_ = std::chrono::steady_clock::now();
  counters_.add(counters_.connects);
  set_problem("");
  connected_ = true;
  queue_.open();
  uint64_t attempt = card_.attempt;
  listener_.on_connected(*peer_);
  for (Way way : kPartsOfTheWay) {
    // What has come meanwhile may already have ended it.
    if (connected_ && card_.attempt == attempt) slot(way).connection->resume();
  }
}

/// Everything that belongs to this attempt ends, and what comes next is of another.
void LinkCore::drop_peer(const std::string& reason) {
  peer_.reset();
  version_ = 0;
  ++card_.attempt;
  assemble_timer_.cancel();
  forward_timer_.cancel();
  bool was_connected = connected_.exchange(false);
  counters_.add(counters_.dropped_closed, queue_.close());
  auto slots = std::exchange(slots_, {});
  auto dials = std::exchange(dials_, {});
  for (const Slot& one : slots) {
    if (one.connection) one.connection->close();
  }
  for (const ConnectionPtr& one : dials) one->close();
  for (Candidate& candidate : candidates_) candidate.dialling = false;
  taken_.begin(0);
  set_problem(reason);
  desk_.close(reason);
  if (was_connected) {
    counters_.add(counters_.disconnects);
    auto lasted = std::chrono::steady_clock::now() - connected_since_;
    // One that ends again and again is dialled less and less often.
    if (lasted > kLastedWell) redial_ = options_.redial_min;
    listener_.on_disconnected(reason);
  }
  if (!stopping_) schedule_round();
}

/// Forwards have a connection of their own, so that their end is not that of the pair.
void LinkCore::forward_ended(const std::string& reason) {
  slot(Way::kForwardOut) = {};
  desk_.close(reason);
  forward_timer_.expires_after(options_.redial_max);
  forward_timer_.async_wait([this](boost::system::error_code error) {
    if (!error && peer_ && !stands(Way::kForwardOut)) dial_rest();
  });
}

void LinkCore::forget(LinkConnection& connection) {
  ConnectionPtr self = connection.shared_from_this();
  dials_.erase(self);
  auto found = std::find(half_open_.begin(), half_open_.end(), self);
  if (found != half_open_.end()) half_open_.erase(found);
}

void LinkCore::on_ended(LinkConnection& connection, LinkConnection::End end, const std::string& why,
                        const absl::Status& frame_error) {
  ConnectionPtr self = connection.shared_from_this();
  bool standing = is_standing(connection);
  bool dialled = dials_.contains(self);
  forget(connection);
  if (standing) {
    if (end == LinkConnection::End::kFrame) counters_.add(counters_.violations);
    Way way = connection.tag.way;
    std::string reason = absl::StrCat(std::string(name_of(kind_of(way))), ": ", why);
    if (way == Way::kForwardOut) return forward_ended(reason);
    if (way == Way::kForwardIn) {
      slot(way) = {};
      return taken_.begin(0);
    }
    return drop_peer(reason);
  }
  if (dialled) return dial_failed(connection, why);
  count_failed_handshake(end, frame_error);
}

void LinkCore::violation(LinkConnection& connection, const std::string& what) {
  connection.close();
  on_ended(connection, LinkConnection::End::kFrame, what, absl::DataLossError(what));
}

}  // namespace pollux
