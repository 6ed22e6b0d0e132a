// A node of a test: a link, and all that it told. Waiting is for conditions, never for time.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ha/net/peer_link.h"

namespace pollux {

/// Long enough for a machine that has much else to do.
inline constexpr std::chrono::seconds kPatience{20};

class LinkNode final : public PeerLinkListener {
 public:
  using Clock = std::chrono::steady_clock;
  using OnForward = std::function<void(ForwardedBatch, ForwardAnswerer)>;

  explicit LinkNode(std::string name) { options.node = std::move(name); }
  ~LinkNode() override { end(); }

  static PeerLinkOptions test_options() {
    PeerLinkOptions made;
    made.domain = "test";
    made.bind_address = "127.0.0.1";
    made.membership_port = 0;
    made.event_sync_port = 0;
    made.redial_min = std::chrono::milliseconds(5);
    made.redial_max = std::chrono::milliseconds(50);
    // A slow machine is not what is tested.
    made.connect_timeout = made.handshake_timeout = std::chrono::seconds(10);
    made.assemble_timeout = made.user_timeout = std::chrono::seconds(20);
    return made;
  }

  /// Listens; dials the members in `options`.
  void begin() {
    auto opened = PeerLink::open(options, *this);
    ASSERT_TRUE(opened.ok()) << opened.status();
    link_ = *std::move(opened);
  }
  void end() { link_.reset(); }
  /// The ports that it listens on now stay its own, also when it begins once more.
  void keep_ports() {
    options.membership_port = link_->membership_port();
    options.event_sync_port = link_->event_sync_port();
  }
  void knows(const LinkNode& other) {
    options.members.push_back({"127.0.0.1", other.link_->membership_port()});
  }
  PeerLink& link() { return *link_; }
  const LinkCounters& counters() const { return link_->counters(); }

  // ---- PeerLinkListener ----
  void on_connected(const NodeCard& peer) override {
    change([&] {
      EXPECT_FALSE(up_);
      up_ = true;
      ++connects_;
      peer_ = peer.node;
    });
  }
  void on_disconnected(const std::string& reason) override {
    change([&] {
      EXPECT_TRUE(up_);
      up_ = false;
      reason_ = reason;
      ended_at_ = Clock::now();
    });
  }
  void on_message(PeerMessage message) override {
    change([&] {
      EXPECT_TRUE(up_) << "a message while the way is not open";
      messages_.push_back(std::move(message));
    });
  }
  void on_forward(ForwardedBatch batch, ForwardAnswerer answer) override {
    OnForward given = change([&] { return when_forwarded; });
    if (given) return given(std::move(batch), std::move(answer));
    change([&] { forwards_.emplace_back(std::move(batch), std::move(answer)); });
  }

  // ---- what came; thread: the test's ----
  void wait_until(const std::string& what, const std::function<bool()>& reached) {
    std::unique_lock lock(mutex_);
    bool came = changed_.wait_for(lock, kPatience, reached);
    ASSERT_TRUE(came) << options.node << ": " << what << "; " << link_->problem();
  }
  void wait_connected(int times = 1) {
    wait_until("connected", [&] { return up_ && connects_ >= times; });
  }
  void wait_disconnected() {
    wait_until("disconnected", [&] { return !up_; });
  }
  void wait_messages(size_t count) {
    wait_until("messages", [&] { return messages_.size() >= count; });
  }
  void wait_forwards(size_t count) {
    wait_until("forwards", [&] { return forwards_.size() >= count; });
  }
  std::vector<PeerMessage> messages() {
    return change([&] { return messages_; });
  }
  std::vector<std::pair<ForwardedBatch, ForwardAnswerer>> take_forwards() {
    return change([&] { return std::exchange(forwards_, {}); });
  }
  bool up() {
    return change([&] { return up_; });
  }
  std::string peer() {
    return change([&] { return peer_; });
  }
  std::string reason() {
    return change([&] { return reason_; });
  }
  Clock::time_point ended_at() {
    return change([&] { return ended_at_; });
  }
  /// Under the lock, and tells who waits.
  template <class Change>
  auto change(Change change) -> decltype(change()) {
    struct Teller {
      std::condition_variable& changed;
      ~Teller() { changed.notify_all(); }
    } teller{changed_};
    std::lock_guard lock(mutex_);
    return change();
  }

  PeerLinkOptions options = test_options();
  OnForward when_forwarded;  ///< else they are kept

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool up_ = false;
  int connects_ = 0;
  std::string peer_;
  std::string reason_;
  Clock::time_point ended_at_;
  std::vector<PeerMessage> messages_;
  std::vector<std::pair<ForwardedBatch, ForwardAnswerer>> forwards_;
  std::unique_ptr<PeerLink> link_;
};

/// Two that know each other.
struct LinkPair {
  LinkNode a{"a"};
  LinkNode b{"b"};

  void begin() {
    a.begin();
    b.knows(a);
    b.begin();
  }
  void begin_and_connect() {
    begin();
    a.wait_connected();
    b.wait_connected();
  }
};

/// A counter that grows on the io thread.
inline void wait_for_count(const LinkCounters::Counter& counter, uint64_t at_least) {
  auto until = LinkNode::Clock::now() + kPatience;
  while (counter < at_least && LinkNode::Clock::now() < until) std::this_thread::yield();
  ASSERT_GE(counter, at_least);
}

}  // namespace pollux
