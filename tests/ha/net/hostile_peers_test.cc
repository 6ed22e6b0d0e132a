// Strangers at the ports: each is refused and counted, and the peer's connections stand unharmed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ha/net/peer_link.h"
#include "persistence/codec/bytes.h"
#include "persistence/codec/crc32c.h"
#include "tests/ha/net/link_node.h"
#include "tests/ha/net/raw_peer.h"
#include "tests/ha/wire/wire_bytes.h"

namespace pollux {
namespace {

using std::chrono::milliseconds;

/// A pair that stands, and must go on standing.
class HostilePeers : public testing::Test {
 protected:
  void SetUp() override {
    pair_.a.options.handshake_timeout = milliseconds(300);
    pair_.begin_and_connect();
  }
  void TearDown() override {
    EXPECT_TRUE(pair_.a.up());
    EXPECT_TRUE(pair_.b.up());
    EXPECT_EQ(counters().disconnects, 0U);
    // And it still carries what it is there for.
    size_t before = pair_.a.messages().size();
    pair_.b.link().send({1, Heartbeat{}});
    pair_.a.wait_messages(before + 1);
  }

  /// A connection is closed first, and counted then.
  static void expect_count(const LinkCounters::Counter& counter, uint64_t count) {
    wait_for_count(counter, count);
    EXPECT_EQ(counter, count);
  }
  const LinkCounters& counters() { return pair_.a.counters(); }
  const LinkCounters::Counter& refused(Refusal refusal) {
    return counters().refused[static_cast<size_t>(refusal)];
  }
  uint16_t membership() { return pair_.a.link().membership_port(); }
  uint16_t event_sync() { return pair_.a.link().event_sync_port(); }

  Refusal answer_to(const HandshakeOffer& offer, uint16_t port) {
    RawPeer peer(port);
    peer.say(bytes_of(offer));
    auto answer = answer_in(peer.hear_to_the_end());
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) return Refusal::kNone;
    EXPECT_FALSE(answer->reason.empty());
    return answer->refusal;
  }

  LinkPair pair_;
};

TEST_F(HostilePeers, WhoIsNotOfPolluxIsShownTheDoor) {
  const std::string strangers[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "help\r\n",
                                   std::string(1000, '\0'), "\x16\x03\x01\x02\x01",
                                   std::string(100'000, 'x')};
  for (const std::string& stranger : strangers) {
    for (uint16_t port : {membership(), event_sync()}) {
      RawPeer peer(port);
      peer.say(stranger);
      EXPECT_TRUE(peer.is_closed());
    }
  }
  expect_count(counters().not_ours, 2 * std::size(strangers));
}

TEST_F(HostilePeers, WhoSaysNothingIsNotWaitedForForLong) {
  RawPeer mute(membership());
  EXPECT_EQ(mute.hear_to_the_end(), "");
  expect_count(counters().handshakes_late, 1);
}

TEST_F(HostilePeers, WhoSpeaksTooSlowlyIsNotWaitedForEither) {
  std::string offer = bytes_of(good_offer(ConnectionKind::kMembership));
  RawPeer slow(membership());
  size_t said = 0;
  while (counters().handshakes_late == 0) {
    ASSERT_LT(said, offer.size());
    slow.say(offer.substr(said++, 1));
    std::this_thread::sleep_for(milliseconds(10));  // that is how slow he is
  }
  EXPECT_TRUE(slow.is_closed());
}

TEST_F(HostilePeers, WhoEndsBeforeHeHasSaidWhoHeIsIsCounted) {
  { RawPeer(membership()).say("PLXW"); }
  ASSERT_NO_FATAL_FAILURE(wait_for_count(counters().handshakes_broken, 1));
}

TEST_F(HostilePeers, ALengthOfFourGigabytesIsRefusedByItsHeader) {
  std::string header = frame_of(WireType::kOffer, "");
  header.replace(8, 4, "\xFF\xFF\xFF\xFF");
  std::string sum;
  put_scalar(sum, crc32c(std::string_view(header).substr(0, 28)));
  header.replace(28, 4, sum);
  RawPeer peer(event_sync());
  peer.say(header);
  EXPECT_TRUE(peer.is_closed());
  expect_count(counters().handshakes_broken, 1);
}

TEST_F(HostilePeers, AFrameThatNeverEndsDoes) {
  std::string header = frame_of(WireType::kOffer, std::string(kHandshakeBytesMax, 'x'));
  RawPeer peer(event_sync());
  peer.say(header.substr(0, header.size() - 1));
  EXPECT_TRUE(peer.is_closed());
  expect_count(counters().handshakes_late, 1);
}

TEST_F(HostilePeers, OffersThatDoNotBelongHereAreToldWhy) {
  HandshakeOffer offer = good_offer(ConnectionKind::kMembership);
  offer.card.domain = "other";
  EXPECT_EQ(answer_to(offer, membership()), Refusal::kOtherDomain);
  offer = good_offer(ConnectionKind::kMembership);
  offer.card.version_min = offer.card.version_max = 99;
  EXPECT_EQ(answer_to(offer, membership()), Refusal::kNoCommonVersion);
  offer = good_offer(ConnectionKind::kMembership);
  offer.card.semantics_min = offer.card.semantics_max = 99;
  EXPECT_EQ(answer_to(offer, membership()), Refusal::kNoCommonVersion);
  offer = good_offer(ConnectionKind::kMembership);
  offer.card.fingerprint = 99;
  EXPECT_EQ(answer_to(offer, membership()), Refusal::kOtherFingerprint);
  EXPECT_EQ(answer_to(good_offer(ConnectionKind::kMembership), event_sync()), Refusal::kWrongPort);
  EXPECT_EQ(answer_to(good_offer(ConnectionKind::kEventSync), membership()), Refusal::kWrongPort);
  for (ConnectionKind kind : {ConnectionKind::kEventSync, ConnectionKind::kForward}) {
    EXPECT_EQ(answer_to(good_offer(kind), event_sync()), Refusal::kOtherPeer);
  }
  EXPECT_EQ(answer_to(good_offer(ConnectionKind::kMembership), membership()), Refusal::kOtherPeer);
  offer.card = pair_.a.link().card();
  EXPECT_EQ(answer_to(offer, membership()), Refusal::kMyself);
  offer.card = pair_.b.link().card();
  offer.card.attempt = 0;
  EXPECT_EQ(answer_to(offer, membership()), Refusal::kGivenUp);
  expect_count(refused(Refusal::kOtherPeer), 3);
}

TEST_F(HostilePeers, TwoHundredAtOnceDoNotKeepThePeerOut) {
  std::vector<RawPeer> crowd;
  crowd.reserve(200);
  for (int i = 0; i < 200; ++i) crowd.emplace_back(i % 2 == 0 ? membership() : event_sync());
  // Among them, one who says at once who he is has his answer.
  EXPECT_EQ(answer_to(good_offer(ConnectionKind::kMembership), membership()), Refusal::kOtherPeer);
  ASSERT_NO_FATAL_FAILURE(
      wait_for_count(refused(Refusal::kTooManyConnections), 200 - pair_.a.options.half_open_max));
  for (RawPeer& one : crowd) EXPECT_TRUE(one.is_closed());
  auto until = LinkNode::Clock::now() + kPatience;
  auto counted = [this] {
    return refused(Refusal::kTooManyConnections) + counters().handshakes_late +
           counters().handshakes_broken;
  };
  while (counted() < 200 && LinkNode::Clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(counted(), 200U);
}

/// Who passes the handshake and then says what may not be said.
class FalsePeers : public testing::Test {
 protected:
  void SetUp() override { a_.begin(); }
  RawPeer greeted(ConnectionKind kind, uint64_t process = 77, uint64_t attempt = 1) {
    bool membership = kind == ConnectionKind::kMembership;
    RawPeer peer(membership ? a_.link().membership_port() : a_.link().event_sync_port());
    HandshakeOffer offer = good_offer(kind, process);
    offer.card.attempt = attempt;
    offer.card.membership = offer.card.event_sync = reached_at_;
    peer.say(bytes_of(offer));
    auto header = peer.hear(kWireHeaderBytes);
    EXPECT_GE(header.size(), kWireHeaderBytes);
    return peer;
  }

  MuteDoor door_;
  std::string reached_at_ = to_text(HostPort{"127.0.0.1", door_.port()});
  LinkNode a_{"a"};
};

TEST_F(FalsePeers, AreLeftWhenTheySpeakOutOfTurn) {
  RawPeer forwards = greeted(ConnectionKind::kForward);
  forwards.say(frame_of(WireType::kHeartbeat, std::string(64, '\0')));
  EXPECT_TRUE(forwards.is_closed());
  ASSERT_NO_FATAL_FAILURE(wait_for_count(a_.counters().violations, 1));
  EXPECT_FALSE(a_.up());
}

TEST_F(FalsePeers, AreLeftWhenTheyAnswerWithAVersionThatIsNotTheHighestOfBoth) {
  RawPeer membership = greeted(ConnectionKind::kMembership);
  RawPeer dialled = door_.accept();
  HandshakeAnswer answer;
  answer.version = kProtocolVersionMax + 1;
  answer.card = good_offer(ConnectionKind::kMembership).card;
  std::string bytes;
  encode_answer(answer, bytes);
  dialled.say(bytes);
  EXPECT_TRUE(dialled.is_closed());
  EXPECT_TRUE(membership.is_closed());
  EXPECT_FALSE(a_.up());
}

TEST_F(FalsePeers, AreLeftWhenABatchCannotBeRead) {
  RawPeer forwards = greeted(ConnectionKind::kForward);
  forwards.say(frame_of(WireType::kForward, std::string(64, 'x')));
  EXPECT_TRUE(forwards.is_closed());
  RawPeer rotten = greeted(ConnectionKind::kForward);
  std::string frame = frame_of(WireType::kForward, std::string(64, 'x'));
  frame.back() = 'y';
  rotten.say(frame);
  EXPECT_TRUE(rotten.is_closed());
  ASSERT_NO_FATAL_FAILURE(wait_for_count(a_.counters().violations, 2));
}

TEST_F(FalsePeers, WithALongFrameHoldNoMoreMemoryThanTheySent) {
  RawPeer forwards = greeted(ConnectionKind::kForward);
  std::string header = frame_of(WireType::kForward, "");
  header.replace(8, 4, "\xFF\xFF\xFF\x7F");
  std::string sum;
  put_scalar(sum, crc32c(std::string_view(header).substr(0, 28)));
  header.replace(28, 4, sum);
  forwards.say(header);
  EXPECT_TRUE(forwards.is_closed());
  ASSERT_NO_FATAL_FAILURE(wait_for_count(a_.counters().violations, 1));
}

TEST_F(FalsePeers, WhoBeginsAnewTakesThePlaceOfWhatHeWas) {
  RawPeer first = greeted(ConnectionKind::kEventSync, 77, 1);
  RawPeer twice(a_.link().event_sync_port());
  HandshakeOffer offer = good_offer(ConnectionKind::kEventSync);
  offer.card.membership = offer.card.event_sync = reached_at_;
  twice.say(bytes_of(offer));
  auto answer = answer_in(twice.hear_to_the_end());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->refusal, Refusal::kDuplicate);
  RawPeer second = greeted(ConnectionKind::kEventSync, 77, 2);
  EXPECT_TRUE(first.is_closed()) << "of an attempt that was given up";
  RawPeer third = greeted(ConnectionKind::kEventSync, 78, 1);
  EXPECT_TRUE(second.is_closed()) << "of a process that was started anew";
  EXPECT_TRUE(third.say(" "));
}

TEST_F(FalsePeers, ThatCannotBeReachedBackMakeRoomForARealOne) {
  reached_at_ = "127.0.0.1:1";
  RawPeer membership = greeted(ConnectionKind::kMembership);
  EXPECT_TRUE(membership.is_closed()) << "nobody listens where it says it does";
  LinkNode b("b");
  b.knows(a_);
  b.begin();
  a_.wait_connected();
  EXPECT_EQ(a_.peer(), "b");
}

}  // namespace
}  // namespace pollux
