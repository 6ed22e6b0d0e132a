// What a PeerLink does on its thread: who the peer is, which connections to it stand, who else is
// refused.
//
// Thread: io, unless said otherwise. Owner: PeerLink; answers that are still to come share it, so
// that they may come when the link is gone.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "ha/net/forward_desk.h"
#include "ha/net/link_connection.h"
#include "ha/net/peer_link.h"
#include "ha/net/send_queue.h"
#include "ha/wire/message_codec.h"

namespace pollux {

class LinkCore final : public LinkConnection::Owner, public std::enable_shared_from_this<LinkCore> {
 public:
  LinkCore(PeerLinkOptions options, PeerLinkListener& listener);

  absl::Status listen();
  void start();
  /// Thread: the one that ends the link. Ends everything and joins.
  void stop();

  // ---- thread: any ----
  void send(PeerMessage message);
  void forward(ForwardedBatch batch, ForwardDesk::Done done);
  bool connected() const { return connected_; }
  uint16_t version() const { return version_; }
  std::string problem() const;
  const NodeCard& card() const { return first_card_; }
  const LinkCounters& counters() const { return counters_; }
  uint16_t membership_port() const { return membership_.port; }
  uint16_t event_sync_port() const { return event_sync_.port; }

 private:
  using Acceptor =
      boost::asio::basic_socket_acceptor<LinkConnection::Tcp, LinkConnection::Executor>;
  using Timer = LinkConnection::Timer;
  using ConnectionPtr = std::shared_ptr<LinkConnection>;

  struct Door {
    explicit Door(boost::asio::io_context& context) : acceptor(context), pause(context) {}
    Acceptor acceptor;
    Timer pause;
    uint16_t port = 0;
    bool membership = false;
  };
  struct Candidate {
    HostPort address;
    bool dialling = false;
    bool myself = false;
  };
  /// What a standing connection speaks.
  struct Slot {
    ConnectionPtr connection;  // null: there is none
    std::unique_ptr<MessageEncoder> encoder;
    std::unique_ptr<MessageDecoder> decoder;
    std::unique_ptr<ForwardEncoder> forward_encoder;
    std::unique_ptr<ForwardDecoder> forward_decoder;
  };

  // ---- LinkConnection::Owner ----
  void on_dialled(LinkConnection& connection) override;
  void on_frame(LinkConnection& connection, const WireFrame& frame) override;
  void on_written(LinkConnection& connection) override;
  void on_ended(LinkConnection& connection, LinkConnection::End end, const std::string& why,
                const absl::Status& frame_error) override;

  // ---- doors (link_doors.cc) ----
  absl::Status open_door(Door& door, uint16_t port, std::string_view name);
  void accept(Door& door);
  void make_room_for_handshake();
  void on_offer(LinkConnection& connection, const WireFrame& frame);
  void refuse_offer(LinkConnection& connection, const HandshakeAnswer& answer);
  Refusal judge_peer(const HandshakeOffer& offer);
  void count_failed_handshake(LinkConnection::End end, const absl::Status& frame_error);

  // ---- dialling (link_dialling.cc) ----
  void dial_round();
  void schedule_round();
  void dial(Way way, const HostPort& address, bool candidate);
  void dial_rest();
  void on_answer(LinkConnection& connection, const WireFrame& frame);
  void on_refused(LinkConnection& connection, const HandshakeAnswer& answer);
  void dial_failed(LinkConnection& connection, const std::string& why);
  Candidate* candidate_of(const LinkConnection& connection);

  // ---- the peer (link_core.cc) ----
  void adopt(const NodeCard& card, uint16_t version);
  void take_slot(LinkConnection& connection, Way way);
  void assembled();
  void drop_peer(const std::string& reason);
  void forward_ended(const std::string& reason);
  void set_problem(const std::string& problem);
  Slot& slot(Way way) { return slots_[index_of(way)]; }
  bool stands(Way way) { return slot(way).connection != nullptr; }
  bool is_standing(const LinkConnection& connection) {
    return connection.tag.greeted && slot(connection.tag.way).connection.get() == &connection;
  }
  void forget(LinkConnection& connection);
  void violation(LinkConnection& connection, const std::string& what);
  ConnectionPtr new_connection(LinkConnection::Socket socket);

  // ---- what goes over them (link_traffic.cc) ----
  void on_traffic(LinkConnection& connection, const WireFrame& frame);
  void on_message_frame(LinkConnection& connection, const WireFrame& frame);
  void on_forward_frame(LinkConnection& connection, const WireFrame& frame);
  void on_forward_answer_frame(LinkConnection& connection, const WireFrame& frame);
  void write_all();
  void write_messages(Way way);
  void write_forwards();
  void write_forward_answers();

  /// Thread: any. Runs `work` on the io thread; it never runs when the link has stopped.
  template <class Work>
  void post(Work work) {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    boost::asio::post(context_, std::move(work));
  }

  const PeerLinkOptions options_;
  PeerLinkListener& listener_;
  LinkCounters counters_;
  SendQueue queue_;
  ForwardDesk desk_;
  ForwardsTaken taken_;
  std::atomic<bool> connected_ = false;
  std::atomic<uint16_t> version_ = 0;  // of peer_; 0: there is none

  boost::asio::io_context context_{1};  // one thread runs it
  boost::asio::executor_work_guard<LinkConnection::Executor> work_;
  Door membership_;
  Door event_sync_;
  NodeCard first_card_;  // as it was at the start; never changes
  NodeCard card_;
  uint64_t last_serial_ = 0;
  std::deque<ConnectionPtr> half_open_;  // accepted, oldest first
  std::unordered_set<ConnectionPtr> dials_;
  std::vector<Candidate> candidates_;
  size_t next_candidate_ = 0;
  Timer round_timer_;
  Timer assemble_timer_;
  Timer forward_timer_;
  std::chrono::milliseconds redial_;  // until the next round
  std::minstd_rand jitter_;
  std::chrono::steady_clock::time_point connected_since_;
  bool stopping_ = false;

  std::optional<NodeCard> peer_;
  std::array<Slot, kWays> slots_;

  mutable std::mutex mutex_;
  bool stopped_ = false;  // guarded by mutex_
  std::string problem_;   // guarded by mutex_
  std::thread thread_;
};

}  // namespace pollux
