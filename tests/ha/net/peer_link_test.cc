// Two links on one machine: they find each other, carry messages in order, and notice an end.
#include "ha/net/peer_link.h"

#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>

#include "ha/net/ways.h"
#include "ha/wire/message_codec.h"
#include "tests/ha/net/chaos_proxy.h"
#include "tests/ha/net/link_node.h"
#include "tests/ha/wire/random_messages.h"

namespace pollux {
namespace {

using std::chrono::milliseconds;

std::string encoded(const PeerMessage& message) {
  MessageEncoder encoder;
  std::string bytes;
  EXPECT_TRUE(encoder.encode(message, bytes).ok());
  return bytes;
}

PeerMessage ack_of(uint64_t position) { return {1, Ack{{1}, {1, 1}, {position}, {0}}}; }

Entries entries_of(uint64_t position, uint32_t rows) {
  static const SchemaPtr schema =
      std::make_shared<const Schema>("S", std::vector<Attribute>{{"a", AttributeType::kLong}});
  auto batch = std::make_shared<EventBatch>(schema);
  for (uint32_t row = 0; row < rows; ++row) {
    batch->append_value(0, int64_t{row});
    batch->end_row(row);
  }
  Entries entries;
  entries.epoch = {1};
  if (position > 1) entries.before = {{1}, {position - 1}};
  entries.entries.push_back({{{1}, {position}}, {1}, EventsPayload{batch}});
  return entries;
}

TEST(PeerLink, TwoNodesFindEachOtherWhenOneKnowsTheOther) {
  LinkPair pair;
  pair.begin_and_connect();
  EXPECT_EQ(pair.a.peer(), "b");
  EXPECT_EQ(pair.b.peer(), "a");
  EXPECT_TRUE(pair.a.link().connected());
  EXPECT_EQ(pair.a.link().problem(), "");
}

TEST(PeerLink, ANodeAmongItsOwnMembersLeavesItselfAlone) {
  LinkNode a("a");
  a.begin();
  a.keep_ports();
  a.knows(a);
  a.end();
  a.begin();
  ASSERT_NO_FATAL_FAILURE(
      wait_for_count(a.counters().refused[static_cast<size_t>(Refusal::kMyself)], 1));
  LinkNode b("b");
  b.knows(a);
  b.begin();
  a.wait_connected();
  EXPECT_EQ(a.peer(), "b");
  EXPECT_EQ(a.counters().refused[static_cast<size_t>(Refusal::kMyself)], 1U);
}

TEST(PeerLink, EveryMessageArrivesAsItWasSentAndInOrder) {
  LinkPair pair;
  pair.a.options.packs = true;
  pair.begin_and_connect();
  std::vector<std::string> sent[2];
  for (uint64_t seed = 0; seed < 300; ++seed) {
    RandomMessages random(seed);
    for (size_t kind = 0; kind < kMessageKinds; ++kind) {
      PeerMessage message = random.message(kind);
      sent[seed % 2].push_back(encoded(message));
      (seed % 2 == 0 ? pair.a : pair.b).link().send(std::move(message));
    }
  }
  pair.a.wait_messages(sent[1].size());
  pair.b.wait_messages(sent[0].size());
  // Each connection keeps its order; between connections there is none.
  auto kind_of_bytes = [](const std::string& bytes) {
    auto type = static_cast<WireType>(bytes[6]);
    bool follows =
        type == WireType::kHello || type == WireType::kAck || type == WireType::kPlanHashes;
    return type == WireType::kHeartbeat ? 0 : follows ? 1 : 2;
  };
  for (int to = 0; to < 2; ++to) {
    std::vector<std::string> by_kind[2][3];
    for (const std::string& bytes : sent[1 - to]) {
      by_kind[0][kind_of_bytes(bytes)].push_back(bytes);
    }
    for (const PeerMessage& message : (to == 0 ? pair.a : pair.b).messages()) {
      std::string bytes = encoded(message);
      by_kind[1][kind_of_bytes(bytes)].push_back(bytes);
    }
    for (int kind = 0; kind < 3; ++kind) EXPECT_EQ(by_kind[0][kind], by_kind[1][kind]);
  }
  EXPECT_EQ(pair.a.counters().dropped_closed + pair.a.counters().dropped_full, 0U);
}

TEST(PeerLink, AnEndIsToldAtOnce) {
  LinkPair pair;
  pair.begin_and_connect();
  auto began = LinkNode::Clock::now();
  pair.b.end();
  pair.a.wait_disconnected();
  auto took = pair.a.ended_at() - began;
  EXPECT_LT(took, milliseconds(500)) << "milliseconds, unless the machine is very busy";
  RecordProperty(
      "us", static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  EXPECT_FALSE(pair.a.link().connected());
  EXPECT_FALSE(pair.a.reason().empty());
}

TEST(PeerLink, ANodeThatComesBackIsFoundAgain) {
  LinkPair pair;
  pair.begin_and_connect();
  pair.b.keep_ports();
  for (int times = 2; times < 6; ++times) {
    pair.b.end();
    pair.a.wait_disconnected();
    pair.b.begin();
    pair.a.wait_connected(times);
    pair.b.wait_connected();
    pair.b.link().send(ack_of(static_cast<uint64_t>(times)));
    pair.a.wait_messages(static_cast<size_t>(times) - 1);
  }
}

TEST(PeerLink, MessagesWithoutAWayAreDroppedAndCounted) {
  LinkNode a("a");
  a.begin();
  for (int i = 0; i < 5; ++i) a.link().send(ack_of(1));
  EXPECT_EQ(a.counters().dropped_closed, 5U);
  EXPECT_EQ(a.link().problem(), "no member has answered yet");
}

TEST(PeerLink, OtherDomainsVersionsAndFingerprintsAreNoPeers) {
  LinkPair pair;
  pair.b.options.fingerprint = 5;
  pair.begin();
  ASSERT_NO_FATAL_FAILURE(wait_for_count(
      pair.a.counters().refused[static_cast<size_t>(Refusal::kOtherFingerprint)], 2));
  EXPECT_NE(pair.a.link().problem().find("would compute different results"), std::string::npos);
  LinkNode c("c");
  c.options.domain = "other";
  c.knows(pair.a);
  c.begin();
  ASSERT_NO_FATAL_FAILURE(
      wait_for_count(pair.a.counters().refused[static_cast<size_t>(Refusal::kOtherDomain)], 1));
  EXPECT_FALSE(pair.a.up());
}

/// What either tells the other arrives.
void expect_both_hear(LinkPair& pair) {
  for (auto [from, to] : {std::pair{&pair.a, &pair.b}, {&pair.b, &pair.a}}) {
    size_t before = to->messages().size();
    for (uint64_t position = 1; position <= 3; ++position) {
      from->link().send({1, entries_of(position, 2)});
    }
    to->wait_messages(before + 3);
  }
}

TEST(PeerLink, ANodeSpeaksTheOlderVersionWithAnOlderOne) {
  for (bool dialled_is_old : {true, false}) {
    LinkPair pair;
    (dialled_is_old ? pair.a : pair.b).options.protocol_version_max = 1;
    pair.begin_and_connect();
    EXPECT_EQ(pair.a.link().version(), 1U);
    EXPECT_EQ(pair.b.link().version(), 1U);
    expect_both_hear(pair);
  }
}

TEST(PeerLink, WhatAnOlderNodeDoesNotKnowIsNotSentToIt) {
  for (uint16_t version : {uint16_t{1}, kProtocolVersionMax}) {
    LinkPair pair;
    pair.b.options.protocol_version_max = version;
    pair.begin_and_connect();
    pair.a.link().send({1, PlanHashes{{1}, {2, 3}, {}}});
    pair.a.link().send({1, Ack{{1}, {2, 3}, {4}, {4}}});
    pair.a.link().send({1, ApplyDeaths{{{"p", {{1}, {2}}, 1}}}});
    pair.a.link().send({1, SwitchOver{{1, 2}, {1}, {{1}, {4}}}});
    pair.b.wait_messages(version == 1 ? 2 : 4);
    for (const PeerMessage& message : pair.b.messages()) {
      EXPECT_LE(version_of(message), version);
    }
    EXPECT_EQ(pair.b.counters().violations.load(), 0U);
    EXPECT_TRUE(pair.b.up());
  }
}

TEST(PeerLink, NodesThatAreExchangedOneAfterTheOtherSpeakTheNewestThatBothKnow) {
  LinkPair pair;
  pair.a.options.protocol_version_max = pair.b.options.protocol_version_max = 1;
  pair.begin_and_connect();
  pair.a.keep_ports();
  pair.b.keep_ports();
  pair.a.knows(pair.b);
  int times = 1;
  auto exchange = [&](LinkNode& node, LinkNode& other, uint16_t version, uint16_t spoken) {
    node.end();
    other.wait_disconnected();
    EXPECT_EQ(other.link().version(), 0U);
    node.options.protocol_version_max = version;
    node.begin();
    ++times;
    node.wait_connected(times);
    other.wait_connected(times);
    EXPECT_EQ(node.link().version(), spoken);
    EXPECT_EQ(other.link().version(), spoken);
    expect_both_hear(pair);
  };
  exchange(pair.b, pair.a, kProtocolVersionMax, 1);
  exchange(pair.a, pair.b, kProtocolVersionMax, kProtocolVersionMax);
  exchange(pair.a, pair.b, 1, 1);
  exchange(pair.b, pair.a, 1, 1);
}

TEST(PeerLink, AThirdNodeIsRefusedAndDoesNoHarm) {
  LinkPair pair;
  pair.begin_and_connect();
  LinkNode c("c");
  c.knows(pair.a);
  c.knows(pair.b);
  c.begin();
  ASSERT_NO_FATAL_FAILURE(
      wait_for_count(pair.a.counters().refused[static_cast<size_t>(Refusal::kOtherPeer)], 3));
  EXPECT_TRUE(pair.a.up());
  EXPECT_FALSE(c.up());
  pair.b.end();
  c.wait_connected();  // there is room for it now
}

TEST(PeerLink, AnAddressThatCannotBeBoundIsAnError) {
  LinkNode a("a");
  a.begin();
  PeerLinkOptions options = LinkNode::test_options();
  options.membership_port = a.link().membership_port();
  EXPECT_TRUE(absl::IsAlreadyExists(PeerLink::open(options, a).status()));
  options.bind_address = "nowhere";
  EXPECT_TRUE(absl::IsInvalidArgument(PeerLink::open(options, a).status()));
}

/// The other node is reached over lines that a test can cut.
struct ChaosPair {
  ChaosProxy membership;
  ChaosProxy event_sync;
  LinkPair pair;

  void begin() {
    pair.a.options.advertised_membership_port = membership.port();
    pair.a.options.advertised_event_sync_port = event_sync.port();
    pair.a.begin();
    membership.leads_to(pair.a.link().membership_port());
    event_sync.leads_to(pair.a.link().event_sync_port());
    pair.b.options.members = {{"127.0.0.1", membership.port()}};
    pair.b.begin();
    pair.a.wait_connected();
    pair.b.wait_connected();
  }
};

TEST(PeerLink, ALineThatIsCutEndsTheWayAndComesBack) {
  ChaosPair chaos;
  chaos.begin();
  for (int times = 2; times < 8; ++times) {
    (times % 2 == 0 ? chaos.membership : chaos.event_sync).cut();
    chaos.pair.a.wait_connected(times);
    chaos.pair.b.wait_connected(times);
  }
}

TEST(PeerLink, WhatComesLateStillComesInOrder) {
  ChaosPair chaos;
  chaos.begin();
  chaos.event_sync.delay(milliseconds(20));
  constexpr uint64_t kMessages = 2000;
  for (uint64_t i = 1; i <= kMessages; ++i) chaos.pair.b.link().send(ack_of(i));
  chaos.pair.a.wait_messages(kMessages);
  uint64_t due = 1;
  for (const PeerMessage& message : chaos.pair.a.messages()) {
    EXPECT_EQ(std::get<Ack>(message.body).matched.value, due++);
  }
}

TEST(PeerLink, CutsWhileMuchIsSentLeaveWholeMessagesInOrder) {
  ChaosPair chaos;
  chaos.begin();
  std::atomic<bool> stop = false;
  std::thread sender([&] {
    for (uint64_t i = 1; !stop; ++i) {
      chaos.pair.a.link().send({1, entries_of(i, 100)});
      if (i % 64 == 0) std::this_thread::yield();
    }
  });
  for (int times = 2; times < 6; ++times) {
    size_t before = chaos.pair.b.messages().size();
    chaos.pair.b.wait_messages(before + 20);
    chaos.event_sync.cut();
    chaos.pair.b.wait_connected(times);
  }
  stop = true;
  sender.join();
  uint64_t last = 0;
  for (const PeerMessage& message : chaos.pair.b.messages()) {
    uint64_t position = std::get<Entries>(message.body).entries[0].id.position.value;
    EXPECT_GT(position, last);
    last = position;
  }
  EXPECT_EQ(chaos.pair.b.counters().violations, 0U);
}

TEST(PeerLink, APeerThatTakesNothingIsLeftAndTheSenderNeverWaits) {
  ChaosPair chaos;
  chaos.pair.a.options.queue_bytes_max = size_t{1} << 20;
  chaos.begin();
  chaos.event_sync.stand_still(true);
  for (uint64_t i = 1; chaos.pair.a.counters().queue_overflows == 0; ++i) {
    ASSERT_LT(i, 10'000'000U);
    chaos.pair.a.link().send({1, entries_of(i, 1000)});
  }
  chaos.pair.a.wait_disconnected();
  EXPECT_GE(chaos.pair.a.counters().dropped_full, 1U);
  chaos.event_sync.cut();
  chaos.event_sync.stand_still(false);
  chaos.pair.a.wait_connected(2);
}

TEST(PeerLink, AMessageThatIsLongerThanTheQueueGoesAlone) {
  LinkPair pair;
  pair.a.options.queue_bytes_max = 1000;
  pair.begin_and_connect();
  pair.a.link().send({1, entries_of(1, 100'000)});
  pair.b.wait_messages(1);
  EXPECT_EQ(std::get<Entries>(pair.b.messages()[0].body).entries.size(), 1U);
}

TEST(PeerLink, APeerThatCannotBeReachedBackIsToldOf) {
  LinkNode a("a");
  LinkNode b("b");
  a.begin();
  ChaosProxy nowhere;  // takes connections, and leads nowhere
  b.options.advertised_event_sync_port = nowhere.port();
  b.knows(a);
  b.begin();
  auto until = LinkNode::Clock::now() + kPatience;
  while (a.link().problem().find("event sync at 127.0.0.1") == std::string::npos) {
    ASSERT_LT(LinkNode::Clock::now(), until) << a.link().problem();
    std::this_thread::yield();
  }
  EXPECT_FALSE(a.up());
}

}  // namespace
}  // namespace pollux
