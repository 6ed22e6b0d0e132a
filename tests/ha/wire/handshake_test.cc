// How connections begin: who is taken, and who is told what is wrong.
#include "ha/wire/handshake.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/ha/wire/random_messages.h"
#include "tests/ha/wire/wire_bytes.h"

namespace pollux {
namespace {

WireFrame frame_in(WireReader& reader, std::string_view bytes) {
  feed(reader, bytes);
  auto frame = reader.next();
  EXPECT_TRUE(frame.ok() && *frame);
  return frame.ok() && *frame ? **frame : WireFrame{};
}

std::string offer_bytes(const HandshakeOffer& offer) {
  std::string bytes;
  encode_offer(offer, bytes);
  return bytes;
}

std::string answer_bytes(const HandshakeAnswer& answer) {
  std::string bytes;
  encode_answer(answer, bytes);
  return bytes;
}

absl::StatusOr<HandshakeOffer> offer_of(std::string_view bytes) {
  WireReader reader(kHandshakeBytesMax);
  return decode_offer(frame_in(reader, bytes));
}

absl::StatusOr<HandshakeAnswer> answer_of(std::string_view bytes) {
  WireReader reader(kHandshakeBytesMax);
  return decode_answer(frame_in(reader, bytes));
}

NodeCard card_of(std::string node, uint64_t process) {
  NodeCard card;
  card.process = {process, 1};
  card.domain = "trade";
  card.node = std::move(node);
  card.fingerprint = 42;
  return card;
}

TEST(Handshake, OffersAndAnswersComeBackAsTheyWere) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    RandomMessages random(seed);
    HandshakeOffer offer{static_cast<ConnectionKind>(1 + seed % 3), random.card()};
    auto offered = offer_of(offer_bytes(offer));
    ASSERT_TRUE(offered.ok()) << offered.status();
    EXPECT_EQ(offered->kind, offer.kind);
    EXPECT_EQ(offered->card, offer.card);
    HandshakeAnswer answer{static_cast<Refusal>(seed % kRefusals), 3, random.card(),
                           random.text(100)};
    auto answered = answer_of(answer_bytes(answer));
    ASSERT_TRUE(answered.ok()) << answered.status();
    EXPECT_EQ(answered->refusal, answer.refusal);
    EXPECT_EQ(answered->version, answer.version);
    EXPECT_EQ(answered->card, answer.card);
    EXPECT_EQ(answered->reason, answer.reason);
  }
}

TEST(Handshake, AreNothingWhereverTheyAreCut) {
  RandomMessages random(1);
  std::string offer = offer_bytes({ConnectionKind::kForward, random.card()});
  std::string answer = answer_bytes({Refusal::kMyself, 0, random.card(), "reason"});
  for (size_t length = 0; length < payload_of(offer).size(); ++length) {
    EXPECT_FALSE(offer_of(frame_of(WireType::kOffer, payload_of(offer).substr(0, length))).ok());
  }
  for (size_t length = 0; length < payload_of(answer).size(); ++length) {
    EXPECT_FALSE(answer_of(frame_of(WireType::kAnswer, payload_of(answer).substr(0, length))).ok());
  }
}

TEST(Handshake, OfLaterVersionsMayBeLonger) {
  RandomMessages random(1);
  NodeCard card = random.card();
  std::string answer = answer_bytes({Refusal::kNone, 1, card});
  auto taken =
      answer_of(frame_of(WireType::kAnswer, std::string(payload_of(answer)) + "what comes later"));
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(taken->card, card);
}

/// A program of version 1 reads as far as it knows, and writes no more.
TEST(Handshake, OfVersionTwoBeginsAsThatOfVersionOne) {
  NodeCard card = card_of("a", 1);
  card.semantics_min = 3;
  card.semantics_max = 4;
  NodeCard old = card;
  old.version_max = 1;
  const size_t highest_version = 8 + 2;
  std::string offer(payload_of(offer_bytes({ConnectionKind::kMembership, card})));
  std::string old_offer(payload_of(offer_bytes({ConnectionKind::kMembership, old})));
  ASSERT_EQ(offer.size(), old_offer.size() + 8);
  ASSERT_EQ(std::exchange(offer[highest_version], 1), kProtocolVersionMax);
  EXPECT_EQ(offer.substr(0, old_offer.size()), old_offer);
  std::string answer(payload_of(answer_bytes({Refusal::kMyself, 0, card, "reason"})));
  std::string old_answer(payload_of(answer_bytes({Refusal::kMyself, 0, old, "reason"})));
  ASSERT_EQ(answer.size(), old_answer.size() + 8);
  answer[highest_version] = 1;
  EXPECT_EQ(answer.substr(0, old_answer.size()), old_answer);
  // And what it writes means the only semantics that it knew.
  auto offered = offer_of(frame_of(WireType::kOffer, old_offer));
  ASSERT_TRUE(offered.ok());
  EXPECT_EQ(offered->card.semantics_min, 1U);
  EXPECT_EQ(offered->card.semantics_max, 1U);
}

TEST(Handshake, TextsAreBounded) {
  NodeCard card = card_of(std::string(5000, 'n'), 1);
  auto offered = offer_of(offer_bytes({ConnectionKind::kMembership, card}));
  ASSERT_TRUE(offered.ok());
  EXPECT_EQ(offered->card.node.size(), kHandshakeTextMax);
}

TEST(Handshake, NonsenseIsRefused) {
  NodeCard card = card_of("a", 1);
  std::string good(payload_of(offer_bytes({ConnectionKind::kMembership, card})));
  auto refused = [&good](size_t at, char byte) {
    std::string bad = good;
    bad[at] = byte;
    return !offer_of(frame_of(WireType::kOffer, bad)).ok();
  };
  EXPECT_TRUE(refused(0, 0));  // kind
  EXPECT_TRUE(refused(0, 4));
  EXPECT_TRUE(refused(3, 1));
  EXPECT_TRUE(refused(8, 0));                        // lowest version
  EXPECT_TRUE(refused(8, kProtocolVersionMax + 1));  // above the highest
  card.semantics_min = 0;
  EXPECT_FALSE(offer_of(offer_bytes({ConnectionKind::kMembership, card})).ok());
  card.semantics_min = 3;
  card.semantics_max = 2;
  EXPECT_FALSE(offer_of(offer_bytes({ConnectionKind::kMembership, card})).ok());
  card.process = {};
  EXPECT_FALSE(offer_of(offer_bytes({ConnectionKind::kMembership, card})).ok());
  EXPECT_FALSE(offer_of(frame_of(WireType::kAnswer, good)).ok());
}

TEST(Handshake, TakesTheHighestVersionThatBothSpeak) {
  NodeCard own = card_of("a", 1);
  HandshakeOffer offer{ConnectionKind::kMembership, card_of("b", 2)};
  own.version_min = 2;
  own.version_max = 3;
  for (auto [min, max, chosen] : {std::tuple{1, 2, 2}, {2, 3, 3}, {3, 4, 3}, {1, 9, 3}}) {
    offer.card.version_min = static_cast<uint16_t>(min);
    offer.card.version_max = static_cast<uint16_t>(max);
    HandshakeAnswer answer = judge_offer(own, offer);
    EXPECT_EQ(answer.refusal, Refusal::kNone);
    EXPECT_EQ(answer.version, chosen);
    EXPECT_EQ(answer.card, own);
  }
  offer.card.version_min = 4;
  offer.card.version_max = 5;
  EXPECT_EQ(judge_offer(own, offer).refusal, Refusal::kNoCommonVersion);
}

TEST(Handshake, WhoDoesNotBelongHereIsToldWhy) {
  NodeCard own = card_of("a", 1);
  HandshakeOffer offer{ConnectionKind::kMembership, card_of("b", 2)};
  EXPECT_EQ(judge_offer(own, offer).refusal, Refusal::kNone);
  offer.card.domain = "test";
  HandshakeAnswer answer = judge_offer(own, offer);
  EXPECT_EQ(answer.refusal, Refusal::kOtherDomain);
  EXPECT_EQ(answer.reason, "node 'a' is of domain 'trade', node 'b' of 'test'");
  offer.card.domain = "trade";
  offer.card.fingerprint = 43;
  EXPECT_EQ(judge_offer(own, offer).refusal, Refusal::kOtherFingerprint);
  offer.card.fingerprint = own.fingerprint;
  own.semantics_min = 2;
  own.semantics_max = 3;
  offer.card.semantics_max = 1;
  answer = judge_offer(own, offer);
  EXPECT_EQ(answer.refusal, Refusal::kNoCommonVersion);
  EXPECT_EQ(answer.reason,
            "node 'a' runs versions 2 to 3 of the language's semantics, node 'b' versions 1 to 1: "
            "bring both to programs of the same or the next version");
  offer.card.semantics_min = offer.card.semantics_max = 4;
  EXPECT_EQ(judge_offer(own, offer).refusal, Refusal::kNoCommonVersion);
  offer.card.semantics_min = 3;
  EXPECT_EQ(judge_offer(own, offer).refusal, Refusal::kNone);
  offer.card.process = own.process;
  EXPECT_EQ(judge_offer(own, offer).refusal, Refusal::kMyself);
}

}  // namespace
}  // namespace pollux
