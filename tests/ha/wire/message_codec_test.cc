// Messages as frames: what comes back is what went in; nonsense is an error and never a message.
#include "ha/wire/message_codec.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "persistence/codec/bytes.h"
#include "tests/ha/wire/random_messages.h"
#include "tests/ha/wire/wire_bytes.h"

namespace pollux {
namespace {

std::string encoded(const PeerMessage& message, MessageEncoder& encoder) {
  std::string bytes;
  EXPECT_TRUE(encoder.encode(message, bytes).ok());
  return bytes;
}

std::string encoded(const PeerMessage& message) {
  MessageEncoder encoder;
  return encoded(message, encoder);
}

absl::StatusOr<PeerMessage> decoded(std::string_view bytes, MessageDecoder& decoder) {
  WireReader reader(kWirePayloadBytesMax);
  feed(reader, bytes);
  auto frame = reader.next();
  if (!frame.ok()) return frame.status();
  if (!*frame) return absl::OutOfRangeError("not all of it");
  return decoder.decode(**frame);
}

absl::StatusOr<PeerMessage> decoded(std::string_view bytes) {
  MessageDecoder decoder;
  return decoded(bytes, decoder);
}

class Messages : public testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(OfEveryKind, Messages, testing::Range(size_t{0}, kMessageKinds));

TEST_P(Messages, ComeBackAsTheyWere) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    PeerMessage message = RandomMessages(seed).message(GetParam());
    std::string bytes = encoded(message);
    auto back = decoded(bytes);
    ASSERT_TRUE(back.ok()) << back.status() << " seed " << seed;
    EXPECT_EQ(back->body.index(), message.body.index());
    EXPECT_EQ(back->record_version, message.record_version);
    EXPECT_EQ(encoded(*back), bytes) << seed;
  }
}

TEST_P(Messages, AreNothingWhereverTheyAreCut) {
  PeerMessage message = RandomMessages(7).message(GetParam());
  std::string bytes = encoded(message);
  std::string_view payload = payload_of(bytes);
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_TRUE(absl::IsOutOfRange(decoded(std::string_view(bytes).substr(0, length)).status()));
  }
  auto type = static_cast<WireType>(bytes[6]);
  size_t refused = 0;
  for (size_t length = 0; length < payload.size(); ++length) {
    refused += decoded(frame_of(type, payload.substr(0, length))).ok() ? 0U : 1U;
  }
  EXPECT_EQ(refused, payload.size());
  EXPECT_FALSE(decoded(frame_of(type, std::string(payload) + '\0')).ok());
}

/// The checksum catches every flipped byte; without it, a byte that is taken is one that says
/// something else, and no two ways of writing say the same.
TEST_P(Messages, FlippedBytesNeverPassForWhatWasSent) {
  size_t caught = 0;
  size_t refused = 0;
  size_t other = 0;
  size_t bytes_flipped = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::string bytes = encoded(RandomMessages(seed).message(GetParam()));
    auto type = static_cast<WireType>(bytes[6]);
    for (size_t at = 0; at < bytes.size() && at < 2000; ++at) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 + static_cast<int>((at + seed) % 255)));
      ++bytes_flipped;
      caught += decoded(damaged).ok() ? 0U : 1U;
      if (at < kWireHeaderBytes) continue;
      auto taken = decoded(frame_of(type, payload_of(damaged)));
      if (!taken.ok()) {
        ++refused;
        continue;
      }
      ++other;
      EXPECT_EQ(payload_of(encoded(*taken)), payload_of(damaged));
    }
  }
  EXPECT_EQ(caught, bytes_flipped);
  RecordProperty("refused_without_checksum", static_cast<int>(refused));
  RecordProperty("other_without_checksum", static_cast<int>(other));
}

TEST(MessageCodec, SchemasGoOnceOverAConnection) {
  RandomMessages random(3);
  MessageEncoder encoder;
  MessageDecoder decoder;
  PeerMessage message{1, random.entries(20)};
  std::string first = encoded(message, encoder);
  std::string second = encoded(message, encoder);
  EXPECT_LT(second.size(), first.size());
  ASSERT_TRUE(decoded(first, decoder).ok());
  auto back = decoded(second, decoder);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(encoded(*back), encoded(message));
  EXPECT_TRUE(absl::IsFailedPrecondition(decoded(second).status())) << "another connection";
}

TEST(MessageCodec, PackedEntriesComeBackAsTheyWere) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    PeerMessage message{seed, RandomMessages(seed).entries(seed % 20)};
    MessageEncoder packs(true);
    std::string bytes = encoded(message, packs);
    auto back = decoded(bytes);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(encoded(*back), encoded(message));
  }
}

TEST(MessageCodec, EntriesArePackedOnlyWhereItPays) {
  Entries entries;
  entries.epoch = {1};
  auto schema =
      std::make_shared<const Schema>("S", std::vector<Attribute>{{"a", AttributeType::kLong}});
  auto batch = std::make_shared<EventBatch>(schema);
  for (int64_t row = 0; row < 1000; ++row) {
    batch->append_value(0, row % 3);
    batch->end_row(1000 + row);
  }
  entries.entries.push_back({{{1}, {1}}, {1}, EventsPayload{batch}});
  MessageEncoder packs(true);
  std::string bytes = encoded({1, entries}, packs);
  EXPECT_EQ(bytes[7], kWirePacked);
  EXPECT_LT(bytes.size() * 2, encoded({1, entries}).size());
  entries.entries = {{{{1}, {1}}, {1}, TickPayload{}}};
  EXPECT_EQ(encoded({1, entries}, packs)[7], 0);
}

TEST(MessageCodec, APackedMessageIsNoBomb) {
  Entries none;
  none.epoch = {1};
  std::string payload(payload_of(encoded({1, none})));
  for (uint32_t claimed : {uint32_t{0}, uint32_t{1}, uint32_t{64}, uint32_t{0xFFFFFFFF}}) {
    std::string packed;
    put_scalar(packed, claimed);
    put_scalar(packed, uint32_t{0});
    packed += payload;  // is no zstd frame
    EXPECT_TRUE(
        absl::IsDataLoss(decoded(frame_of(WireType::kEntries, packed, kWirePacked)).status()));
  }
  EXPECT_TRUE(absl::IsDataLoss(
      decoded(frame_of(WireType::kAck, std::string(40, '\0'), kWirePacked)).status()))
      << "only entries are packed";
  EXPECT_TRUE(absl::IsDataLoss(decoded(frame_of(WireType::kEntries, payload, 2)).status()));
}

TEST(MessageCodec, ClaimedCountsAreNotBelieved) {
  PeerMessage hello = RandomMessages(1).message(1);
  std::string payload(payload_of(encoded(hello)));
  payload.replace(56, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_TRUE(absl::IsDataLoss(decoded(frame_of(WireType::kHello, payload)).status()));
  std::string sinks(4, '\xFF');
  EXPECT_TRUE(absl::IsDataLoss(decoded(frame_of(WireType::kConfirmed, sinks)).status()));
  std::string hashes(payload_of(encoded({1, PlanHashes{{1}, {2, 3}, {}}})));
  hashes.replace(24, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_TRUE(absl::IsDataLoss(decoded(frame_of(WireType::kPlanHashes, hashes)).status()));
  std::string entries(payload_of(encoded({1, RandomMessages(1).entries(1)})));
  entries.replace(56, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_TRUE(absl::IsDataLoss(decoded(frame_of(WireType::kEntries, entries)).status()));
  entries.replace(56, 4, std::string(4, '\0'));
  EXPECT_TRUE(absl::IsDataLoss(decoded(frame_of(WireType::kEntries, entries)).status()))
      << "fewer are said than there are";
}

TEST(MessageCodec, EntriesThatDoNotFollowOneAnotherAreRefused) {
  RandomMessages random(5);
  Entries good = random.entries(3);
  good.before = {{4}, {10}};
  good.epoch = {6};
  for (size_t i = 0; i < 3; ++i) good.entries[i].id = {{4 + i}, {11 + i}};
  ASSERT_TRUE(decoded(encoded({0, good})).ok());
  using Change = std::function<void(Entries&)>;
  const Change changes[] = {
      [](Entries& it) { it.entries[1].id.position = {13}; },
      [](Entries& it) { it.entries[0].id.position = {10}; },
      [](Entries& it) { it.entries[1].id.epoch = {3}; },
      [](Entries& it) { it.epoch = {5}; },
      [](Entries& it) { it.before.position = {9}; },
      [](Entries& it) { it.before.epoch = {5}; },
      [](Entries& it) {
        it.before = {{4}, {0}};
      },
      [](Entries& it) { it.entries.clear(), it.before.epoch = {7}; },
  };
  for (const Change& change : changes) {
    Entries bad = good;
    change(bad);
    EXPECT_TRUE(absl::IsInvalidArgument(decoded(encoded({0, bad})).status()));
  }
}

TEST(MessageCodec, HistoriesThatDoNotGrowAreRefused) {
  for (const std::vector<EntryId>& ends :
       {std::vector<EntryId>{{{1}, {5}}, {{1}, {6}}}, std::vector<EntryId>{{{2}, {5}}, {{1}, {6}}},
        std::vector<EntryId>{{{1}, {5}}, {{2}, {5}}}, std::vector<EntryId>{{{0}, {0}}}}) {
    Hello hello;
    hello.history = EpochHistory(ends);
    EXPECT_TRUE(absl::IsInvalidArgument(decoded(encoded({0, hello})).status()));
  }
}

TEST(MessageCodec, FramesOfOtherKindsAreNoMessages) {
  for (int type = 0; type < 256; ++type) {
    if ((type >= 16 && type <= 25) || type == 28) continue;
    EXPECT_FALSE(decoded(frame_of(static_cast<WireType>(type), std::string(64, '\0'))).ok());
  }
}

TEST(MessageCodec, BehindAMessageThatWasTooLongSchemasGoAgain) {
  auto schema =
      std::make_shared<const Schema>("S", std::vector<Attribute>{{"text", AttributeType::kString}});
  auto batch_of = [&schema](size_t rows, size_t bytes) {
    auto batch = std::make_shared<EventBatch>(schema);
    std::string text(bytes, 'x');
    for (size_t row = 0; row < rows; ++row) {
      batch->append_value(0, text);
      batch->end_row(1);
    }
    return batch;
  };
  Entries entries;
  entries.epoch = {1};
  // Each is shorter than a record may be, and all of them longer than a frame.
  EventBatchPtr large = batch_of(100, size_t{1} << 20);
  for (uint64_t i = 1; i <= 3; ++i) {
    entries.entries.push_back({{{1}, {i}}, {1}, EventsPayload{large}});
  }
  MessageEncoder encoder;
  std::string bytes = "before";
  EXPECT_TRUE(absl::IsResourceExhausted(encoder.encode({1, entries}, bytes)));
  EXPECT_EQ(bytes, "before");
  entries.entries = {{{{1}, {1}}, {1}, EventsPayload{batch_of(1, 3)}}};
  EXPECT_TRUE(decoded(encoded({1, entries}, encoder)).ok());
}

}  // namespace
}  // namespace pollux
