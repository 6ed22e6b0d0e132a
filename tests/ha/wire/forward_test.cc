// Forwarded batches and their answers: what comes back is what went in.
#include "ha/wire/forward.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/ha/wire/random_messages.h"
#include "tests/ha/wire/wire_bytes.h"

namespace pollux {
namespace {

std::string encoded(const ForwardedBatch& forward) {
  ForwardEncoder encoder;
  std::string bytes;
  EXPECT_TRUE(encoder.encode(forward, bytes).ok());
  return bytes;
}

std::string encoded(const ForwardedAnswer& answer) {
  std::string bytes;
  encode_forward_answer(answer, bytes);
  return bytes;
}

WireFrame frame_in(WireReader& reader, std::string_view bytes) {
  feed(reader, bytes);
  auto frame = reader.next();
  EXPECT_TRUE(frame.ok() && *frame);
  return frame.ok() && *frame ? **frame : WireFrame{};
}

absl::StatusOr<ForwardedBatch> batch_of(std::string_view bytes) {
  WireReader reader(kWirePayloadBytesMax);
  ForwardDecoder decoder;
  return decoder.decode(frame_in(reader, bytes));
}

absl::StatusOr<ForwardedAnswer> answer_of(std::string_view bytes) {
  WireReader reader(kForwardAnswerBytesMax);
  return decode_forward_answer(frame_in(reader, bytes));
}

TEST(Forward, BatchesComeBackAsTheyWere) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    ForwardedBatch forward = RandomMessages(seed).forward();
    std::string bytes = encoded(forward);
    auto back = batch_of(bytes);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->request, forward.request);
    EXPECT_EQ(back->wait, forward.wait);
    EXPECT_EQ(back->events.producer, forward.events.producer);
    EXPECT_EQ(back->events.number, forward.events.number);
    EXPECT_EQ(encoded(*back), bytes);
  }
}

TEST(Forward, AnswersComeBackAsTheyWere) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    ForwardedAnswer answer = RandomMessages(seed).forward_answer();
    std::string bytes = encoded(answer);
    auto back = answer_of(bytes);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->status, answer.status);
    EXPECT_EQ(back->id, answer.id);
    EXPECT_EQ(encoded(*back), bytes);
  }
}

TEST(Forward, SchemasGoOnceOverAConnection) {
  RandomMessages random(2);
  ForwardEncoder encoder;
  ForwardDecoder decoder;
  ForwardedBatch forward = random.forward();
  for (int i = 0; i < 2; ++i) {
    std::string bytes;
    ASSERT_TRUE(encoder.encode(forward, bytes).ok());
    EXPECT_EQ(bytes.size() < encoded(forward).size(), i == 1);
    WireReader reader(kWirePayloadBytesMax);
    EXPECT_TRUE(decoder.decode(frame_in(reader, bytes)).ok());
  }
}

TEST(Forward, DamageIsNeverTakenForWhatWasSent) {
  ForwardedBatch forward = RandomMessages(4).forward();
  std::string payload(payload_of(encoded(forward)));
  std::string answer(payload_of(encoded(RandomMessages(4).forward_answer())));
  for (size_t length = 0; length < payload.size(); ++length) {
    EXPECT_FALSE(batch_of(frame_of(WireType::kForward, payload.substr(0, length))).ok());
  }
  for (size_t length = 0; length < answer.size(); ++length) {
    EXPECT_FALSE(answer_of(frame_of(WireType::kForwardAnswer, answer.substr(0, length))).ok());
  }
  for (size_t at = 0; at < payload.size(); ++at) {
    std::string damaged = payload;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x15);
    auto taken = batch_of(frame_of(WireType::kForward, damaged));
    if (taken.ok()) {
      EXPECT_EQ(payload_of(encoded(*taken)), damaged);
    }
  }
  for (size_t at = 0; at < answer.size(); ++at) {
    std::string damaged = answer;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x15);
    auto taken = answer_of(frame_of(WireType::kForwardAnswer, damaged));
    if (taken.ok()) {
      EXPECT_EQ(payload_of(encoded(*taken)), damaged);
    }
  }
}

TEST(Forward, NothingButEventsIsForwarded) {
  ForwardedBatch forward = RandomMessages(4).forward();
  std::string payload(payload_of(encoded(forward)));
  EXPECT_FALSE(batch_of(frame_of(WireType::kForward, payload + payload.substr(16))).ok())
      << "two batches";
  EXPECT_FALSE(batch_of(frame_of(WireType::kForward, payload.substr(0, 16))).ok()) << "none";
  std::string tick = payload.substr(0, 16);
  size_t begin = begin_record(tick);
  ASSERT_TRUE(end_record(tick, begin, {RecordType::kTick, {}, {}}).ok());
  EXPECT_FALSE(batch_of(frame_of(WireType::kForward, tick)).ok());
  ForwardedBatch found = RandomMessages(4).forward();
  found.events.found = {{"p:T", found.events.batch}};
  EXPECT_FALSE(batch_of(encoded(found)).ok()) << "rows are looked up by whoever numbers events";
}

TEST(Forward, LongMessagesAreCut) {
  ForwardedAnswer answer;
  answer.status = absl::NotFoundError(std::string(100'000, 'x'));
  auto back = answer_of(encoded(answer));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->status.message().size(), kAnswerTextMax);
}

}  // namespace
}  // namespace pollux
