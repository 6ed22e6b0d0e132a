// Frames: what comes back is what went in, in whatever pieces; everything else is an error, told
// early and for good, and costs no memory that was only claimed.
#include "ha/wire/wire_frame.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "persistence/codec/bytes.h"
#include "tests/ha/wire/wire_bytes.h"

namespace pollux {
namespace {

constexpr size_t kMax = size_t{1} << 20;

/// Bytes of a header that claims a payload, its checksum right.
std::string header_of(uint32_t payload_bytes, uint16_t version = kWireVersion) {
  std::string bytes = "PLXW";
  put_scalar(bytes, version);
  put_scalar(bytes, static_cast<uint8_t>(WireType::kHeartbeat));
  put_scalar(bytes, uint8_t{0});
  put_scalar(bytes, payload_bytes);
  put_scalar(bytes, uint32_t{0});
  put_scalar(bytes, uint64_t{7});
  put_scalar(bytes, uint32_t{0});
  put_scalar(bytes, crc32c(bytes));
  return bytes;
}

absl::Status error_of(std::string_view bytes, size_t payload_max = kMax) {
  WireReader reader(payload_max);
  feed(reader, bytes);
  while (true) {
    auto frame = reader.next();
    if (!frame.ok()) {
      EXPECT_EQ(reader.next().status(), frame.status()) << "errors are final";
      feed(reader, frame_of(WireType::kAck, "good"));
      EXPECT_EQ(reader.next().status(), frame.status()) << "errors are final";
      return frame.status();
    }
    if (!*frame) return absl::OkStatus();
  }
}

TEST(WireFrame, ComesBackInWhateverPiecesItArrives) {
  std::vector<std::string> payloads = {"", "a", std::string(100, 'b'), std::string(200'000, 'c')};
  std::string bytes;
  for (const std::string& payload : payloads) {
    bytes += frame_of(WireType::kEntries, payload, kWirePacked, payload.size());
  }
  for (size_t step : {size_t{1}, size_t{31}, size_t{33}, size_t{70'000}, bytes.size()}) {
    WireReader reader(kMax);
    size_t came = 0;
    for (size_t at = 0; at < bytes.size(); at += step) {
      feed(reader, std::string_view(bytes).substr(at, step));
      while (true) {
        auto frame = reader.next();
        ASSERT_TRUE(frame.ok()) << frame.status();
        if (!*frame) break;
        ASSERT_LT(came, payloads.size());
        EXPECT_EQ((*frame)->payload, payloads[came]);
        EXPECT_EQ((*frame)->header.type, WireType::kEntries);
        EXPECT_EQ((*frame)->header.flags, kWirePacked);
        EXPECT_EQ((*frame)->header.record_version, payloads[came].size());
        ++came;
      }
    }
    EXPECT_EQ(came, payloads.size());
    EXPECT_EQ(reader.waiting(), 0U);
  }
}

TEST(WireFrame, IsNothingBeforeItsLastByte) {
  std::string bytes = frame_of(WireType::kAck, "some payload", 0, 1);
  for (size_t length = 0; length < bytes.size(); ++length) {
    WireReader reader(kMax);
    feed(reader, std::string_view(bytes).substr(0, length));
    auto frame = reader.next();
    ASSERT_TRUE(frame.ok());
    EXPECT_FALSE(*frame) << length;
  }
}

TEST(WireFrame, EveryFlippedBitIsCaught) {
  std::string bytes = frame_of(WireType::kAck, "some payload", 0, 0x123456789);
  size_t caught = 0;
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    caught += error_of(damaged).ok() ? 0U : 1U;
  }
  EXPECT_EQ(caught, 8 * bytes.size());
}

TEST(WireFrame, WhatIsNotOfPolluxIsRefusedByItsFirstBytes) {
  for (const char* stranger : {"GET / HTTP/1.1\r\n", "\r\n", "X", "PLXE", "PLXwoo", "Pl"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(error_of(stranger))) << stranger;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(error_of(std::string(1, '\0'))));
  EXPECT_TRUE(absl::IsInvalidArgument(error_of("\x16\x03\x01")));  // TLS
  EXPECT_TRUE(error_of("PLX").ok()) << "nothing speaks against it so far";
}

TEST(WireFrame, LengthsThatAreTooLongAreRefusedByTheHeader) {
  EXPECT_TRUE(absl::IsResourceExhausted(error_of(header_of(0xFFFFFFFF))));
  EXPECT_TRUE(absl::IsResourceExhausted(error_of(header_of(kMax + 1))));
  EXPECT_TRUE(error_of(header_of(kMax)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(
      error_of(header_of(static_cast<uint32_t>(kWirePayloadBytesMax) + 1), kWirePayloadBytesMax)));
}

TEST(WireFrame, AnotherVersionIsToldFromRot) {
  EXPECT_TRUE(absl::IsUnimplemented(error_of(header_of(0, 2))));
  std::string rotten = header_of(0, 2);
  rotten[4] = 1;
  EXPECT_TRUE(absl::IsDataLoss(error_of(rotten)));
}

TEST(WireFrame, MemoryGrowsWithWhatHasArrivedOnly) {
  WireReader reader(kWirePayloadBytesMax);
  feed(reader, header_of(static_cast<uint32_t>(kWirePayloadBytesMax)));
  std::string more(size_t{1} << 20, 'x');
  size_t arrived = kWireHeaderBytes;
  for (int i = 0; i < 20; ++i) {
    auto frame = reader.next();
    ASSERT_TRUE(frame.ok());
    ASSERT_FALSE(*frame);
    EXPECT_LE(reader.memory(), 3 * arrived + (size_t{256} << 10));
    feed(reader, more);
    arrived += more.size();
  }
}

TEST(WireFrame, MemoryOfALongFrameIsGivenBack) {
  WireReader reader(kWirePayloadBytesMax);
  feed(reader, frame_of(WireType::kEntries, std::string(size_t{8} << 20, 'x')));
  auto frame = reader.next();
  ASSERT_TRUE(frame.ok() && *frame);
  EXPECT_EQ((*frame)->payload.size(), size_t{8} << 20);
  reader.room();
  EXPECT_LE(reader.memory(), size_t{1} << 20);
}

TEST(WireFrame, OfTooLongAPayloadIsNotWritten) {
  std::string bytes = "before";
  size_t begin = begin_wire_frame(bytes);
  bytes.append(kWirePayloadBytesMax + 1, 'x');
  EXPECT_TRUE(absl::IsResourceExhausted(end_wire_frame(bytes, begin, {})));
  EXPECT_EQ(bytes, "before");
}

}  // namespace
}  // namespace pollux
